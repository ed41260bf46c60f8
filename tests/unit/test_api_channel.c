/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's channel to the api, and the worker's reports to the parent about it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"
#include "slirp-worker/api_requests.h"
#include "slirp-worker/chan_connector.h"
#include "slirp-worker/control.h"
#include "own_netns.h"
#include "worker_box.h"

/* Enough descriptors for the ranges of ports. */
#define FILES_MAX 2048

static struct worker_box box;
static struct worker *const worker = &box.worker;
static struct ipc_channel parent;

static int
open_box(void **state)
{
	(void)state;
	worker_box_open(&box, true);
	ipc_channel_open(&parent, take_fd(&box.parent_fd), IPC_ROLE_PARENT,
	    IPC_ROLE_SLIRP_WORKER);
	assert_int_equal(ipc_channel_greet(&worker->to_parent), 0);
	ipc_channel_set_running(&parent);
	worker_box_open_api(&box);
	return 0;
}

static int
close_box(void **state)
{
	(void)state;
	ipc_channel_close(&parent);
	worker_box_close(&box);
	return 0;
}

static void
expect(struct ipc_channel *channel, enum ipc_message_id id, struct ipc_message *msg)
{
	const char *why = "nothing came";

	do {
		if (ipc_channel_recv(channel, msg, &why) != IPC_OUTCOME_MESSAGE)
			fail_msg("no %s: %s", ipc_descriptions[id].name, why);
	} while (msg->id == IPC_MSG_hello);
	assert_int_equal(msg->id, id);
}

static void
expect_nothing(struct ipc_channel *channel)
{
	struct ipc_message msg;
	const char *why;

	assert_int_equal(ipc_channel_recv(channel, &msg, &why), IPC_OUTCOME_NONE);
}

/* Takes the part of a turn of the loop that serves the api. */
static void
take_turns(void)
{
	/* However long a look took. */
	worker->api_pause_ends_ms = 0;
	api_requests_receive(worker);
}

static void
ask_for_state(uint64_t request)
{
	const struct ipc_query_worker query = { .request = request };

	ipc_channel_await_reply(&box.api, IPC_MSG_worker_state);
	assert_int_equal(ipc_send_query_worker(&box.api, &query), 0);
}

static void
test_turn_is_bounded(void **state)
{
	struct ipc_message msg;
	const char *why;
	int n = 0;

	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		ask_for_state(i);
	api_requests_receive(worker);
	while (ipc_channel_recv(&box.api, &msg, &why) == IPC_OUTCOME_MESSAGE)
		n++;
	assert_int_equal(n, 16);
	api_requests_receive(worker);
	api_requests_receive(worker);
	while (ipc_channel_recv(&box.api, &msg, &why) == IPC_OUTCOME_MESSAGE)
		n++;
	assert_int_equal(n, 40);
}

static void
test_look_ends_a_turn_and_may_be_followed_by_a_pause(void **state)
{
	const struct ipc_list_connections look = { 0 };
	struct ipc_message msg;

	(void)state;
	for (int i = 0; i < 3; i++) {
		ipc_channel_await_reply(&box.api, IPC_MSG_connections_page);
		assert_int_equal(ipc_send_list_connections(&box.api, &look), 0);
	}
	for (int i = 0; i < 3; i++) {
		take_turns();
		expect(&box.api, IPC_MSG_connections_page, &msg);
		expect_nothing(&box.api);
	}
	worker->now_ms = 1000;
	worker->api_pause_ends_ms = 1001;
	assert_false(api_requests_are_heard(worker));
	worker->now_ms = 1001;
	assert_true(api_requests_are_heard(worker));
}

static void
expect_dropped(const char *why)
{
	struct ipc_message msg;
	const char *reason;
	struct stat place, null;

	expect(&parent, IPC_MSG_peer_dropped, &msg);
	if (!strstr(msg.payload.peer_dropped.why, why))
		fail_msg("expected \"%s\" in \"%s\"", why, msg.payload.peer_dropped.why);
	assert_int_equal(msg.payload.peer_dropped.number, box.n_apis);
	assert_int_equal(worker->api.channel.fd, -1);
	while (ipc_channel_recv(&box.api, &msg, &reason) == IPC_OUTCOME_MESSAGE)
		continue;
	assert_int_equal(ipc_channel_recv(&box.api, &msg, &reason), IPC_OUTCOME_CLOSED);
	/* No socket can ever get the descriptor that the filter checks. */
	assert_int_equal(fstat(IPC_CHILD_FD_PEER, &place), 0);
	assert_int_equal(fstat(STDIN_FILENO, &null), 0);
	assert_int_equal(place.st_ino, null.st_ino);
}

static void
test_violation_costs_the_channel(void **state)
{
	const struct ipc_list_connections bad = { .reserved = 1 };
	struct ipc_message msg;

	(void)state;
	assert_int_equal(ipc_send_list_connections(&box.api, &bad), 0);
	take_turns();
	expect_dropped("list_connections: reserved");
	worker_box_open_api(&box);
	ask_for_state(2);
	take_turns();
	expect(&box.api, IPC_MSG_worker_state, &msg);
}

static void
test_message_that_no_api_sends_costs_the_channel(void **state)
{
	(void)state;
	assert_int_equal(ipc_send_get_stats(&box.api), 0);
	take_turns();
	expect_dropped("get_stats: wrong direction");
}

static void
test_api_that_takes_no_answers_loses_the_channel(void **state)
{
	const struct ipc_query_worker query = { 0 };

	(void)state;
	while (worker->api.channel.fd != -1) {
		if (ipc_send_query_worker(&box.api, &query) == -1)
			assert_int_equal(errno, EAGAIN);
		for (int i = 0; i < 1000; i++)
			ipc_channel_await_reply(&box.api, IPC_MSG_worker_state);
		api_requests_receive(worker);
	}
	expect_dropped("answer: the queue is full");
}

