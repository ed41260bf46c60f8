/* SPDX-License-Identifier: BSD-2-Clause */
/* The timers of TCP flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slirp-worker/engine/tcp/tcp_wheel.h"

/* The clock wraps soon, in near slots and in far ones. */
static const uint32_t starts[] = { 0, 1, 3, UINT32_MAX - 2, UINT32_MAX - 5000,
	UINT32_MAX - 2000000, INT32_MAX - 2 };
#define N_STARTS (sizeof(starts) / sizeof(*starts))

/* The first and the last of the near slots, of the first and of the last far slot; later
 * times; and the times of idle flows. */
static const uint32_t delays_ms[] = { 1, 4, 5, 200, 4092, 4093, 4096, 4097, 8192, 60000,
	300000, 1044479, 1044480, 1048576, 1048577, 1052673, 2100000, 7200000,
	1000000000 };
#define N_DELAYS (sizeof(delays_ms) / sizeof(*delays_ms))

static struct tcp_wheel wheel;

/* Goes to the time when the timer comes, as a turn does: waits, then takes. Other timers
 * are not set. Returns the milliseconds that went by. */
static uint32_t
wait_for(struct tcp_timer *timer, uint32_t now_ms)
{
	uint32_t begin_ms = now_ms;

	for (;;) {
		uint32_t wait_ms = tcp_wheel_wait_ms(&wheel, now_ms);
		struct tcp_timer *taken;

		assert_int_not_equal(wait_ms, UINT32_MAX);
		if (wait_ms > 0)
			assert_null(tcp_wheel_take(&wheel, now_ms + wait_ms - 1));
		now_ms += wait_ms;
		taken = tcp_wheel_take(&wheel, now_ms);
		if (taken == NULL)
			continue;
		assert_ptr_equal(taken, timer);
		assert_false(tcp_timer_is_set(timer));
		assert_null(tcp_wheel_take(&wheel, now_ms));
		assert_int_equal(tcp_wheel_wait_ms(&wheel, now_ms), UINT32_MAX);
		return now_ms - begin_ms;
	}
}

/* Sets a timer and sees it come in time. Returns the milliseconds that went by. */
static uint32_t
go_by_timer(uint32_t now_ms, uint32_t delay_ms)
{
	struct tcp_timer timer = { 0 };
	uint32_t half_ms = delay_ms / 2, passed_ms;

	tcp_wheel_set(&wheel, &timer, now_ms + delay_ms);
	assert_true(tcp_timer_is_set(&timer));
	/* A turn for another reason. */
	assert_null(tcp_wheel_take(&wheel, now_ms + half_ms));
	passed_ms = half_ms + wait_for(&timer, now_ms + half_ms);
	assert_in_range(passed_ms, delay_ms, delay_ms + 3);
	return passed_ms;
}

static void
test_timer_comes_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_STARTS; i++) {
		uint32_t now_ms = starts[i];

		for (size_t j = 0; j < N_DELAYS; j++) {
			tcp_wheel_init(&wheel, starts[i]);
			assert_int_equal(tcp_wheel_wait_ms(&wheel, starts[i]),
			    UINT32_MAX);
			assert_null(tcp_wheel_take(&wheel, starts[i]));
			go_by_timer(starts[i], delays_ms[j]);
		}
		/* The same behind each other. */
		tcp_wheel_init(&wheel, now_ms);
		for (size_t j = 0; j < N_DELAYS; j++)
			now_ms += go_by_timer(now_ms, delays_ms[j]);
	}
}

static void
test_passed_time_is_due_at_once(void **state)
{
	struct tcp_timer timers[3] = { 0 };

	(void)state;
	tcp_wheel_init(&wheel, 1000);
	tcp_wheel_set(&wheel, &timers[0], 1000);
	tcp_wheel_set(&wheel, &timers[1], 0);
	tcp_wheel_set(&wheel, &timers[2], UINT32_MAX);
	assert_int_equal(tcp_wheel_wait_ms(&wheel, 1000), 0);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(tcp_wheel_take(&wheel, 1000), &timers[i]);
	assert_null(tcp_wheel_take(&wheel, 1000));
}

