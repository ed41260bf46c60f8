/* SPDX-License-Identifier: BSD-2-Clause */
/* api/scan: the end of a request, however its bytes arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/request/scan.h"

static enum api_scan_outcome
scan(const char *text, size_t len, size_t step, size_t *at)
{
	struct api_scan state = { 0 };
	enum api_scan_outcome outcome = API_SCAN_MORE;
	const char *why = NULL;

	for (size_t n = step; outcome == API_SCAN_MORE; n += step) {
		if (n > len)
			n = len;
		outcome = api_scan_next(&state, text, n, &why);
		if (n == len)
			break;
	}
	assert_true(outcome != API_SCAN_BAD || why);
	*at = state.at;
	return outcome;
}

/* In one piece, byte by byte, and three bytes at a time. */
static void
check(const char *text, size_t len, enum api_scan_outcome outcome, size_t at)
{
	static const size_t steps[] = { SIZE_MAX / 2, 1, 3 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t got_at;

		assert_int_equal(scan(text, len, steps[i], &got_at), outcome);
		assert_int_equal(got_at, at);
	}
}

#define CHECK(text, outcome, at) check(text, sizeof(text) - 1, outcome, at)

static void
test_object_ends_at_its_brace(void **state)
{
	(void)state;
	CHECK("{}", API_SCAN_COMPLETE, 2);
	CHECK("{}rest", API_SCAN_COMPLETE, 2);
	CHECK("{\"a\":{\"b\":[1,{}]}}{", API_SCAN_COMPLETE, 18);
	CHECK(" \r\n\t{ }", API_SCAN_COMPLETE, 7);
	CHECK("[1,2] ", API_SCAN_COMPLETE, 5);
}

static void
test_brackets_in_strings_do_not_count(void **state)
{
	(void)state;
	CHECK("{\"}\":\"{[\"}", API_SCAN_COMPLETE, 10);
	CHECK("{\"\\\"}\":1}", API_SCAN_COMPLETE, 9);
	CHECK("{\"\\\\\":1}", API_SCAN_COMPLETE, 8);
	CHECK("{\"\\\\\\\"}", API_SCAN_MORE, 7);
}

static void
test_every_beginning_asks_for_more(void **state)
{
	static const char text[] =
	    "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"t\\\"cp\"}}";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		check(text, len, API_SCAN_MORE, len);
	CHECK(text, API_SCAN_COMPLETE, sizeof(text) - 1);
	CHECK(" \n ", API_SCAN_MORE, 3);
}

static void
test_depth_is_bounded(void **state)
{
	char text[2 * (API_DEPTH_MAX + 1)];

	(void)state;
	memset(text, '[', API_DEPTH_MAX);
	memset(text + API_DEPTH_MAX, ']', API_DEPTH_MAX);
	check(text, 2 * API_DEPTH_MAX, API_SCAN_COMPLETE, 2 * API_DEPTH_MAX);
	text[API_DEPTH_MAX] = '{';
	check(text, API_DEPTH_MAX + 1, API_SCAN_BAD, API_DEPTH_MAX + 1);
}

static void
test_what_no_json_has_is_bad_at_once(void **state)
{
	(void)state;
	CHECK("{\0", API_SCAN_BAD, 2);
	CHECK("{\"a\0", API_SCAN_BAD, 4);
	CHECK("{\"a\n", API_SCAN_BAD, 4);
	CHECK("{\"a\\\n", API_SCAN_BAD, 5);
}

/* Scalars are not requests, whatever follows: they are checked as far as they have
 * arrived. */
static void
test_scalars_are_complete_as_they_come(void **state)
{
	size_t at;

	(void)state;
	assert_int_equal(scan("5", 1, 1, &at), API_SCAN_COMPLETE);
	assert_int_equal(scan("GET / HTTP/1.1\r\n", 16, 16, &at), API_SCAN_COMPLETE);
	assert_int_equal(at, 16);
	assert_int_equal(scan("}", 1, 1, &at), API_SCAN_COMPLETE);
	assert_int_equal(scan("\0", 1, 1, &at), API_SCAN_COMPLETE);
	assert_int_equal(scan("\"{\"", 3, 3, &at), API_SCAN_COMPLETE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_object_ends_at_its_brace),
		cmocka_unit_test(test_brackets_in_strings_do_not_count),
		cmocka_unit_test(test_every_beginning_asks_for_more),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_what_no_json_has_is_bad_at_once),
		cmocka_unit_test(test_scalars_are_complete_as_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
