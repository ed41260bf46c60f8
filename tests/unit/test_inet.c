/* SPDX-License-Identifier: BSD-2-Clause */
/* base/inet: every form of an address, and every error in it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/inet.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void
test_addr4_takes_dotted_decimal_only(void **state)
{
	static const char *const bad[] = { "", " ", "1", "1.2.3", "1.2.3.4.5",
		"1.2.3.256", "1.2.3.04", "01.2.3.4", "0x1.2.3.4", " 1.2.3.4", "1.2.3.4 ",
		"1.2.3.4/8", "1.2.3.", ".1.2.3", "1..2.3", "+1.2.3.4", "-1.2.3.4",
		"1.2.3.4\n", "::1", "localhost", "1,2,3,4" };
	static const struct {
		const char *text;
		uint32_t addr;
	} good[] = {
		{ "0.0.0.0", 0 },
		{ "10.0.2.2", 0x0a000202 },
		{ "127.0.0.1", 0x7f000001 },
		{ "255.255.255.255", 0xffffffff },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		in_addr_t addr_be = 1;
		char buf[INET_ADDRSTRLEN];

		assert_true(inet_addr4_parse(good[i].text, &addr_be));
		assert_int_equal(ntohl(addr_be), good[i].addr);
		assert_string_equal(inet_addr4_format(addr_be, buf), good[i].text);
	}
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		in_addr_t addr_be = 0x12345678;

		if (inet_addr4_parse(bad[i], &addr_be))
			fail_msg("taken: \"%s\"", bad[i]);
		assert_int_equal(addr_be, 0x12345678);
	}
}

static void
test_addr6_takes_rfc4291_only(void **state)
{
	static const char *const bad[] = { "", ":", ":::", "1", "fd00::2::1", "fd00:::2",
		"::1%lo", "::1/64", "[::1]", " ::1", "::1 ", "1:2:3:4:5:6:7:8:9",
		"12345::", "g::", "10.0.2.2", "1:2:3:4:5:6:7" };
	static const struct {
		const char *text;
		const char *formatted;
	} good[] = {
		{ "::", "::" },
		{ "::1", "::1" },
		{ "FD00::2", "fd00::2" },
		{ "fd00:0:0:0:0:0:0:3", "fd00::3" },
		{ "::ffff:10.0.2.2", "::ffff:10.0.2.2" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		struct in6_addr addr;
		char buf[INET6_ADDRSTRLEN];

		assert_true(inet_addr6_parse(good[i].text, &addr));
		assert_string_equal(inet_addr6_format(&addr, buf), good[i].formatted);
	}
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct in6_addr addr, before;

		memset(&addr, 0xa5, sizeof(addr));
		before = addr;
		if (inet_addr6_parse(bad[i], &addr))
			fail_msg("taken: \"%s\"", bad[i]);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

static void
test_cidr_outcomes(void **state)
{
	static const struct {
		const char *text;
		enum inet_cidr_outcome outcome;
	} cases[] = {
		{ "10.0.2.0/24", INET_CIDR_OK },
		{ "0.0.0.0/1", INET_CIDR_OK },
		{ "128.0.0.0/1", INET_CIDR_OK },
		{ "10.0.2.128/25", INET_CIDR_OK },
		{ "10.0.2.0/08", INET_CIDR_HOST_BITS },
		{ "10.0.0.0/08", INET_CIDR_OK },

		{ "", INET_CIDR_BAD_SYNTAX },
		{ "/", INET_CIDR_BAD_SYNTAX },
		{ "/24", INET_CIDR_BAD_SYNTAX },
		{ "x", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/x", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/24x", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/24 ", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/24/24", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/024", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/124", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/+24", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/-1", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0/ 4", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0 /24", INET_CIDR_BAD_SYNTAX },
		{ " 10.0.2.0/24", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2/24", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2./24", INET_CIDR_BAD_SYNTAX },
		{ ".0.2.0/24", INET_CIDR_BAD_SYNTAX },
		{ "10..2.0/24", INET_CIDR_BAD_SYNTAX },
		{ "10,0,2,0/24", INET_CIDR_BAD_SYNTAX },
		{ "10.0.2.0.0/24", INET_CIDR_BAD_SYNTAX },
		{ "fd00::/64", INET_CIDR_BAD_SYNTAX },
		{ "a.b.c.d/24", INET_CIDR_BAD_SYNTAX },

		{ "300.0.0.0/24", INET_CIDR_BAD_ADDRESS },
		{ "010.0.2.0/24", INET_CIDR_BAD_ADDRESS },
		{ "10.0.2.256/24", INET_CIDR_BAD_ADDRESS },
		{ "0000000010.0.2.0/24", INET_CIDR_BAD_ADDRESS },
		{ "300.0.0.0/99", INET_CIDR_BAD_ADDRESS },

		{ "10.0.2.0/0", INET_CIDR_BAD_PREFIX },
		{ "10.0.2.0/00", INET_CIDR_BAD_PREFIX },
		{ "10.0.2.0/26", INET_CIDR_BAD_PREFIX },
		{ "10.0.2.1/26", INET_CIDR_BAD_PREFIX },
		{ "10.0.2.0/32", INET_CIDR_BAD_PREFIX },
		{ "10.0.2.0/33", INET_CIDR_BAD_PREFIX },
		{ "10.0.2.0/99", INET_CIDR_BAD_PREFIX },

		{ "10.0.2.1/24", INET_CIDR_HOST_BITS },
		{ "10.0.2.100/24", INET_CIDR_HOST_BITS },
		{ "10.0.2.64/25", INET_CIDR_HOST_BITS },
		{ "64.0.0.0/1", INET_CIDR_HOST_BITS },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct inet_cidr cidr = { .network_be = 0x12345678, .prefix_len = 77 };
		enum inet_cidr_outcome outcome =
		    inet_cidr_parse(cases[i].text, 1, 25, &cidr);

		if (outcome != cases[i].outcome)
			fail_msg("\"%s\": outcome %d", cases[i].text, (int)outcome);
		if (outcome == INET_CIDR_OK)
			continue;
		assert_int_equal(cidr.network_be, 0x12345678);
		assert_int_equal(cidr.prefix_len, 77);
	}
}

static void
test_cidr_limits_are_the_callers(void **state)
{
	struct inet_cidr cidr;

	(void)state;
	assert_int_equal(inet_cidr_parse("0.0.0.0/0", 0, 32, &cidr), INET_CIDR_OK);
	assert_int_equal(cidr.prefix_len, 0);
	assert_int_equal(inet_cidr_parse("1.0.0.0/0", 0, 32, &cidr), INET_CIDR_HOST_BITS);
	assert_int_equal(inet_cidr_parse("10.1.2.3/32", 0, 32, &cidr), INET_CIDR_OK);
	assert_int_equal(cidr.network_be, htonl(0x0a010203));
	assert_int_equal(cidr.prefix_len, 32);
	assert_int_equal(inet_cidr_parse("10.1.2.3/33", 0, 32, &cidr),
	    INET_CIDR_BAD_PREFIX);
	assert_int_equal(inet_cidr_parse("10.0.0.0/7", 8, 8, &cidr),
	    INET_CIDR_BAD_PREFIX);
	assert_int_equal(inet_cidr_parse("10.0.0.0/8", 8, 8, &cidr), INET_CIDR_OK);
}

static void
test_netmask_of_every_prefix(void **state)
{
	uint32_t mask = 0;

	(void)state;
	for (unsigned int prefix_len = 0; prefix_len <= 32; prefix_len++) {
		assert_int_equal(ntohl(inet_netmask_be(prefix_len)), mask);
		mask = mask >> 1 | 0x80000000;
	}
}

static void
test_host_number_counts_in_host_order(void **state)
{
	struct inet_cidr cidr = { .network_be = htonl(0xc0a84d00), .prefix_len = 24 };

	(void)state;
	assert_int_equal(inet_cidr_host_be(&cidr, 0), htonl(0xc0a84d00));
	assert_int_equal(inet_cidr_host_be(&cidr, 2), htonl(0xc0a84d02));
	assert_int_equal(inet_cidr_host_be(&cidr, 256), htonl(0xc0a84e00));
}

static void
test_mac_outcomes(void **state)
{
	static const struct {
		const char *text;
		enum inet_mac_outcome outcome;
	} cases[] = {
		{ "52:55:0a:00:02:0e", INET_MAC_OK },
		{ "0A:0b:0C:0d:0E:0f", INET_MAC_OK },
		{ "00:00:00:00:00:01", INET_MAC_OK },
		{ "fe:ff:ff:ff:ff:ff", INET_MAC_OK },

		{ "", INET_MAC_BAD_SYNTAX },
		{ "x", INET_MAC_BAD_SYNTAX },
		{ "1:2:3:4:5:6", INET_MAC_BAD_SYNTAX },
		{ "0a0b0c0d0e0f", INET_MAC_BAD_SYNTAX },
		{ "0a0b0c0d0e0f00000", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0f:", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0f:10", INET_MAC_BAD_SYNTAX },
		{ "0a-0b-0c-0d-0e-0f", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e-0f", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0g", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:g0", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0G", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0`", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0/", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0@", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0:", INET_MAC_BAD_SYNTAX },
		{ " 0a:0b:0c:0d:0e:0", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0 ", INET_MAC_BAD_SYNTAX },
		{ "+a:0b:0c:0d:0e:0f", INET_MAC_BAD_SYNTAX },
		{ "0x:0b:0c:0d:0e:0f", INET_MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0f ", INET_MAC_BAD_SYNTAX },

		{ "01:00:5e:00:00:01", INET_MAC_MULTICAST },
		{ "33:33:00:00:00:01", INET_MAC_MULTICAST },
		{ "ff:ff:ff:ff:ff:ff", INET_MAC_MULTICAST },
		{ "00:00:00:00:00:00", INET_MAC_ZERO },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct inet_mac mac, before;
		enum inet_mac_outcome outcome;

		memset(&mac, 0xa5, sizeof(mac));
		before = mac;
		outcome = inet_mac_parse(cases[i].text, &mac);
		if (outcome != cases[i].outcome)
			fail_msg("\"%s\": outcome %d", cases[i].text, (int)outcome);
		if (outcome != INET_MAC_OK)
			assert_memory_equal(&mac, &before, sizeof(mac));
	}
}

static void
test_mac_keeps_the_order_of_the_wire(void **state)
{
	static const uint8_t octets[INET_MAC_LEN] = { 0x52, 0x55, 0x0a, 0xbc, 0xde,
		0xf0 };
	struct inet_mac mac;
	char buf[INET_MAC_STRLEN];

	(void)state;
	assert_int_equal(inet_mac_parse("52:55:0A:BC:de:F0", &mac), INET_MAC_OK);
	assert_memory_equal(mac.octets, octets, sizeof(octets));
	assert_string_equal(inet_mac_format(&mac, buf), "52:55:0a:bc:de:f0");
}

/* RFC 4291 appendix A uses this MAC as its example. */
static void
test_addr6_from_mac(void **state)
{
	static const uint8_t prefix[16] = { 0xfd, [7] = 9, [8] = 0xee, [15] = 0xee };
	const struct inet_mac mac = { { 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde } };
	struct in6_addr addr;
	char buf[INET6_ADDRSTRLEN];

	(void)state;
	inet_addr6_from_mac(prefix, &mac, &addr);
	assert_string_equal(inet_addr6_format(&addr, buf), "fd00::9:3656:78ff:fe9a:bcde");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr4_takes_dotted_decimal_only),
		cmocka_unit_test(test_addr6_takes_rfc4291_only),
		cmocka_unit_test(test_cidr_outcomes),
		cmocka_unit_test(test_cidr_limits_are_the_callers),
		cmocka_unit_test(test_netmask_of_every_prefix),
		cmocka_unit_test(test_host_number_counts_in_host_order),
		cmocka_unit_test(test_mac_outcomes),
		cmocka_unit_test(test_mac_keeps_the_order_of_the_wire),
		cmocka_unit_test(test_addr6_from_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
