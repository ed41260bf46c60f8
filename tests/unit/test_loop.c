/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's loop sleeps after something has expired. Runs the real loop with the real
 * libslirp in a network namespace, and counts its waits. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/clock.h"
#include "frames.h"
#include "slirp-worker/datapath.h"
#include "slirp-worker/loop.h"
#include "worker_box.h"

/* The flow expires after this time, and the loop ends after the same time again. */
#define SOON_MS 100

/* The loop polls a few times after each wake-up, and each poll takes microseconds: a loop
 * that never sleeps exceeds this in a hundredth of the time. */
#define WAITS_MAX 1000

static struct worker_box box;
static struct worker *const worker = &box.worker;
static unsigned int n_waits;

/* The linker replaces poll(2) by this (--wrap=poll). */
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	n_waits++;
	return __real_poll(fds, n, timeout_ms);
}

static void
end_loop(void *ctx)
{
	(void)ctx;
	close(take_fd(&box.parent_fd));
}

/* Returns when the loop has ended. */
static void
run_loop(uint64_t now_ms)
{
	struct timer *timer = timers_add(&worker->timers, end_loop, NULL);

	timer_set(timer, (int64_t)now_ms + INT64_C(2) * SOON_MS);
	n_waits = 0;
	worker_loop_run(worker);
	timer_remove(timer);
	assert_in_range(n_waits, 1, WAITS_MAX);
}

static int
open_box(void **state)
{
	(void)state;
	worker_box_open(&box, true);
	return reass_init(&worker->reass);
}

static int
close_box(void **state)
{
	(void)state;
	reass_free(&worker->reass);
	worker_box_close(&box);
	return 0;
}

static void
test_rest_after_a_datagram_expired(void **state)
{
	static struct frame whole, first;
	uint64_t now_ms = clock_now_ms();

	(void)state;
	frame_udp(&whole, "fd00::64", 1000, "2001:db8::7", 9, NULL, 100);
	frame_fragment(&first, &whole, 0, 48, true, 1);
	worker->now_ms = now_ms - REASS_LIFE6_MS + SOON_MS;
	worker->gate.config.enable_ipv6 = true;
	datapath_from_guest(worker, first.bytes, first.len);
	assert_true(reass_next_deadline(&worker->reass) == now_ms + SOON_MS);
	run_loop(now_ms);
	assert_int_equal(worker->reass.n_expired, 1);
}

static int
new_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	return fd;
}

/* Of two flows, the one with a later request stays. */
static void
test_rest_after_a_ping_has_been_idle(void **state)
{
	struct ping *ping = &worker->ping;
	uint64_t now_ms = clock_now_ms();
	uint64_t idle_ms = now_ms - PING_IDLE_MS + SOON_MS;
	int fd = new_socket();

	(void)state;
	ping->flows[0] = (struct ping_flow){ .fd = new_socket(), .last_ms = idle_ms };
	ping->flows[1] = (struct ping_flow){ .fd = fd, .last_ms = now_ms };
	ping->n_flows = 2;
	run_loop(now_ms);
	assert_int_equal(ping->n_flows, 1);
	assert_int_equal(ping->flows[0].fd, fd);
}

static void
test_rest_after_a_peer_of_a_relay_has_been_silent(void **state)
{
	struct relay_udp *udp = &worker->relay.udp;
	uint64_t now_ms = clock_now_ms();
	uint64_t idle_ms = now_ms - RELAY_UDP_IDLE_MS + SOON_MS;
	int fd = new_socket();

	(void)state;
	udp->peers[0] = (struct relay_udp_peer){ .fd = new_socket(), .last_ms = idle_ms };
	udp->peers[1] = (struct relay_udp_peer){ .fd = fd, .last_ms = now_ms };
	udp->n = 2;
	run_loop(now_ms);
	assert_int_equal(udp->n, 1);
	assert_int_equal(udp->peers[0].fd, fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
		TEST(test_rest_after_a_datagram_expired),
		TEST(test_rest_after_a_ping_has_been_idle),
		TEST(test_rest_after_a_peer_of_a_relay_has_been_silent),
#undef TEST
	};

	worker_box_enter_namespace();
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
