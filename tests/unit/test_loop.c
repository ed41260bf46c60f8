/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's loop sleeps after something has expired. Runs the real loop with the real
 * libslirp in a network namespace, and counts its waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/clock.h"
#include "frames.h"
#include "ipc/fdtable.h"
#include "slirp-worker/datapath.h"
#include "slirp-worker/loop.h"
#include "slirp-worker/wire/wire.h"
#include "own_netns.h"
#include "worker_box.h"

/* The flow expires after this time, and the loop ends after the same time again. */
#define SOON_MS 100

/* The loop polls a few times after each wake-up, and each poll takes microseconds: a loop
 * that never sleeps exceeds this in a hundredth of the time. */
#define WAITS_MAX 1000

/* Apis that the worker has one after another. A turn needs one wait, because the hook that
 * replaces apis is always due: one for the request, one for the answer, one for the end. */
#define N_APIS 100
#define WAITS_PER_API_MAX 4

static struct worker_box box;
static struct worker *const worker = &box.worker;
static unsigned int n_waits;

/* The linker replaces epoll_pwait(2) by this (--wrap=epoll_pwait). */
int __real_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask);
int __wrap_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask);

/* The guest's end of the TAP, and what it does while the worker sleeps. */
static int guest_fd;
static unsigned int n_sleeps_left, n_frames_a_sleep, n_empty_reads;
static size_t frame_len;

/* The linker replaces read(2) by this. */
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

ssize_t
__wrap_read(int fd, void *buffer, size_t size)
{
	ssize_t n = __real_read(fd, buffer, size);

	if (fd == worker->tap.fd && n == -1)
		n_empty_reads++;
	return n;
}

static void
sleep_begins(void)
{
	/* The gate drops them: they have no known type. */
	static const uint8_t frame[WIRE_ETH_LEN + 1500];

	if (n_sleeps_left == 0)
		return;
	n_sleeps_left--;
	for (unsigned int i = 0; i < n_frames_a_sleep; i++)
		assert_int_equal(write(guest_fd, frame, frame_len), frame_len);
}

int
__wrap_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask)
{
	n_waits++;
	if (timeout_ms != 0)
		sleep_begins();
	return __real_epoll_pwait(fd, events, n, timeout_ms, mask);
}

/* A function that the loop calls in each turn from due_ms on: it sets another time. */
static void (*hook)(void);
static uint64_t due_ms = DEADLINE_NONE;

static uint64_t
prepare_hook(void *self, uint64_t now_ms)
{
	return deadline_earlier(stack_engine.prepare(self, now_ms), due_ms);
}

static void
finish_hook(void *self, uint64_t now_ms)
{
	stack_engine.finish(self, now_ms);
	if (now_ms >= due_ms)
		hook();
}

static void
end_loop(void)
{
	due_ms = DEADLINE_NONE;
	close(take_fd(&box.parent_fd));
}

/* Returns when the loop has ended. */
static void
run_loop(uint64_t now_ms)
{
	hook = end_loop;
	due_ms = now_ms + UINT64_C(2) * SOON_MS;
	n_waits = 0;
	worker_loop_run(worker);
	assert_in_range(n_waits, 1, WAITS_MAX);
}

static int
open_box(void **state)
{
	static const struct engine_ops hooked = {
		.prepare = prepare_hook,
		.finish = finish_hook,
	};

	(void)state;
	worker_box_open(&box, true);
	/* It has had its channel to the resolver. */
	worker->resolver.role = IPC_ROLE_RESOLVER;
	assert_ptr_equal(worker->engines.list[0].ops, &stack_engine);
	worker->engines.list[0].ops = &hooked;
	return reass_init(&worker->reass);
}

static int
close_box(void **state)
{
	(void)state;
	reass_free(&worker->reass);
	worker->engines.list[0].ops = &stack_engine;
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

static void
add_ping(uint16_t id, int fd, uint64_t last_ms)
{
	const struct flow_key key = { .guest_port = id, .ethertype = WIRE_TYPE_IP4 };
	struct ping_flow *flow = flow_table_add(&worker->ping.flows, &key);

	flow->fd = fd;
	flow->last_ms = last_ms;
	TAILQ_INSERT_TAIL(&worker->ping.aged, flow, aged);
}

/* Of two flows, the one with a later request stays. */
static void
test_rest_after_a_ping_has_been_idle(void **state)
{
	const struct ping *ping = &worker->ping;
	uint64_t now_ms = clock_now_ms();
	uint64_t idle_ms = now_ms - PING_IDLE_MS + SOON_MS;
	int fd = new_socket();

	(void)state;
	add_ping(1, new_socket(), idle_ms);
	add_ping(2, fd, now_ms);
	run_loop(now_ms);
	assert_int_equal(ping->flows.n_live, 1);
	assert_int_equal(ping_next(ping, NULL)->fd, fd);
}

/* The parent keeps a duplicate of the TAP. The socket pair has an end of file instead. */
static void
test_rest_after_the_tap_is_gone(void **state)
{
	autofd int duplicate = -1;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	duplicate = dup(fds[0]);
	assert_int_equal(tapio_init(&worker->tap, &worker->poller, fds[0], 0), 0);
	close(fds[1]);
	run_loop(clock_now_ms());
	assert_int_equal(worker->tap.fd, -1);
}

/* Each sleep of the worker ends with so many frames. Returns the reads that found none. */
static unsigned int
empty_reads(unsigned int n_sleeps, unsigned int n_frames, size_t len)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(tapio_init(&worker->tap, &worker->poller, fds[0], 0), 0);
	guest_fd = fds[1];
	n_sleeps_left = n_sleeps;
	n_frames_a_sleep = n_frames;
	frame_len = len;
	n_empty_reads = 0;
	worker->stats.counters[IPC_COUNTER_frames_from_guest] = 0;
	run_loop(clock_now_ms());
	assert_int_equal(n_sleeps_left, 0);
	assert_int_equal(worker->stats.counters[IPC_COUNTER_frames_from_guest],
	    n_sleeps * n_frames);
	tapio_close(&worker->tap);
	close(fds[1]);
	return n_empty_reads;
}

