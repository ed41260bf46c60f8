/* SPDX-License-Identifier: BSD-2-Clause */
/* The places of datagrams that wait for a socket. */
#include "slirp-worker/engine/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint8_t bytes[HOLD_LEN_MAX];
static const struct hold_fate fate = { .ttl = 63 };
static struct hold hold;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(hold_init(&hold), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	hold_free(&hold);
	return 0;
}

static bool
add(struct hold_queue *queue, uint8_t mark, size_t len)
{
	memset(bytes, mark, len);
	return hold_add(&hold, queue, bytes, len, &fate);
}

static void
assert_first(struct hold_queue *queue, uint8_t mark, size_t len)
{
	const uint8_t *data = NULL;
	const struct held_datagram *held = hold_first(&hold, queue, &data);

	assert_non_null(held);
	assert_int_equal(held->len, len);
	memset(bytes, mark, len);
	assert_memory_equal(data, bytes, len);
	hold_take(&hold, queue);
}

static void
test_order_of_short_and_long(void **state)
{
	struct hold_queue queue = { 0 };
	const uint8_t *data;

	(void)state;
	assert_true(add(&queue, 1, HOLD_LEN_SHORT));
	assert_true(add(&queue, 2, HOLD_LEN_MAX - 1));
	assert_true(add(&queue, 3, 0));
	assert_true(add(&queue, 4, HOLD_LEN_SHORT + 1));
	assert_first(&queue, 1, HOLD_LEN_SHORT);
	assert_first(&queue, 2, HOLD_LEN_MAX - 1);
	assert_first(&queue, 3, 0);
	assert_first(&queue, 4, HOLD_LEN_SHORT + 1);
	assert_null(hold_first(&hold, &queue, &data));
}

static void
test_long_places_come_back(void **state)
{
	struct hold_queue queues[HOLD_LONG_PLACES + 1] = { 0 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint8_t i = 0; i < HOLD_LONG_PLACES; i++)
			assert_true(add(&queues[i], i, HOLD_LEN_MAX - 1));
		assert_false(add(&queues[HOLD_LONG_PLACES], 99, HOLD_LEN_SHORT + 1));
		/* Short ones have places of their own. */
		assert_true(add(&queues[HOLD_LONG_PLACES], 98, HOLD_LEN_SHORT));
		for (uint8_t i = 0; i < HOLD_LONG_PLACES; i++)
			assert_first(&queues[i], i, HOLD_LEN_MAX - 1);
		hold_drop(&hold, &queues[HOLD_LONG_PLACES]);
	}
}

static void
test_first_ones_have_places(void **state)
{
	static struct hold_queue queues[HOLD_FIRST_PLACES];
	struct hold_queue greedy = { 0 }, late = { 0 };
	size_t n = 0;

	(void)state;
	while (add(&greedy, 7, 100))
		n++;
	/* Its first one has another's place. */
	assert_int_equal(n, HOLD_NEXT_PLACES);
	for (size_t i = 0; i < HOLD_FIRST_PLACES; i++)
		assert_true(add(&queues[i], (uint8_t)i, 100));
	assert_false(add(&late, 8, 100));
	hold_drop(&hold, &greedy);
	assert_true(add(&late, 8, 100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_of_short_and_long, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_long_places_come_back, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_first_ones_have_places, setup,
		    teardown),
	};

	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
