/* SPDX-License-Identifier: BSD-2-Clause */
/* base/endpoint: address, port and range as users write them, and every error in them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/endpoint.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void
test_good(void **state)
{
	static const struct {
		const char *text;
		const char *addr; /* NULL for none */
		uint16_t first, last;
	} good[] = {
		{ "1", NULL, 1, 1 },
		{ "65535", NULL, 65535, 65535 },
		{ "00080", NULL, 80, 80 },
		{ "8000-8099", NULL, 8000, 8099 },
		{ "80-80", NULL, 80, 80 },
		{ "1-65535", NULL, 1, 65535 },
		{ "127.0.0.1:8080", "127.0.0.1", 8080, 8080 },
		{ "0.0.0.0:53-60", "0.0.0.0", 53, 60 },
		{ "255.255.255.255:1", "255.255.255.255", 1, 1 },
		{ "[::]:80", "::", 80, 80 },
		{ "[::1]:8000-8099", "::1", 8000, 8099 },
		{ "[2001:db8::7]:443", "2001:db8::7", 443, 443 },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:9",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 9, 9 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		struct endpoint endpoint;
		struct inaddr addr = { 0 };

		memset(&endpoint, 0xa5, sizeof(endpoint));
		if (endpoint_parse(good[i].text, strlen(good[i].text), &endpoint) !=
		    ENDPOINT_OK)
			fail_msg("refused: %s", good[i].text);
		assert_int_equal(endpoint.port_first, good[i].first);
		assert_int_equal(endpoint.port_last, good[i].last);
		assert_int_equal(endpoint.has_addr, good[i].addr != NULL);
		if (good[i].addr != NULL)
			assert_true(inaddr_parse(good[i].addr, &addr));
		assert_memory_equal(&endpoint.addr, &addr, sizeof(addr));
	}
}

static void
test_bad(void **state)
{
	static const struct {
		enum endpoint_outcome outcome;
		const char *text;
	} bad[] = {
		{ ENDPOINT_BAD_PORT, "" },
		{ ENDPOINT_BAD_PORT, "0" },
		{ ENDPOINT_BAD_PORT, "65536" },
		{ ENDPOINT_BAD_PORT, "000080" },
		{ ENDPOINT_BAD_PORT, "-1" },
		{ ENDPOINT_BAD_PORT, "+80" },
		{ ENDPOINT_BAD_PORT, " 80" },
		{ ENDPOINT_BAD_PORT, "80 " },
		{ ENDPOINT_BAD_PORT, "80/tcp" },
		{ ENDPOINT_BAD_PORT, "http" },
		{ ENDPOINT_BAD_PORT, "80-" },
		{ ENDPOINT_BAD_PORT, "-" },
		{ ENDPOINT_BAD_PORT, "80-90-100" },
		{ ENDPOINT_BAD_PORT, "0-80" },
		{ ENDPOINT_BAD_PORT, "80-65536" },
		{ ENDPOINT_BAD_PORT, "4294967376" },
		{ ENDPOINT_BAD_PORT, "127.0.0.1" },
		{ ENDPOINT_BAD_PORT, "127.0.0.1:" },
		{ ENDPOINT_BAD_PORT, "127.0.0.1:0" },
		{ ENDPOINT_BAD_PORT, "[::1]" },
		{ ENDPOINT_BAD_PORT, "[::1]:" },
		{ ENDPOINT_BAD_RANGE, "90-80" },
		{ ENDPOINT_BAD_RANGE, "[::1]:2-1" },
		{ ENDPOINT_BAD_ADDRESS, ":80" },
		{ ENDPOINT_BAD_ADDRESS, "*:80" },
		{ ENDPOINT_BAD_ADDRESS, "localhost:80" },
		{ ENDPOINT_BAD_ADDRESS, "10.0.2:80" },
		{ ENDPOINT_BAD_ADDRESS, "10.0.2.256:80" },
		{ ENDPOINT_BAD_ADDRESS, "[10.0.2.1]:80" },
		{ ENDPOINT_BAD_ADDRESS, "::1:80" },
		{ ENDPOINT_BAD_ADDRESS, "[::1:80" },
		{ ENDPOINT_BAD_ADDRESS, "::1]:80" },
		{ ENDPOINT_BAD_ADDRESS, "[]:80" },
		{ ENDPOINT_BAD_ADDRESS, "[fe80::1%eth0]:80" },
		{ ENDPOINT_BAD_ADDRESS, "[::1]x:80" },
		{ ENDPOINT_BAD_ADDRESS,
		    "[fffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:9" },
		{ ENDPOINT_BAD_ADDRESS, "8080:80:80" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct endpoint endpoint, before;
		enum endpoint_outcome outcome;

		memset(&endpoint, 0xa5, sizeof(endpoint));
		before = endpoint;
		outcome = endpoint_parse(bad[i].text, strlen(bad[i].text), &endpoint);
		if (outcome != bad[i].outcome)
			fail_msg("%s: %s", bad[i].text, endpoint_outcome_str(outcome));
		assert_memory_equal(&endpoint, &before, sizeof(before));
	}
}

static void
test_length_ends_the_text(void **state)
{
	static const char publish[] = "127.0.0.1:8080:80";
	static const char with_nul[] = "127.0.0.1\0:80";
	struct endpoint endpoint;

	(void)state;
	assert_int_equal(endpoint_parse(publish, strlen("127.0.0.1:8080"), &endpoint),
	    ENDPOINT_OK);
	assert_int_equal(endpoint.port_first, 8080);
	assert_int_equal(endpoint_parse(publish, strlen("127.0.0.1:80"), &endpoint),
	    ENDPOINT_OK);
	assert_int_equal(endpoint.port_first, 80);
	assert_int_equal(endpoint_parse(with_nul, sizeof(with_nul) - 1, &endpoint),
	    ENDPOINT_BAD_ADDRESS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length_ends_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