/* Before each, the loop looks about 50 times: see WAITS_MAX. */
#define N_SLEEPS 5

static void
test_short_frame_that_ends_a_sleep_is_read_alone(void **state)
{
	(void)state;
	assert_int_equal(empty_reads(N_SLEEPS, 1, 100), 0);
}

static void
test_frames_behind_a_short_one_end_the_next_wait(void **state)
{
	(void)state;
	/* Fewer if the machine is busy: then each frame ends a wait of its own. */
	assert_in_range(empty_reads(N_SLEEPS, 3, 100), 0, N_SLEEPS);
}

static void
test_long_frames_that_end_a_sleep_are_one_batch(void **state)
{
	(void)state;
	assert_int_equal(empty_reads(N_SLEEPS, 15, 1500), N_SLEEPS);
}

static void
test_full_batch_has_no_read_that_tells_its_end(void **state)
{
	(void)state;
	assert_int_equal(empty_reads(N_SLEEPS, 16, 1500), 0);
}

/* Of many apis, each of which asks once. */
static int kept_fds[N_APIS];

/* The api's end of its channel is closed, and the worker has not noticed that yet. */
static void
start_api(void)
{
	const struct ipc_query_worker query = { .request = box.n_apis + 1 };

	worker_box_open_api(&box);
	ipc_channel_await_reply(&box.api, IPC_MSG_worker_state);
	assert_int_equal(ipc_send_query_worker(&box.api, &query), 0);
}

/* Each turn calls it. Replaces an api after its answer; of two apis, the worker notices the
 * end of one before it gets the next channel. */
static void
replace_api(void)
{
	struct ipc_message msg;
	const char *why;

	assert_in_range(n_waits, 0, N_APIS * WAITS_PER_API_MAX);
	if (box.api.fd == -1) {
		if (worker->api.channel.fd == -1)
			start_api();
		return;
	}
	if (ipc_channel_recv(&box.api, &msg, &why) == IPC_OUTCOME_NONE)
		return;
	assert_int_equal(msg.id, IPC_MSG_worker_state);
	assert_int_equal(msg.payload.worker_state.request, box.n_apis);
	/* As a process that still has the old channel. */
	kept_fds[box.n_apis - 1] = dup(IPC_CHILD_FD_PEER);
	if (box.n_apis == N_APIS) {
		due_ms = DEADLINE_NONE;
		worker->ended = true;
	} else if (box.n_apis % 2) {
		ipc_channel_close(&box.api);
	} else {
		start_api();
	}
}

static void
test_each_of_a_hundred_apis_is_heard_and_none_after_its_end(void **state)
{
	(void)state;
	start_api();
	hook = replace_api;
	due_ms = 0;
	n_waits = 0;
	worker_loop_run(worker);
	assert_int_equal(box.n_apis, N_APIS);
	/* The apis have closed the other ends of all channels, which does not keep the
	 * worker awake. */
	worker->ended = false;
	ipc_channel_close(&box.api);
	run_loop(clock_now_ms());
	assert_int_equal(worker->api.channel.fd, -1);
	for (int i = 0; i < N_APIS; i++)
		close(kept_fds[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
		TEST(test_rest_after_a_datagram_expired),
		TEST(test_rest_after_a_ping_has_been_idle),
		TEST(test_rest_after_the_tap_is_gone),
		TEST(test_short_frame_that_ends_a_sleep_is_read_alone),
		TEST(test_frames_behind_a_short_one_end_the_next_wait),
		TEST(test_long_frames_that_end_a_sleep_are_one_batch),
		TEST(test_full_batch_has_no_read_that_tells_its_end),
		TEST(test_each_of_a_hundred_apis_is_heard_and_none_after_its_end),
#undef TEST
	};

	own_netns_enter();
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
