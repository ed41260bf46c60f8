/* SPDX-License-Identifier: BSD-2-Clause */
/* The servers of resolv.conf: the first of each family. */
#include "parent/watch/nameservers.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/inaddr.h"

/* Lines of /proc/self/net/if_inet6 in which a test looks for an interface. */
#define LINE_SIZE 128

static const char *
address_of(const struct ipc_nameservers *nameservers, bool is_ipv6, char *text)
{
	return nameservers->has_addr[is_ipv6]
	    ? inaddr_format(&nameservers->addr[is_ipv6], text)
	    : "";
}

static void
expect(const char *text, const char *wanted4, const char *wanted6)
{
	struct ipc_nameservers found;
	char found4[INET6_ADDRSTRLEN], found6[INET6_ADDRSTRLEN];

	parent_nameservers_parse(text, strlen(text), &found);
	assert_string_equal(address_of(&found, false, found4), wanted4);
	assert_string_equal(address_of(&found, true, found6), wanted6);
}

static void
test_first_of_each_family(void **state)
{
	(void)state;
	expect("", "", "");
	expect("nameserver 192.0.2.1\n", "192.0.2.1", "");
	expect("nameserver 192.0.2.1\nnameserver 192.0.2.2\n", "192.0.2.1", "");
	expect("nameserver 2001:db8::1\nnameserver 192.0.2.1\nnameserver ::1\n",
	    "192.0.2.1", "2001:db8::1");
}

static void
test_other_text_is_passed_over(void **state)
{
	char line[1024];

	(void)state;
	expect("nameserver\t \t127.0.0.53  # stub\n", "127.0.0.53", "");
	expect("nameserver 192.0.2.1\r\n", "192.0.2.1", "");
	expect("nameserver 192.0.2.1", "192.0.2.1", "");
	expect("nameserver \nnameserver x\nnameserver 192.0.2\nnameserver 1.2.3.4.5\n"
	       "nameserver 010.1.1.1\nnameserver 192.0.2.7\n",
	    "192.0.2.7", "");
	/* A word that does not end is not an address. */
	snprintf(line, sizeof(line), "nameserver %900s\nnameserver 192.0.2.2\n",
	    "192.0.2.1");
	expect(line, "192.0.2.2", "");
}

static void
test_scope_is_of_link_local_addresses_only(void **state)
{
	struct ipc_nameservers found;
	const char *text = "nameserver 2001:db8::1%lo\n";

	(void)state;
	parent_nameservers_parse(text, strlen(text), &found);
	assert_int_equal(found.has_addr[1], 1);
	assert_int_equal(found.scope_id6, 0);
	text = "nameserver fe80::1%no-such-interface\nnameserver fe80::2\n";
	parent_nameservers_parse(text, strlen(text), &found);
	assert_int_equal(found.addr[1].bytes[15], 1);
	assert_int_equal(found.scope_id6, 0);
}

/* With a kernel or a machine that has no IPv6 the file is missing or empty. */
static void
test_interface_is_found_by_its_name(void **state)
{
	FILE *file = fopen("/proc/self/net/if_inet6", "re");
	char line[LINE_SIZE], text[2 * LINE_SIZE];
	const char *name;
	struct ipc_nameservers found;

	(void)state;
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		name = strrchr(line, ' ') + 1;
		snprintf(text, sizeof(text), "nameserver fe80::1%%%s\n", name);
		parent_nameservers_parse(text, strlen(text), &found);
		assert_int_equal(found.scope_id6, if_nametoindex(name));
	}
	if (file)
		fclose(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_of_each_family),
		cmocka_unit_test(test_other_text_is_passed_over),
		cmocka_unit_test(test_scope_is_of_link_local_addresses_only),
		cmocka_unit_test(test_interface_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
