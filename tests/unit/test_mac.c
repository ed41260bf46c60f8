/* SPDX-License-Identifier: BSD-2-Clause */
/* base/mac: every form of a MAC address, and every error in it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/mac.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void
test_mac_outcomes(void **state)
{
	static const struct {
		const char *text;
		enum mac_outcome outcome;
	} cases[] = {
		{ "52:55:0a:00:02:0e", MAC_OK },
		{ "0A:0b:0C:0d:0E:0f", MAC_OK },
		{ "00:00:00:00:00:01", MAC_OK },
		{ "fe:ff:ff:ff:ff:ff", MAC_OK },

		{ "", MAC_BAD_SYNTAX },
		{ "x", MAC_BAD_SYNTAX },
		{ "1:2:3:4:5:6", MAC_BAD_SYNTAX },
		{ "0a0b0c0d0e0f", MAC_BAD_SYNTAX },
		{ "0a0b0c0d0e0f00000", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0f:", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0f:10", MAC_BAD_SYNTAX },
		{ "0a-0b-0c-0d-0e-0f", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e-0f", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0g", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:g0", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0G", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0`", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0/", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0@", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0:", MAC_BAD_SYNTAX },
		{ " 0a:0b:0c:0d:0e:0", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0 ", MAC_BAD_SYNTAX },
		{ "+a:0b:0c:0d:0e:0f", MAC_BAD_SYNTAX },
		{ "0x:0b:0c:0d:0e:0f", MAC_BAD_SYNTAX },
		{ "0a:0b:0c:0d:0e:0f ", MAC_BAD_SYNTAX },

		{ "01:00:5e:00:00:01", MAC_MULTICAST },
		{ "33:33:00:00:00:01", MAC_MULTICAST },
		{ "ff:ff:ff:ff:ff:ff", MAC_MULTICAST },
		{ "00:00:00:00:00:00", MAC_ZERO },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct mac mac, before;
		enum mac_outcome outcome;

		memset(&mac, 0xa5, sizeof(mac));
		before = mac;
		outcome = mac_parse(cases[i].text, &mac);
		if (outcome != cases[i].outcome)
			fail_msg("\"%s\": outcome %d", cases[i].text, (int)outcome);
		if (outcome != MAC_OK)
			assert_memory_equal(&mac, &before, sizeof(mac));
	}
}

static void
test_mac_keeps_the_order_of_the_wire(void **state)
{
	static const uint8_t octets[MAC_LEN] = { 0x52, 0x55, 0x0a, 0xbc, 0xde, 0xf0 };
	struct mac mac;
	char buf[MAC_STRLEN];

	(void)state;
	assert_int_equal(mac_parse("52:55:0A:BC:de:F0", &mac), MAC_OK);
	assert_memory_equal(mac.octets, octets, sizeof(octets));
	assert_string_equal(mac_format(&mac, buf), "52:55:0a:bc:de:f0");
}

/* RFC 4291 appendix A uses this MAC as its example. */
static void
test_addr6_from_mac(void **state)
{
	const struct in6_addr prefix = { { { 0xfd, [7] = 9, [8] = 0xee, [15] = 0xee } } };
	const struct mac mac = { { 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde } };
	struct in6_addr addr;
	char buf[INET6_ADDRSTRLEN];

	(void)state;
	addr = mac_to_addr6(&prefix, &mac);
	assert_string_equal(inet_ntop(AF_INET6, &addr, buf, sizeof(buf)),
	    "fd00::9:3656:78ff:fe9a:bcde");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_outcomes),
		cmocka_unit_test(test_mac_keeps_the_order_of_the_wire),
		cmocka_unit_test(test_addr6_from_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
