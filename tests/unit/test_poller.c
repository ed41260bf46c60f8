/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's waits with epoll, on real descriptors. */
#include "slirp-worker/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* More than the events of one wait. */
#define N_PAIRS 100

#define GENERATION_MAX ((1U << POLLER_GENERATION_BITS) - 1)

/* Between two signals, of which one has to come during a wait. */
#define SIGNAL_INTERVAL_US 1000

static struct poller poller;
static int ends[N_PAIRS][2];

static int epoll_error; /* errno of the next epoll_pwait(2); 0: it succeeds */

/* The linker replaces epoll_pwait(2) by this (--wrap=epoll_pwait). */
int __real_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask);
int __wrap_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask);

int
__wrap_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask)
{
	if (epoll_error) {
		errno = epoll_error;
		epoll_error = 0;
		return -1;
	}
	return __real_epoll_pwait(fd, events, n, timeout_ms, mask);
}

static int
begin(void **state)
{
	(void)state;
	assert_int_equal(poller_init(&poller), 0);
	for (int i = 0; i < N_PAIRS; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
				     ends[i]),
		    0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	for (int i = 0; i < N_PAIRS; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	poller_free(&poller);
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

/* A wait as the worker's. */
static int
wait_for(int timeout_ms)
{
	int n = poller_look(&poller, timeout_ms);

	return n == 0 && timeout_ms != 0 ? poller_sleep(&poller, timeout_ms) : n;
}

/* Returns whether something is ready. */
static bool
wait_for_any(int timeout_ms)
{
	int n = wait_for(timeout_ms);

	assert_int_not_equal(n, -1);
	return n > 0;
}

static void
test_place_tells_its_own_events(void **state)
{
	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_PARENT, ends[0][0]), 0);
	assert_int_equal(poller_put(&poller, POLLER_API, ends[1][0]), 0);
	assert_false(wait_for_any(0));
	make_ready(1);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), 0);
	assert_int_equal(poller_ready(&poller, POLLER_API), EPOLLIN);
	assert_int_equal(poller.n_events, 0);
	make_idle(1);
	make_ready(0);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), EPOLLIN);
	assert_int_equal(poller_ready(&poller, POLLER_API), 0);
}

static void
test_place_waits_for_what_is_expected(void **state)
{
	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_PARENT, ends[0][0]), 0);
	poller_expect(&poller, POLLER_PARENT, EPOLLIN | EPOLLOUT);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), EPOLLOUT);
	make_ready(0);
	poller_expect(&poller, POLLER_PARENT, EPOLLIN);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), EPOLLIN);
	poller_expect(&poller, POLLER_PARENT, 0);
	assert_false(wait_for_any(0));
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), 0);
	/* What came meanwhile is not lost. */
	poller_expect(&poller, POLLER_PARENT, EPOLLIN);
	assert_true(wait_for_any(-1));
}

static void
test_hang_up_that_nobody_expects_ends_one_wait(void **state)
{
	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_API, ends[0][0]), 0);
	poller_expect(&poller, POLLER_API, 0);
	close(ends[0][1]);
	wait_for_any(0);
	assert_false(wait_for_any(0));
	assert_false(wait_for_any(0));
	poller_expect(&poller, POLLER_API, EPOLLIN);
	assert_true(wait_for_any(-1));
	assert_true(poller_ready(&poller, POLLER_API) & EPOLLHUP);
	assert_true(wait_for_any(-1));
	ends[0][1] = dup(ends[0][0]);
}

/* As the channel to each next api, on the descriptor of the last one, whose file another
 * process may keep open. */
static void
test_place_follows_a_hundred_replacements(void **state)
{
	int fd = dup(ends[0][0]);

	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_API, fd), 0);
	for (int i = 1; i < N_PAIRS; i++) {
		assert_int_equal(poller_put(&poller, POLLER_API, -1), 0);
		assert_int_equal(dup3(ends[i][0], fd, O_CLOEXEC), fd);
		assert_int_equal(poller_put(&poller, POLLER_API, fd), 0);
		make_ready(i - 1);
		assert_false(wait_for_any(0));
		make_ready(i);
		assert_true(wait_for_any(-1));
		assert_int_equal(poller_ready(&poller, POLLER_API), EPOLLIN);
		make_idle(i);
	}
	close(fd);
}