static void
test_timer_moves_and_is_cancelled(void **state)
{
	struct tcp_timer timer = { 0 };

	(void)state;
	tcp_wheel_init(&wheel, 0);
	tcp_wheel_cancel(&wheel, &timer);
	tcp_wheel_set(&wheel, &timer, 100000);
	tcp_wheel_set(&wheel, &timer, 100);
	tcp_wheel_set(&wheel, &timer, 200);
	assert_null(tcp_wheel_take(&wheel, 199));
	assert_ptr_equal(tcp_wheel_take(&wheel, 200), &timer);
	assert_null(tcp_wheel_take(&wheel, 200000));
	for (uint32_t at_ms = 200001; at_ms < 300000; at_ms += 50000) {
		tcp_wheel_set(&wheel, &timer, at_ms);
		tcp_wheel_cancel(&wheel, &timer);
		assert_false(tcp_timer_is_set(&timer));
		assert_int_equal(tcp_wheel_wait_ms(&wheel, 200000), UINT32_MAX);
	}
	assert_null(tcp_wheel_take(&wheel, 400000));
}

static void
test_timers_come_in_order_of_slots(void **state)
{
	static const uint32_t at_ms[] = { 5000, 17, 100, 900000, 20, 18, 101, 2000000,
		50 };
	static const int order[] = { 1, 4, 5, 8, 2, 6, 0, 3, 7 };
	struct tcp_timer timers[9] = { 0 };

	(void)state;
	tcp_wheel_init(&wheel, 0);
	for (int i = 0; i < 9; i++)
		tcp_wheel_set(&wheel, &timers[i], at_ms[i]);
	/* After a long stop, all are due. */
	for (int i = 0; i < 9; i++)
		assert_ptr_equal(tcp_wheel_take(&wheel, 3000000), &timers[order[i]]);
	assert_null(tcp_wheel_take(&wheel, 3000000));
}

static void
test_timers_of_one_slot_come_in_the_order_set(void **state)
{
	struct tcp_timer timers[3] = { 0 };

	(void)state;
	tcp_wheel_init(&wheel, 0);
	for (int i = 0; i < 3; i++)
		tcp_wheel_set(&wheel, &timers[i], 8);
	/* A timer that is due again does not stop the others. */
	for (int i = 0; i < 9; i++) {
		struct tcp_timer *timer = tcp_wheel_take(&wheel, 8);

		assert_ptr_equal(timer, &timers[i % 3]);
		tcp_wheel_set(&wheel, timer, 8);
	}
}

static void
test_wheel_follows_the_clock_without_timers(void **state)
{
	struct tcp_timer timer = { 0 };
	uint32_t now_ms = 0;

	(void)state;
	tcp_wheel_init(&wheel, now_ms);
	for (int day = 0; day < 30; day++) {
		now_ms += 86400000;
		assert_null(tcp_wheel_take(&wheel, now_ms));
	}
	tcp_wheel_set(&wheel, &timer, now_ms + 100);
	/* A time before the last one changes nothing. */
	assert_null(tcp_wheel_take(&wheel, now_ms - 100));
	assert_in_range(wait_for(&timer, now_ms), 100, 103);
}

static void
test_many_timers_move_in_steps(void **state)
{
	static struct tcp_timer timers[5000];
	int n_empty = 0, n_taken = 0;

	(void)state;
	memset(timers, 0, sizeof(timers));
	tcp_wheel_init(&wheel, 0);
	for (int i = 0; i < 5000; i++)
		tcp_wheel_set(&wheel, &timers[i], 10000);
	assert_null(tcp_wheel_take(&wheel, 9999));
	while (n_taken < 5000) {
		/* A take without a timer says that there is more to do. */
		assert_int_equal(tcp_wheel_wait_ms(&wheel, 10000), 0);
		if (tcp_wheel_take(&wheel, 10000) != NULL)
			n_taken++;
		else
			n_empty++;
		assert_true(n_empty <= 5);
	}
	assert_in_range(n_empty, 3, 5);
	assert_null(tcp_wheel_take(&wheel, 10000));
	assert_int_equal(tcp_wheel_wait_ms(&wheel, 10000), UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_comes_in_time),
		cmocka_unit_test(test_passed_time_is_due_at_once),
		cmocka_unit_test(test_timer_moves_and_is_cancelled),
		cmocka_unit_test(test_timers_come_in_order_of_slots),
		cmocka_unit_test(test_timers_of_one_slot_come_in_the_order_set),
		cmocka_unit_test(test_wheel_follows_the_clock_without_timers),
		cmocka_unit_test(test_many_timers_move_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
