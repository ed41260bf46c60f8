/* SPDX-License-Identifier: BSD-2-Clause */
/* The servers and options of resolv.conf. */
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

/* wanted: the addresses of the servers, with a space after each. */
static void
expect(const char *text, const char *wanted)
{
	struct ipc_nameservers found;
	char said[IPC_NAMESERVERS_MAX * (INET6_ADDRSTRLEN + 1) + 1] = "";
	char addr[INET6_ADDRSTRLEN];

	parent_nameservers_parse(text, strlen(text), &found);
	for (size_t i = 0; i < found.n; i++) {
		strcat(said, inaddr_format(&found.servers[i].addr, addr));
		strcat(said, " ");
	}
	assert_string_equal(said, wanted);
}

static void
test_first_three_servers_in_order(void **state)
{
	(void)state;
	expect("", "");
	expect("nameserver 192.0.2.1\n", "192.0.2.1 ");
	expect("nameserver 2001:db8::1\nnameserver 192.0.2.1\nnameserver ::1\n"
	       "nameserver 192.0.2.4\n",
	    "2001:db8::1 192.0.2.1 ::1 ");
}

static void
test_other_text_is_passed_over(void **state)
{
	char line[1024];

	(void)state;
	expect("nameserver\t \t127.0.0.53  # stub\n", "127.0.0.53 ");
	expect("nameserver 192.0.2.1\r\n", "192.0.2.1 ");
	expect("nameserver 192.0.2.1", "192.0.2.1 ");
	expect("nameserver \nnameserver x\nnameserver 192.0.2\nnameserver 1.2.3.4.5\n"
	       "nameserver 010.1.1.1\nnameservers 192.0.2.5\n nameserver 192.0.2.6\n"
	       "search nameserver 192.0.2.8\nnameserver 192.0.2.7\n",
	    "192.0.2.7 ");
	/* A word that does not end is not an address. */
	snprintf(line, sizeof(line), "nameserver %900s\nnameserver 192.0.2.2\n",
	    "192.0.2.1");
	expect(line, "192.0.2.2 ");
}

static void
expect_options(const char *text, unsigned timeout_s, unsigned attempts, bool rotate)
{
	struct ipc_nameservers found;

	parent_nameservers_parse(text, strlen(text), &found);
	assert_int_equal(found.timeout_s, timeout_s);
	assert_int_equal(found.attempts, attempts);
	assert_int_equal(found.rotate, rotate);
}

static void
test_options(void **state)
{
	(void)state;
	expect_options("", 0, 0, false);
	expect_options("options timeout:1 attempts:3 rotate\n", 1, 3, true);
	expect_options("options\tedns0 ndots:9\trotate\r\n", 0, 0, true);
	expect_options("options timeout:5\noptions timeout:2\n", 2, 0, false);
	expect_options("options timeout:0 attempts:0\n", 1, 1, false);
	expect_options("options timeout:99999999999999999999 attempts:255\n",
	    IPC_NAMESERVER_TIMEOUT_MAX_S, IPC_NAMESERVER_ATTEMPTS_MAX, false);
	expect_options("options timeout: attempts:-1 timeout:x rotated\n", 0, 0, false);
	expect_options("option timeout:1\n options timeout:1\n#options rotate\n", 0, 0,
	    false);
}

static void
test_scope_is_of_link_local_addresses_only(void **state)
{
	struct ipc_nameservers found;
	const char *text = "nameserver 2001:db8::1%lo\n";

	(void)state;
	parent_nameservers_parse(text, strlen(text), &found);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.servers[0].scope_id, 0);
	text = "nameserver fe80::1%no-such-interface\nnameserver fe80::2\n";
	parent_nameservers_parse(text, strlen(text), &found);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.servers[0].scope_id, 0);
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
		assert_int_equal(found.servers[0].scope_id, if_nametoindex(name));
	}
	if (file)
		fclose(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_three_servers_in_order),
		cmocka_unit_test(test_other_text_is_passed_over),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_scope_is_of_link_local_addresses_only),
		cmocka_unit_test(test_interface_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
