/* SPDX-License-Identifier: BSD-2-Clause */
/* base/inaddr: text, kinds and sockets of both families. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/inaddr.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void
test_text_of_either_family(void **state)
{
	static const char *const bad[] = { "", " ", "1", "1.2.3", "1.2.3.4.5",
		"1.2.3.256", "1.2.3.04", "01.2.3.4", "0x1.2.3.4", " 1.2.3.4", "1.2.3.4 ",
		"1.2.3.4/8", "1.2.3.", ".1.2.3", "1..2.3", "+1.2.3.4", "-1.2.3.4",
		"1.2.3.4\n", "localhost", "1,2,3,4", ":", ":::", "fd00::2::1", "fd00:::2",
		"::1%lo", "::1/64", "[::1]", " ::1", "::1 ", "1:2:3:4:5:6:7:8:9",
		"12345::", "g::", "1:2:3:4:5:6:7" };
	static const struct {
		const char *text;
		const char *formatted;
		struct inaddr addr;
	} good[] = {
		{ "0.0.0.0", "0.0.0.0", { { 0 }, 0 } },
		{ "10.0.2.2", "10.0.2.2", { { 10, 0, 2, 2 }, 0 } },
		{ "255.255.255.255", "255.255.255.255", { { 255, 255, 255, 255 }, 0 } },
		{ "::", "::", { { 0 }, 1 } },
		{ "::1", "::1", { { [15] = 1 }, 1 } },
		{ "FD00::2", "fd00::2", { { 0xfd, [15] = 2 }, 1 } },
		{ "fd00:0:0:0:0:0:0:3", "fd00::3", { { 0xfd, [15] = 3 }, 1 } },
		{ "::ffff:10.0.2.2", "::ffff:10.0.2.2",
		    { { [10] = 0xff, 0xff, 10, 0, 2, 2 }, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		struct inaddr addr;
		char buf[INET6_ADDRSTRLEN];

		memset(&addr, 0xa5, sizeof(addr));
		assert_true(inaddr_parse(good[i].text, &addr));
		assert_memory_equal(&addr, &good[i].addr, sizeof(addr));
		assert_string_equal(inaddr_format(&addr, buf), good[i].formatted);
	}
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct inaddr addr, before;

		memset(&addr, 0xa5, sizeof(addr));
		before = addr;
		if (inaddr_parse(bad[i], &addr))
			fail_msg("taken: \"%s\"", bad[i]);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

static struct inaddr
parsed(const char *text)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	return addr;
}

static void
test_kinds(void **state)
{
	static const struct {
		const char *text;
		bool is_unspecified, is_loopback, is_multicast, is_broadcast,
		    is_link_local6;
	} cases[] = {
		{ "0.0.0.0", .is_unspecified = true },
		{ "::", .is_unspecified = true },
		{ "127.0.0.1", .is_loopback = true },
		{ .text = "127.0.0.2" },
		{ "::1", .is_loopback = true },
		{ .text = "::ffff:127.0.0.1" },
		{ .text = "223.255.255.255" },
		{ "224.0.0.0", .is_multicast = true },
		{ "239.255.255.255", .is_multicast = true },
		{ .text = "240.0.0.0" },
		{ "fe80::1", .is_link_local6 = true },
		{ "febf:ffff::", .is_link_local6 = true },
		{ .text = "fe7f::1" },
		{ .text = "fec0::1" },
		{ .text = "254.128.0.0" },
		{ "ff02::1", .is_multicast = true },
		{ .text = "feff::1" },
		{ "255.255.255.255", .is_broadcast = true },
		{ "ffff:ffff::", .is_multicast = true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		const struct inaddr addr = parsed(cases[i].text);
		const struct inaddr loopback = inaddr_loopback(addr.is_ipv6);

		assert_int_equal(inaddr_is_unspecified(&addr), cases[i].is_unspecified);
		assert_int_equal(inaddr_is_equal(&addr, &loopback), cases[i].is_loopback);
		assert_int_equal(inaddr_is_multicast(&addr), cases[i].is_multicast);
		assert_int_equal(inaddr_is_broadcast(&addr), cases[i].is_broadcast);
		assert_int_equal(inaddr_is_link_local6(&addr), cases[i].is_link_local6);
	}
}

static void
test_sockets_take_both_families(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "0.0.0.0", "2001:db8::1",
		"::" };
	const struct sockaddr other = { .sa_family = AF_UNIX, .sa_data = "x" };
	const struct inaddr zeros = { 0 };
	struct inaddr addr;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		const struct inaddr before = parsed(texts[i]);
		const union inaddr_sock sock = inaddr_sock_make(&before, 8080);

		assert_int_equal(sock.any.sa_family, i < 2 ? AF_INET : AF_INET6);
		assert_int_equal(inaddr_sock_len(&sock.any),
		    i < 2 ? sizeof(sock.in) : sizeof(sock.in6));
		assert_int_equal(inaddr_sock_port(&sock), 8080);
		assert_true(inaddr_from_sockaddr(&addr, &sock.any));
		assert_true(inaddr_is_equal(&addr, &before));
		for (size_t j = 0; j < N_ELEMENTS(texts); j++) {
			const struct inaddr its = parsed(texts[j]);
			const union inaddr_sock same_port = inaddr_sock_make(&its, 8080);
			const union inaddr_sock next_port = inaddr_sock_make(&its, 8081);

			assert_int_equal(inaddr_sock_is_equal(&sock, &same_port), i == j);
			assert_false(inaddr_sock_is_equal(&sock, &next_port));
		}
	}
	assert_false(inaddr_from_sockaddr(&addr, &other));
	assert_memory_equal(&addr, &zeros, sizeof(addr));
}

/* The same link-local address on two links belongs to two hosts. */
static void
test_scope_tells_peers_apart(void **state)
{
	const struct inaddr addr = parsed("fe80::1");
	union inaddr_sock a = inaddr_sock_make(&addr, 1), b = a;

	(void)state;
	assert_true(inaddr_sock_is_equal(&a, &b));
	b.in6.sin6_scope_id = 2;
	assert_false(inaddr_sock_is_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_of_either_family),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sockets_take_both_families),
		cmocka_unit_test(test_scope_tells_peers_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