/* The parent has a duplicate of the TAP. */
static void
test_closed_tap_with_a_duplicate_is_not_reported(void **state)
{
	int fd = dup(ends[0][0]);

	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_TAP, fd), 0);
	make_ready(0);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller_put(&poller, POLLER_TAP, -1), 0);
	close(fd);
	assert_int_equal(poller_ready(&poller, POLLER_TAP), 0);
	assert_false(wait_for_any(0));
}

static void
test_place_that_cannot_be_watched_is_empty(void **state)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	/* epoll refuses files that are always ready. */
	assert_int_equal(poller_put(&poller, POLLER_API, fd), -1);
	assert_int_equal(errno, EPERM);
	close(fd);
	poller_expect(&poller, POLLER_API, EPOLLIN);
	assert_false(wait_for_any(0));
	assert_int_equal(poller_put(&poller, POLLER_API, ends[0][0]), 0);
	make_ready(0);
	assert_true(wait_for_any(-1));
}

/* EPOLLERR, which a TAP reports after its device is removed. */
static void
test_error_of_the_tap_is_told(void **state)
{
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	close(pipe_fds[0]);
	assert_int_equal(poller_put(&poller, POLLER_TAP, pipe_fds[1]), 0);
	assert_true(wait_for_any(-1));
	assert_true(poller_ready(&poller, POLLER_TAP) & EPOLLERR);
	close(pipe_fds[1]);
}

static void
test_event_has_the_handle_of_its_descriptor(void **state)
{
	static const struct poller_event expected[] = {
		{ POLLER_FLOW, 0, 0, EPOLLIN | EPOLLOUT },
		{ POLLER_FLOW, UINT32_MAX, 1, EPOLLIN | EPOLLOUT },
		{ POLLER_FLOW, 1, GENERATION_MAX, EPOLLIN | EPOLLOUT },
		{ POLLER_FLOW, UINT32_MAX, GENERATION_MAX, EPOLLIN | EPOLLOUT },
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct poller_event *event = &expected[i];

		assert_int_equal(poller_add(&poller, ends[i][0], event->kind,
				     event->index, event->generation),
		    0);
		make_ready(i);
		assert_true(wait_for_any(-1));
		assert_int_equal(poller.n_events, 1);
		assert_int_equal(poller.events[0].kind, event->kind);
		assert_int_equal(poller.events[0].index, event->index);
		assert_int_equal(poller.events[0].generation, event->generation);
		assert_int_equal(poller.events[0].events, event->events);
		assert_false(wait_for_any(0));
	}
}

static void
test_edge_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(poller_add(&poller, ends[0][0], POLLER_FLOW, 0, 1), 0);
	/* It is writable at once. */
	assert_true(wait_for_any(-1));
	assert_int_equal(poller.events[0].events, EPOLLOUT);
	assert_false(wait_for_any(0));
	make_ready(0);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller.events[0].events, EPOLLIN | EPOLLOUT);
	assert_false(wait_for_any(0));
	assert_int_equal(shutdown(ends[0][1], SHUT_WR), 0);
	assert_true(wait_for_any(-1));
	assert_true(poller.events[0].events & EPOLLRDHUP);
	assert_false(wait_for_any(0));
}

/* The first event of a wait makes the engine close the second flow and use its index and
 * its descriptor for a new one. */
static void
test_event_of_a_closed_flow_has_the_old_generation(void **state)
{
	const int fd = ends[1][0];

	(void)state;
	assert_int_equal(poller_add(&poller, ends[0][0], POLLER_FLOW, 0, 7), 0);
	assert_int_equal(poller_add(&poller, fd, POLLER_FLOW, 1, 7), 0);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller.n_events, 2);
	assert_int_equal(dup3(ends[2][0], fd, O_CLOEXEC), fd);
	assert_int_equal(poller_add(&poller, fd, POLLER_FLOW, 1, 8), 0);
	assert_int_equal(poller.events[1].index, 1);
	assert_int_equal(poller.events[1].generation, 7);
	assert_true(wait_for_any(-1));
	assert_int_equal(poller.n_events, 1);
	assert_int_equal(poller.events[0].index, 1);
	assert_int_equal(poller.events[0].generation, 8);
}

