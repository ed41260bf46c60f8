/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slirp-worker/timers.h"

static void
count(void *ctx)
{
	++*(int *)ctx;
}

static struct timer *again;

static void
count_and_set_again(void *ctx)
{
	count(ctx);
	timer_set(again, 200);
}

static void
test_timer_fires_once_when_due(void **state)
{
	struct timers timers = { 0 };
	int n_fired = 0;
	struct timer *timer = timers_add(&timers, count, &n_fired);

	(void)state;
	assert_int_equal(timers_next_ms(&timers), DEADLINE_NONE);
	timers_run(&timers, 1000);
	assert_int_equal(n_fired, 0);
	timer_set(timer, 100);
	assert_int_equal(timers_next_ms(&timers), 100);
	timers_run(&timers, 99);
	assert_int_equal(n_fired, 0);
	timers_run(&timers, 100);
	timers_run(&timers, 100);
	assert_int_equal(n_fired, 1);
	assert_int_equal(timers_next_ms(&timers), DEADLINE_NONE);
}

static void
test_timer_can_set_itself_again(void **state)
{
	struct timers timers = { 0 };
	int n_fired = 0;

	(void)state;
	again = timers_add(&timers, count_and_set_again, &n_fired);
	timer_set(again, 100);
	timers_run(&timers, 150);
	assert_int_equal(n_fired, 1);
	assert_int_equal(timers_next_ms(&timers), 200);
	timers_run(&timers, 200);
	assert_int_equal(n_fired, 2);
}

static void
test_slots_are_bounded_and_come_back(void **state)
{
	struct timers timers = { 0 };
	struct timer *last = NULL;
	int n_fired = 0;

	(void)state;
	for (int i = 0; i < TIMERS_MAX; i++) {
		last = timers_add(&timers, count, &n_fired);
		assert_non_null(last);
		timer_set(last, 100 - i);
	}
	assert_null(timers_add(&timers, count, &n_fired));
	assert_int_equal(timers_next_ms(&timers), 100 - (TIMERS_MAX - 1));
	timer_remove(last);
	assert_int_equal(timers_next_ms(&timers), 100 - (TIMERS_MAX - 2));
	assert_non_null(timers_add(&timers, count, &n_fired));
	timers_run(&timers, 100);
	assert_int_equal(n_fired, TIMERS_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_fires_once_when_due),
		cmocka_unit_test(test_timer_can_set_itself_again),
		cmocka_unit_test(test_slots_are_bounded_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
