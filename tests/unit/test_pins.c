/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of addresses to patterns of names: their lives and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connector/pins.h"

#define START_MS 1000000

static const uint64_t secret[2] = { 3, 4 };
static struct pins pins;
static uint16_t found[PINS_PER_ADDR_MAX];

static int
setup(void **state)
{
	(void)state;
	pins_init(&pins, secret);
	return 0;
}

static struct inaddr
numbered(uint32_t i)
{
	return inaddr_from4(htonl(0xc6336300 + i));
}

static void
add(uint32_t i, uint16_t pattern, uint32_t ttl_s, uint64_t after_ms)
{
	const struct inaddr addr = numbered(i);

	pins_add(&pins, &addr, pattern, ttl_s, START_MS + after_ms);
}

static size_t
n_found(uint32_t i, uint64_t after_ms)
{
	const struct inaddr addr = numbered(i);

	return pins_find(&pins, &addr, START_MS + after_ms, found);
}

static void
test_pin_is_of_its_address(void **state)
{
	struct inaddr addr6;

	(void)state;
	assert_int_equal(n_found(1, 0), 0);
	add(1, 7, 600, 0);
	assert_int_equal(n_found(1, 0), 1);
	assert_int_equal(found[0], 7);
	assert_int_equal(n_found(2, 0), 0);
	/* The same bytes as IPv6. */
	addr6 = numbered(1);
	addr6.is_ipv6 = 1;
	assert_int_equal(pins_find(&pins, &addr6, START_MS, found), 0);
	add(1, 8, 600, 0);
	assert_int_equal(n_found(1, 0), 2);
}

static void
test_pins_move_to_another_policy(void **state)
{
	static uint16_t patterns[PINS_N_PATTERNS];

	(void)state;
	add(1, 7, 600, 0);
	add(2, 8, 600, 0);
	add(2, 9, 600, 0);
	add(3, 9, 600, 0);
	for (size_t i = 0; i < PINS_N_PATTERNS; i++)
		patterns[i] = PINS_N_PATTERNS;
	patterns[8] = 7;
	patterns[9] = 0;
	pins_move(&pins, patterns);
	assert_int_equal(n_found(1, 0), 0);
	assert_int_equal(n_found(2, 0), 2);
	assert_int_equal(found[0] + found[1], 7);
	assert_int_equal(n_found(3, 0), 1);
	assert_int_equal(found[0], 0);
	assert_int_equal(pins_count(&pins, START_MS), 3);
	assert_int_equal(pins_count(&pins, START_MS + 600000), 0);
	/* Each pattern still has its own limit. */
	for (uint32_t i = 0; i <= PINS_PER_PATTERN_MAX; i++)
		add(100 + i, 0, 600, 0);
	assert_int_equal(n_found(2, 0), 1);
	assert_int_equal(found[0], 7);
	assert_int_equal(n_found(3, 0), 0);
}

static void
test_life_of_pins(void **state)
{
	(void)state;
	add(1, 7, 0, 0);
	add(2, 7, 600, 0);
	add(3, 7, UINT32_MAX, 0);
	assert_int_equal(n_found(1, 299999), 1);
	assert_int_equal(n_found(1, 300000), 0);
	assert_int_equal(n_found(2, 599999), 1);
	assert_int_equal(n_found(2, 600000), 0);
	assert_int_equal(n_found(3, 3599999), 1);
	assert_int_equal(n_found(3, 3600000), 0);
	/* An answer with a lower TTL takes nothing away. */
	add(2, 7, 0, 1000);
	assert_int_equal(n_found(2, 599999), 1);
	add(2, 7, 600, 1000);
	assert_int_equal(n_found(2, 600000), 1);
	assert_int_equal(n_found(2, 601000), 0);
}

static void
test_pin_lasts_while_its_flows_are_open(void **state)
{
	const uint64_t late_ms = (uint64_t)PINS_LIFE_MAX_S * 1000 * 2;
	const uint64_t more_ms = (uint64_t)PINS_LIFE_AFTER_FLOW_S * 1000;
	struct inaddr addr = numbered(1);

	(void)state;
	add(1, 3, 600, 0);
	add(1, 4, 600, 0);
	pins_hold(&pins, &addr, 3);
	pins_hold(&pins, &addr, 3);
	/* There is no such pin. */
	pins_hold(&pins, &addr, 5);
	pins_release(&pins, &addr, 5, START_MS + late_ms);
	assert_int_equal(n_found(1, late_ms), 1);
	assert_int_equal(found[0], 3);
	/* Another answer does not let it go. */
	add(1, 3, 600, 0);
	pins_release(&pins, &addr, 3, START_MS + late_ms);
	assert_int_equal(n_found(1, late_ms + more_ms), 1);
	pins_release(&pins, &addr, 3, START_MS + late_ms);
	pins_release(&pins, &addr, 3, START_MS + 2 * late_ms);
	assert_int_equal(n_found(1, late_ms + more_ms - 1), 1);
	assert_int_equal(n_found(1, late_ms + more_ms), 0);
	/* It may come back, if it has not given way: all flows of a worker end at once. */
	pins_hold(&pins, &addr, 4);
	pins_release_all(&pins, START_MS + 2 * late_ms);
	assert_int_equal(n_found(1, 2 * late_ms + more_ms - 1), 1);
	assert_int_equal(pins_count(&pins, START_MS + 2 * late_ms + more_ms), 0);
}

