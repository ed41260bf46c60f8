/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms of --publish. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/validate.h"
#include "parent/cmdline/publish.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* "tcp 127.0.0.1 8000-8009 10.0.2.7 80", a text for a forward. */
static void
describe(const struct ipc_forward *forward, char *text, size_t text_size)
{
	char host[INET6_ADDRSTRLEN], guest[INET6_ADDRSTRLEN];

	inaddr_format(&forward->host_addr, host);
	inaddr_format(&forward->guest_addr, guest);
	snprintf(text, text_size, "%s %s %u-%u %s %u",
	    forward->proto == IPPROTO_TCP ? "tcp" : "udp", host, forward->host_port_first,
	    forward->host_port_last, guest, forward->guest_port_first);
}

static void
test_forms(void **state)
{
	static const struct {
		const char *text, *meaning;
	} cases[] = {
		{ "8080:80", "tcp 0.0.0.0 8080-8080 0.0.0.0 80" },
		{ "8080:80/tcp", "tcp 0.0.0.0 8080-8080 0.0.0.0 80" },
		{ "53:53/udp", "udp 0.0.0.0 53-53 0.0.0.0 53" },
		{ "127.0.0.1:8080:80", "tcp 127.0.0.1 8080-8080 0.0.0.0 80" },
		{ "8080:10.0.2.7:80", "tcp 0.0.0.0 8080-8080 10.0.2.7 80" },
		{ "127.0.0.1:8080:10.0.2.7:80", "tcp 127.0.0.1 8080-8080 10.0.2.7 80" },
		{ "8000-8009:80", "tcp 0.0.0.0 8000-8009 0.0.0.0 80" },
		{ "8000-8009:80-89", "tcp 0.0.0.0 8000-8009 0.0.0.0 80" },
		{ "127.0.0.1:8000-8009:80-89", "tcp 127.0.0.1 8000-8009 0.0.0.0 80" },
		{ "8000-8009:10.0.2.7:80-89", "tcp 0.0.0.0 8000-8009 10.0.2.7 80" },
		{ "1-65535:1", "tcp 0.0.0.0 1-65535 0.0.0.0 1" },
		{ "[::1]:8080:80", "tcp ::1 8080-8080 :: 80" },
		{ "8080:[fd00::1]:80/udp", "udp :: 8080-8080 fd00::1 80" },
		{ "[::1]:8080:[fd00::1]:80", "tcp ::1 8080-8080 fd00::1 80" },
		{ "[::1]:8080:10.0.2.7:80", "tcp ::1 8080-8080 10.0.2.7 80" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct ipc_publish msg = { 0 };
		char meaning[256];
		const char *why = "";

		assert_true(publish_parse(cases[i].text, &msg.forward, &why));
		describe(&msg.forward, meaning, sizeof(meaning));
		assert_string_equal(meaning, cases[i].meaning);
		assert_int_equal(ipc_validate_publish(&msg, &why), 0);
	}
}

static void
test_bad_forms(void **state)
{
	static const char *const cases[] = { "", ":", "80", "80:", ":80", "a:b", "80:80/",
		"80:80/sctp", "80:80/tcp/udp", "80:80 ", " 80:80", "+80:80", "0:80",
		"80:0", "65536:80", "80:65536", "1:2:3", "1:2:3:4", "1.2.3.4:80",
		"1.2.3.4:80:5.6.7.8:80:9", "1.2.3.4.5:80:80", "::1:80:80", "[::1:80:80",
		"::1]:80:80", "[]:80:80", "[::1]80:80", "[1.2.3.4]:80:80", "80-:80",
		"-80:80", "90-80:80", "80-90-100:80", "80-90:80-91", "80:80-81",
		"80-90:65530", "localhost:80:80", "[::1%lo]:80:80", "[[::1]]:80:80" };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct ipc_forward forward, before;
		const char *why = NULL;

		memset(&forward, 0xa5, sizeof(forward));
		before = forward;
		if (publish_parse(cases[i], &forward, &why))
			fail_msg("taken: \"%s\"", cases[i]);
		assert_non_null(why);
		assert_memory_equal(&forward, &before, sizeof(forward));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bad_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
