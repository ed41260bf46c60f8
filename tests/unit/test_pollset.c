/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of one wait, and polls of the busy descriptors alone. */
#include "slirp-worker/budget.h"
#include "slirp-worker/pollset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Large enough for polls of the busy ones alone. */
#define N_PAIRS 64

static struct pollset set;
static int ends[N_PAIRS][2];

static int
begin(void **state)
{
	(void)state;
	assert_int_equal(pollset_init(&set, budget_raise_files()), 0);
	for (int i = 0; i < N_PAIRS; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends[i]), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	pollset_free(&set);
	for (int i = 0; i < N_PAIRS; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	return 0;
}

static void
make_ready(int i)
{
	assert_int_equal(write(ends[i][1], "x", 1), 1);
}

static void
make_idle(int i)
{
	char byte;

	assert_int_equal(read(ends[i][0], &byte, 1), 1);
}

/* Waits for the first n pairs, for a moment at most. Returns how many are ready. */
static int
wait_for(int n, int timeout_ms)
{
	int n_ready, n_marked = 0;

	pollset_clear(&set);
	for (int i = 0; i < n; i++)
		assert_int_equal(pollset_add(&set, ends[i][0], POLLIN), i);
	n_ready = pollset_wait(&set, timeout_ms);
	for (int i = 0; i < n; i++) {
		assert_int_equal(set.fds[i].fd, ends[i][0]);
		assert_true(set.fds[i].revents == 0 || set.fds[i].revents == POLLIN);
		n_marked += set.fds[i].revents != 0;
	}
	assert_int_equal(n_ready, n_marked);
	return n_ready;
}

static void
test_places(void **state)
{
	(void)state;
	pollset_clear(&set);
	assert_int_equal(pollset_add(&set, -1, POLLIN), 0);
	assert_int_equal(pollset_add(&set, ends[0][0], POLLIN), 1);
	make_ready(0);
	assert_int_equal(pollset_wait(&set, 0), 1);
	assert_int_equal(set.fds[0].revents, 0);
	assert_int_equal(set.fds[1].revents, POLLIN);
}

static void
test_full(void **state)
{
	(void)state;
	pollset_clear(&set);
	for (size_t i = 0; i < set.size; i++)
		assert_int_equal(pollset_add(&set, -1, 0), (int)i);
	assert_int_equal(pollset_add(&set, -1, 0), -1);
}

static void
test_small_set_is_looked_at_whole(void **state)
{
	(void)state;
	make_ready(0);
	assert_int_equal(wait_for(5, 0), 1);
	make_ready(4);
	assert_int_equal(wait_for(5, 0), 2);
	make_idle(0);
	make_idle(4);
	assert_int_equal(wait_for(5, 0), 0);
}

static void
test_the_idle_are_looked_at_in_time(void **state)
{
	int n_waits = 0;

	(void)state;
	make_ready(1);
	make_ready(60);
	assert_int_equal(wait_for(N_PAIRS, 0), 2);
	/* Both are busy now; an idle descriptor has to wait, but not for long. */
	make_ready(30);
	while (wait_for(N_PAIRS, 0) != 3) {
		assert_int_equal(set.fds[1].revents, POLLIN);
		assert_int_equal(set.fds[60].revents, POLLIN);
		assert_true(++n_waits < 8);
	}
	/* At least one wait polls the busy ones alone. */
	assert_true(n_waits > 0);
}

static void
test_nobody_waits_when_the_busy_are_idle(void **state)
{
	(void)state;
	make_ready(1);
	assert_int_equal(wait_for(N_PAIRS, 0), 1);
	make_idle(1);
	make_ready(30);
	/* No timeout: the wait must not need it. */
	assert_int_equal(wait_for(N_PAIRS, -1), 1);
	assert_int_equal(set.fds[30].revents, POLLIN);
	make_idle(30);
	assert_int_equal(wait_for(N_PAIRS, 0), 0);
	assert_int_equal(wait_for(N_PAIRS, 0), 0);
}

static void
test_busy_ones_that_are_gone(void **state)
{
	(void)state;
	make_ready(1);
	make_ready(60);
	assert_int_equal(wait_for(N_PAIRS, 0), 2);
	/* The next set has only the first of them, at the same index, and the set after
	 * it none. */
	assert_int_equal(wait_for(40, 0), 1);
	assert_int_equal(set.fds[1].revents, POLLIN);
	make_idle(1);
	assert_int_equal(wait_for(40, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, begin, end),
		cmocka_unit_test_setup_teardown(test_full, begin, end),
		cmocka_unit_test_setup_teardown(test_small_set_is_looked_at_whole, begin,
		    end),
		cmocka_unit_test_setup_teardown(test_the_idle_are_looked_at_in_time,
		    begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_waits_when_the_busy_are_idle,
		    begin, end),
		cmocka_unit_test_setup_teardown(test_busy_ones_that_are_gone, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