static void
test_pins_are_listed(void **state)
{
	const uint64_t late_ms = START_MS + (uint64_t)PINS_LIFE_MAX_S * 1000 * 2;
	static uint16_t patterns[PINS_N_PATTERNS];
	struct inaddr held = numbered(2);
	const struct pin *pin;
	uint32_t place = 0;

	(void)state;
	add(1, 7, 600, 0);
	add(2, 8, 600, 0);
	pins_hold(&pins, &held, 8);
	pin = pins_from(&pins, &place, START_MS);
	assert_non_null(pin);
	assert_int_equal(pin->pattern, 7);
	pin = pins_from(&pins, &place, START_MS);
	assert_non_null(pin);
	assert_int_equal(pin->pattern, 8);
	assert_null(pins_from(&pins, &place, START_MS));
	/* Later only the flow keeps one. */
	place = 0;
	pin = pins_from(&pins, &place, late_ms);
	assert_non_null(pin);
	assert_int_equal(pin->pattern, 8);
	assert_null(pins_from(&pins, &place, late_ms));
	assert_int_equal(pins_count(&pins, late_ms), 1);
	/* It goes with its pattern, though it is held. */
	for (size_t i = 0; i < PINS_N_PATTERNS; i++)
		patterns[i] = PINS_N_PATTERNS;
	pins_move(&pins, patterns);
	place = 0;
	assert_null(pins_from(&pins, &place, START_MS));
}

static void
test_patterns_of_an_address_are_limited(void **state)
{
	(void)state;
	for (uint16_t pattern = 0; pattern < PINS_PER_ADDR_MAX; pattern++)
		add(1, pattern, 600, 0);
	/* Pattern 0 is reported again, so pattern 1 gives way. */
	add(1, 0, 600, 0);
	add(1, 9, 600, 0);
	assert_int_equal(n_found(1, 0), PINS_PER_ADDR_MAX);
	assert_int_equal(found[0], 9);
	assert_int_equal(found[1], 0);
	assert_int_equal(found[2], 3);
	assert_int_equal(found[3], 2);
	assert_int_equal(pins.n_of_pattern[1], 0);
}

static void
test_addresses_of_a_pattern_are_limited(void **state)
{
	(void)state;
	add(100000, 8, 600, 0);
	for (uint32_t i = 0; i < PINS_PER_PATTERN_MAX; i++)
		add(i, 7, 600, 0);
	add(0, 7, 600, 0);
	add(PINS_PER_PATTERN_MAX, 7, 600, 0);
	assert_int_equal(pins.n_of_pattern[7], PINS_PER_PATTERN_MAX);
	assert_int_equal(n_found(0, 0), 1);
	assert_int_equal(n_found(1, 0), 0);
	assert_int_equal(n_found(2, 0), 1);
	assert_int_equal(n_found(PINS_PER_PATTERN_MAX, 0), 1);
	assert_int_equal(n_found(100000, 0), 1);
	assert_int_equal(pins.n, PINS_PER_PATTERN_MAX + 1);
}

static void
test_pins_are_limited(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PINS_MAX; i++)
		add(i, (uint16_t)(i / PINS_PER_PATTERN_MAX), 600, 0);
	for (uint32_t i = 0; i < PINS_MAX; i++)
		assert_int_equal(n_found(i, 0), 1);
	add(0, 0, 600, 0);
	add(PINS_MAX, PINS_N_PATTERNS - 1, 600, 0);
	assert_int_equal(n_found(0, 0), 1);
	assert_int_equal(n_found(1, 0), 0);
	assert_int_equal(n_found(PINS_MAX, 0), 1);
	/* An address that is full in a full table gives one place only. */
	add(2, 4000, 600, 0);
	assert_int_equal(n_found(2, 0), 1);
	assert_int_equal(found[0], 4000);
	assert_int_equal(n_found(3, 0), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pin_is_of_its_address, setup),
		cmocka_unit_test_setup(test_pins_move_to_another_policy, setup),
		cmocka_unit_test_setup(test_life_of_pins, setup),
		cmocka_unit_test_setup(test_pin_lasts_while_its_flows_are_open, setup),
		cmocka_unit_test_setup(test_pins_are_listed, setup),
		cmocka_unit_test_setup(test_patterns_of_an_address_are_limited, setup),
		cmocka_unit_test_setup(test_addresses_of_a_pattern_are_limited, setup),
		cmocka_unit_test_setup(test_pins_are_limited, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
