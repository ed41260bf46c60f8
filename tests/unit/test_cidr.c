/* SPDX-License-Identifier: BSD-2-Clause */
/* base/cidr: every form of an IPv4 network, and every error in it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "base/cidr.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void
test_cidr_outcomes(void **state)
{
	static const struct {
		const char *text;
		enum cidr_outcome outcome;
	} cases[] = {
		{ "10.0.2.0/24", CIDR_OK },
		{ "0.0.0.0/1", CIDR_OK },
		{ "128.0.0.0/1", CIDR_OK },
		{ "10.0.2.128/25", CIDR_OK },
		{ "10.0.2.0/08", CIDR_HOST_BITS },
		{ "10.0.0.0/08", CIDR_OK },

		{ "", CIDR_BAD_SYNTAX },
		{ "/", CIDR_BAD_SYNTAX },
		{ "/24", CIDR_BAD_SYNTAX },
		{ "x", CIDR_BAD_SYNTAX },
		{ "10.0.2.0", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/x", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/24x", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/24 ", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/24/24", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/024", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/124", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/+24", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/-1", CIDR_BAD_SYNTAX },
		{ "10.0.2.0/ 4", CIDR_BAD_SYNTAX },
		{ "10.0.2.0 /24", CIDR_BAD_SYNTAX },
		{ " 10.0.2.0/24", CIDR_BAD_SYNTAX },
		{ "10.0.2/24", CIDR_BAD_SYNTAX },
		{ "10.0.2./24", CIDR_BAD_SYNTAX },
		{ ".0.2.0/24", CIDR_BAD_SYNTAX },
		{ "10..2.0/24", CIDR_BAD_SYNTAX },
		{ "10,0,2,0/24", CIDR_BAD_SYNTAX },
		{ "10.0.2.0.0/24", CIDR_BAD_SYNTAX },
		{ "fd00::/64", CIDR_BAD_SYNTAX },
		{ "a.b.c.d/24", CIDR_BAD_SYNTAX },

		{ "300.0.0.0/24", CIDR_BAD_ADDRESS },
		{ "010.0.2.0/24", CIDR_BAD_ADDRESS },
		{ "10.0.2.256/24", CIDR_BAD_ADDRESS },
		{ "0000000010.0.2.0/24", CIDR_BAD_ADDRESS },
		{ "300.0.0.0/99", CIDR_BAD_ADDRESS },

		{ "10.0.2.0/0", CIDR_BAD_PREFIX },
		{ "10.0.2.0/00", CIDR_BAD_PREFIX },
		{ "10.0.2.0/26", CIDR_BAD_PREFIX },
		{ "10.0.2.1/26", CIDR_BAD_PREFIX },
		{ "10.0.2.0/32", CIDR_BAD_PREFIX },
		{ "10.0.2.0/33", CIDR_BAD_PREFIX },
		{ "10.0.2.0/99", CIDR_BAD_PREFIX },

		{ "10.0.2.1/24", CIDR_HOST_BITS },
		{ "10.0.2.100/24", CIDR_HOST_BITS },
		{ "10.0.2.64/25", CIDR_HOST_BITS },
		{ "64.0.0.0/1", CIDR_HOST_BITS },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct cidr cidr = { .network_be = 0x12345678, .prefix_len = 77 };
		enum cidr_outcome outcome = cidr_parse(cases[i].text, 1, 25, &cidr);

		if (outcome != cases[i].outcome)
			fail_msg("\"%s\": outcome %d", cases[i].text, (int)outcome);
		if (outcome == CIDR_OK)
			continue;
		assert_int_equal(cidr.network_be, 0x12345678);
		assert_int_equal(cidr.prefix_len, 77);
	}
}

static void
test_cidr_limits_are_the_callers(void **state)
{
	struct cidr cidr;

	(void)state;
	assert_int_equal(cidr_parse("0.0.0.0/0", 0, 32, &cidr), CIDR_OK);
	assert_int_equal(cidr.prefix_len, 0);
	assert_int_equal(cidr_parse("1.0.0.0/0", 0, 32, &cidr), CIDR_HOST_BITS);
	assert_int_equal(cidr_parse("10.1.2.3/32", 0, 32, &cidr), CIDR_OK);
	assert_int_equal(cidr.network_be, htonl(0x0a010203));
	assert_int_equal(cidr.prefix_len, 32);
	assert_int_equal(cidr_parse("10.1.2.3/33", 0, 32, &cidr), CIDR_BAD_PREFIX);
	assert_int_equal(cidr_parse("10.0.0.0/7", 8, 8, &cidr), CIDR_BAD_PREFIX);
	assert_int_equal(cidr_parse("10.0.0.0/8", 8, 8, &cidr), CIDR_OK);
}

static void
test_netmask_of_every_prefix(void **state)
{
	uint32_t mask = 0;

	(void)state;
	for (unsigned int prefix_len = 0; prefix_len <= 32; prefix_len++) {
		assert_int_equal(ntohl(cidr_netmask_be(prefix_len)), mask);
		mask = mask >> 1 | 0x80000000;
	}
}

static void
test_host_number_counts_in_host_order(void **state)
{
	struct cidr cidr = { .network_be = htonl(0xc0a84d00), .prefix_len = 24 };

	(void)state;
	assert_int_equal(cidr_host_be(&cidr, 0), htonl(0xc0a84d00));
	assert_int_equal(cidr_host_be(&cidr, 2), htonl(0xc0a84d02));
	assert_int_equal(cidr_host_be(&cidr, 256), htonl(0xc0a84e00));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cidr_outcomes),
		cmocka_unit_test(test_cidr_limits_are_the_callers),
		cmocka_unit_test(test_netmask_of_every_prefix),
		cmocka_unit_test(test_host_number_counts_in_host_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
