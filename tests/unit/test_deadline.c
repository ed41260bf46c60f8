/* SPDX-License-Identifier: BSD-2-Clause */
/* base/deadline: timeouts for poll(2), at the ends of their range. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/deadline.h"

static void
test_timeout_fits_poll(void **state)
{
	const uint64_t now_ms = UINT64_C(1) << 40;

	(void)state;
	assert_int_equal(deadline_timeout(DEADLINE_NONE, now_ms), -1);
	assert_int_equal(deadline_timeout(0, now_ms), 0);
	assert_int_equal(deadline_timeout(now_ms - 1, now_ms), 0);
	assert_int_equal(deadline_timeout(now_ms, now_ms), 0);
	assert_int_equal(deadline_timeout(now_ms + 1, now_ms), 1);
	assert_int_equal(deadline_timeout(now_ms + INT_MAX, now_ms), INT_MAX);
	/* The caller looks again after it. */
	assert_int_equal(deadline_timeout(now_ms + INT_MAX + 1, now_ms), INT_MAX);
	assert_int_equal(deadline_timeout(DEADLINE_NONE - 1, now_ms), INT_MAX);
}

static void
test_none_is_the_latest(void **state)
{
	(void)state;
	assert_int_equal(deadline_earlier(1, 2), 1);
	assert_int_equal(deadline_earlier(2, 1), 1);
	assert_int_equal(deadline_earlier(DEADLINE_NONE, 2), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeout_fits_poll),
		cmocka_unit_test(test_none_is_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