static void
test_api_that_dies_is_no_violation(void **state)
{
	struct ipc_message msg;
	const char *why;

	(void)state;
	ask_for_state(1);
	ipc_channel_close(&box.api);
	take_turns();
	assert_int_equal(worker->api.channel.fd, -1);
	/* The greeting of the start is the only message. */
	assert_int_equal(ipc_channel_recv(&parent, &msg, &why), IPC_OUTCOME_MESSAGE);
	assert_int_equal(msg.id, IPC_MSG_hello);
	expect_nothing(&parent);
}

/* Ports of the connector: n, from this one on. */
static void
send_ports(uint8_t proto, uint32_t first_id, uint16_t first_port, uint16_t n)
{
	struct ipc_listener listener;

	ipc_sample_listener(&listener);
	listener.proto = proto;
	for (uint16_t i = 0; i < n; i++) {
		listener.id = first_id + i;
		listener.host_port = (uint16_t)(first_port + i);
		worker_box_send_port(&box, &listener);
	}
}

static void
test_state_counts_sockets(void **state)
{
	struct ipc_message msg;

	(void)state;
	send_ports(IPPROTO_TCP, 0, 8001, 10);
	send_ports(IPPROTO_UDP, 10, 8001, 3);
	worker->stats.counters[IPC_COUNTER_frames_to_guest] = 42;
	ask_for_state(9);
	take_turns();
	expect(&box.api, IPC_MSG_worker_state, &msg);
	assert_int_equal(msg.payload.worker_state.request, 9);
	assert_int_equal(msg.payload.worker_state.n_tcp_sockets, 10);
	assert_int_equal(msg.payload.worker_state.n_udp_sockets, 3);
	assert_int_equal(msg.payload.worker_state.n_icmp_sockets, 0);
	assert_int_equal(msg.payload.worker_state.stats
			     .counters[IPC_COUNTER_frames_to_guest],
	    42);
}

static void
test_list_comes_in_pages(void **state)
{
	const struct ipc_listener_gone gone = { .id = 0 };
	struct ipc_list_connections look = { .request = 4 };
	struct ipc_message msg;

	(void)state;
	send_ports(IPPROTO_UDP, 0, 8000, 40);
	/* The second page is of the same look, whatever has gone since. */
	ipc_channel_await_reply(&box.api, IPC_MSG_connections_page);
	assert_int_equal(ipc_send_list_connections(&box.api, &look), 0);
	take_turns();
	expect(&box.api, IPC_MSG_connections_page, &msg);
	assert_int_equal(msg.payload.connections_page.n, IPC_CONNECTIONS_PAGE_ENTRIES);
	look.from = msg.payload.connections_page.next;
	assert_int_equal(ipc_send_listener_gone(&box.connector, &gone), 0);
	chan_connector_receive(worker);
	assert_int_equal(worker->ports.n_udp, 39);
	ipc_channel_await_reply(&box.api, IPC_MSG_connections_page);
	assert_int_equal(ipc_send_list_connections(&box.api, &look), 0);
	take_turns();
	expect(&box.api, IPC_MSG_connections_page, &msg);
	assert_int_equal(msg.payload.connections_page.n,
	    40 - IPC_CONNECTIONS_PAGE_ENTRIES);
	assert_int_equal(msg.payload.connections_page.next, 0);
	assert_null(worker->connections.entries);
}

static void
test_channel_that_does_not_come_is_told(void **state)
{
	const struct ipc_peer sent = { .role = IPC_ROLE_API, .number = 77 };
	static int fds[FILES_MAX];
	struct ipc_message msg;
	size_t n_fds = 0;

	(void)state;
	assert_int_equal(ipc_channel_greet(&parent), 0);
	ipc_channel_set_running(&worker->to_parent);
	fdio_reserve_release(&worker->to_parent.reserve_fd);
	assert_int_equal(ipc_send_peer(&parent, &sent, STDIN_FILENO), 0);
	while ((fds[n_fds] = dup(STDIN_FILENO)) != -1)
		n_fds++;
	worker_control_receive(worker);
	expect(&parent, IPC_MSG_peer_missed, &msg);
	assert_int_equal(msg.payload.peer_missed.role, IPC_ROLE_API);
	assert_int_equal(msg.payload.peer_missed.number, 77);
	while (n_fds > 0)
		close(fds[--n_fds]);
}

static size_t n_lines;

static void
count_line(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
	n_lines++;
}

static void
test_complaints_of_libslirp_are_bounded_and_counted(void **state)
{
	(void)state;
	n_lines = 0;
	log_set_emit(count_line);
	for (int i = 0; i < 1000; i++)
		g_log("Slirp", G_LOG_LEVEL_WARNING, "the guest did it again");
	assert_int_equal(n_lines, 8);
	assert_int_equal(worker->stats.counters[IPC_COUNTER_stack_errors], 1000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
	const struct rlimit files = { .rlim_cur = FILES_MAX, .rlim_max = FILES_MAX };
	const struct CMUnitTest tests[] = {
		TEST(test_turn_is_bounded),
		TEST(test_look_ends_a_turn_and_may_be_followed_by_a_pause),
		TEST(test_violation_costs_the_channel),
		TEST(test_message_that_no_api_sends_costs_the_channel),
		TEST(test_api_that_takes_no_answers_loses_the_channel),
		TEST(test_api_that_dies_is_no_violation),
		TEST(test_state_counts_sockets),
		TEST(test_list_comes_in_pages),
		TEST(test_channel_that_does_not_come_is_told),
		TEST(test_complaints_of_libslirp_are_bounded_and_counted),
	};

	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return 1;
	own_netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