/* More than the events of one wait: no flow is told twice, none is forgotten. */
static void
test_the_rest_of_many_comes_with_the_next_wait(void **state)
{
	unsigned int n_told[N_PAIRS] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < N_PAIRS; i++)
		assert_int_equal(poller_add(&poller, ends[i][0], POLLER_FLOW, i, 1), 0);
	for (size_t left = N_PAIRS; left > 0; left -= poller.n_events) {
		assert_true(wait_for_any(-1));
		assert_in_range(poller.n_events, 1, POLLER_EVENTS_MAX);
		for (size_t i = 0; i < poller.n_events; i++)
			n_told[poller.events[i].index]++;
	}
	for (int i = 0; i < N_PAIRS; i++)
		assert_int_equal(n_told[i], 1);
}

static void
ignore(int number)
{
	(void)number;
}

static void
expect_no_event(void)
{
	assert_int_equal(poller.n_events, 0);
	for (size_t kind = 0; kind < POLLER_N_PLACES; kind++)
		assert_int_equal(poller_ready(&poller, kind), 0);
}

static void
test_signal_ends_a_wait(void **state)
{
	const struct sigaction action = { .sa_handler = ignore };
	const struct itimerval often = {
		.it_interval.tv_usec = SIGNAL_INTERVAL_US,
		.it_value.tv_usec = SIGNAL_INTERVAL_US,
	};
	const struct itimerval never = { 0 };

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(wait_for(-1), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	expect_no_event();
}

static void
test_failed_wait_has_no_event(void **state)
{
	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_TAP, ends[0][0]), 0);
	assert_int_equal(poller_put(&poller, POLLER_PARENT, ends[1][0]), 0);
	make_ready(0);
	make_ready(1);
	/* Also after a wait with events. */
	assert_true(wait_for_any(0));
	epoll_error = EINTR;
	assert_int_equal(wait_for(-1), -1);
	assert_int_equal(errno, EINTR);
	expect_no_event();
	/* The events come with the next wait that succeeds. */
	assert_true(wait_for_any(0));
	assert_int_equal(poller_ready(&poller, POLLER_TAP), EPOLLIN);
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), EPOLLIN);
}

static void
test_how_long_it_looks_before_it_sleeps(void **state)
{
	(void)state;
	/* The time that would have been enough. */
	assert_int_equal(poller_next_spin(0, 20000), 20000);
	assert_int_equal(poller_next_spin(20000, POLLER_SPIN_MAX_NS), POLLER_SPIN_MAX_NS);
	/* Enough already. */
	assert_int_equal(poller_next_spin(20000, 300), 20000);
	/* Too long: an idle worker sleeps. */
	assert_int_equal(poller_next_spin(POLLER_SPIN_MAX_NS, POLLER_SPIN_MAX_NS + 1), 0);
	assert_int_equal(poller_next_spin(0, INT64_MAX), 0);
}

static void
test_a_long_wait_ends_the_looking(void **state)
{
	(void)state;
	poller.spin_ns = POLLER_SPIN_MAX_NS;
	assert_false(wait_for_any(1));
	assert_int_equal(poller.spin_ns, 0);
	assert_false(poller.found_at_once);
}

static void
test_looking_finds_what_is_ready(void **state)
{
	(void)state;
	assert_int_equal(poller_put(&poller, POLLER_PARENT, ends[0][0]), 0);
	make_ready(0);
	poller.spin_ns = POLLER_SPIN_MAX_NS;
	assert_true(wait_for_any(-1));
	assert_int_equal(poller_ready(&poller, POLLER_PARENT), EPOLLIN);
	assert_true(poller.found_at_once);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(test_place_tells_its_own_events),
		TEST(test_place_waits_for_what_is_expected),
		TEST(test_hang_up_that_nobody_expects_ends_one_wait),
		TEST(test_place_follows_a_hundred_replacements),
		TEST(test_closed_tap_with_a_duplicate_is_not_reported),
		TEST(test_place_that_cannot_be_watched_is_empty),
		TEST(test_error_of_the_tap_is_told),
		TEST(test_event_has_the_handle_of_its_descriptor),
		TEST(test_edge_is_told_once),
		TEST(test_event_of_a_closed_flow_has_the_old_generation),
		TEST(test_the_rest_of_many_comes_with_the_next_wait),
		TEST(test_signal_ends_a_wait),
		TEST(test_failed_wait_has_no_event),
		TEST(test_how_long_it_looks_before_it_sleeps),
		TEST(test_a_long_wait_ends_the_looking),
		TEST(test_looking_finds_what_is_ready),
#undef TEST
	};

	return cmocka_run_group_tests_name("poller", tests, NULL, NULL);
}
