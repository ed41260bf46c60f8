/* SPDX-License-Identifier: BSD-2-Clause */
/* The division of descriptors, for all limits that a user may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/budget.h"
#include "own_netns.h"
#include "worker_box.h"

/* The worker's maximum (budget.h). */
#define FDS_MAX 65536

/* slirpd does not start with fewer. */
#define FDS_MIN 16

#define EPHEMERAL_USUAL 28232

static struct budget budget;

static void
test_all_kinds_together_never_take_more_than_there_is(void **state)
{
	(void)state;
	for (size_t n = FDS_MIN; n <= FDS_MAX; n += 1 + n / 256) {
		size_t own = n < 2 * BUDGET_OWN ? n / 2 : BUDGET_OWN;
		uint32_t sum = 0;

		budget_init(&budget, n, EPHEMERAL_USUAL);
		for (int kind = BUDGET_UDP; kind < BUDGET_N_KINDS; kind++) {
			assert_in_range(budget.limit[kind], 1, n);
			sum += budget.limit[kind];
		}
		while (budget_has_room(&budget, BUDGET_TCP, 1))
			budget_take(&budget, BUDGET_TCP, 1);
		while (budget_has_room(&budget, BUDGET_PORT, 1))
			budget_take(&budget, BUDGET_PORT, 1);
		sum += budget.used[BUDGET_TCP] + budget.used[BUDGET_PORT];
		assert_true(sum + own <= n);
		/* Connections get most descriptors. */
		assert_true(budget.used[BUDGET_TCP] >= (n - own) / 2);
	}
}

static void
test_busy_guest_leaves_room_for_forwards_and_they_for_it(void **state)
{
	(void)state;
	for (int first = BUDGET_TCP; first <= BUDGET_PORT; first++) {
		enum budget_kind second = first == BUDGET_TCP ? BUDGET_PORT : BUDGET_TCP;

		budget_init(&budget, 1024, EPHEMERAL_USUAL);
		while (budget_has_room(&budget, (enum budget_kind)first, 1))
			budget_take(&budget, (enum budget_kind)first, 1);
		assert_true(budget_has_room(&budget, second, budget.n_shared / 8));
		assert_false(budget_has_room(&budget, second, budget.n_shared / 8 + 2));
		/* Each descriptor that is given back can be taken again. */
		budget_give(&budget, (enum budget_kind)first, 1);
		assert_true(budget_has_room(&budget, (enum budget_kind)first, 1));
		assert_false(budget_has_room(&budget, (enum budget_kind)first, 2));
	}
}

static void
test_udp_leaves_three_quarters_of_the_ephemeral_ports(void **state)
{
	static const uint32_t ranges[] = { 12, 100, 1000, 16384, EPHEMERAL_USUAL, 64512 };

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		budget_init(&budget, FDS_MAX, ranges[i]);
		assert_true(budget.limit[BUDGET_UDP] + budget.limit[BUDGET_PEER] <=
		    ranges[i] / 4);
	}
	assert_int_equal(budget.limit[BUDGET_UDP], BUDGET_UDP_MAX);
}

static void
test_ephemeral_range_is_the_kernels(void **state)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r+");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fprintf(file, "40000 40123\n"), 12);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(budget_read_ephemeral(), 124);
	assert_int_equal(fclose(file), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_kinds_together_never_take_more_than_there_is),
		cmocka_unit_test(
		    test_busy_guest_leaves_room_for_forwards_and_they_for_it),
		cmocka_unit_test(test_udp_leaves_three_quarters_of_the_ephemeral_ports),
		cmocka_unit_test(test_ephemeral_range_is_the_kernels),
	};

	own_netns_enter();
	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
