/* SPDX-License-Identifier: BSD-2-Clause */
/* base/text and base/ratelimit: texts that a guest can choose, and their rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ratelimit.h"
#include "base/text.h"

static void
check(const char *src, size_t n, size_t dst_size, const char *expected)
{
	char dst[64];

	memset(dst, 'Z', sizeof(dst));
	assert_int_equal(text_escape(dst, dst_size, src, n), strlen(expected));
	assert_string_equal(dst, expected);
	/* Nothing was written beyond the limit. */
	for (size_t i = dst_size; i < sizeof(dst); i++)
		assert_int_equal(dst[i], 'Z');
}

static void
test_plain_text_stays(void **state)
{
	(void)state;
	check("hello, ~ world", 14, 64, "hello, ~ world");
	check("", 0, 1, "");
}

static void
test_control_bytes_are_escaped(void **state)
{
	char line[16];

	(void)state;
	check("a\nb\x1b[31m", 8, 64, "a\\x0ab\\x1b[31m");
	check("\0\xff\x7f", 3, 64, "\\x00\\xff\\x7f");
	/* Otherwise a guest could fake an escape. */
	check("\\x0a", 4, 64, "\\x5cx0a");
	/* A line that has escapes keeps them. */
	assert_int_equal(text_escape_rest(line, sizeof(line), "\\x0a\n", 5), 8);
	assert_string_equal(line, "\\x0a\\x0a");
}

static void
test_long_text_ends_in_dots(void **state)
{
	(void)state;
	check("0123456789", 10, 11, "0123456789");
	check("0123456789", 10, 10, "012345...");
	check("0123456789", 10, 5, "0...");
	check("\n\n\n", 3, 12, "\\x0a\\x0a...");
	check("\n\n\n", 3, 13, "\\x0a\\x0a\\x0a");
	check("0123456789", 10, 3, "..");
	check("0123456789", 10, 1, "");
}

static void
test_burst_then_one_per_interval(void **state)
{
	struct ratelimit limit = { .burst = 3, .interval_ms = 100 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(ratelimit_allow(&limit, 1000));
	assert_false(ratelimit_allow(&limit, 1000));
	assert_false(ratelimit_allow(&limit, 1099));
	assert_int_equal(limit.n_held_back, 2);
	assert_true(ratelimit_allow(&limit, 1100));
	assert_int_equal(limit.n_held_back, 0);
	assert_false(ratelimit_allow(&limit, 1101));
	/* A long pause restores the whole burst, and not more. */
	for (int i = 0; i < 3; i++)
		assert_true(ratelimit_allow(&limit, 100000));
	assert_false(ratelimit_allow(&limit, 100000));
}

static size_t
distance(const char *one, const char *other)
{
	return text_distance(one, strlen(one), other, strlen(other));
}

static void
test_distance_counts_slips(void **state)
{
	(void)state;
	assert_int_equal(distance("", ""), 0);
	assert_int_equal(distance("mtu", "mtu"), 0);
	assert_int_equal(distance("mut", "mtu"), 1);
	assert_int_equal(distance("mt", "mtu"), 1);
	assert_int_equal(distance("mtuu", "mtu"), 1);
	assert_int_equal(distance("mto", "mtu"), 1);
	assert_int_equal(distance("", "mtu"), 3);
	assert_int_equal(distance("configured", "configure"), 1);
	/* The longest that is compared, and one byte more. */
	assert_int_equal(distance("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "x"), 31);
	assert_int_equal(distance("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "x"),
	    TEXT_DISTANCE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays),
		cmocka_unit_test(test_control_bytes_are_escaped),
		cmocka_unit_test(test_long_text_ends_in_dots),
		cmocka_unit_test(test_burst_then_one_per_interval),
		cmocka_unit_test(test_distance_counts_slips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
