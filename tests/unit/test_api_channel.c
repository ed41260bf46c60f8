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
#include "slirp-worker/control.h"
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

/* Runs turns of the loop, without its wait, until nothing is left to do. */
static void
take_turns(void)
{
	/* However long a look took. */
	worker->api_pause_ends_ms = 0;
	api_requests_receive(worker);
	while (requests_want_a_turn(&worker->requests))
		requests_proceed(worker);
}

static struct ipc_add_forward
make_add(uint64_t request, uint16_t first, uint16_t last)
{
	return (struct ipc_add_forward){
		.request = request,
		.forward = { .proto = IPPROTO_TCP,
		    .host_addr.bytes = { 127, 0, 0, 1 },
		    .host_port_first = first,
		    .host_port_last = last,
		    .guest_port_first = first },
	};
}

static void
ask_to_add(uint64_t request, uint16_t first, uint16_t last)
{
	struct ipc_add_forward add = make_add(request, first, last);

	ipc_channel_await_reply(&box.api, IPC_MSG_forward_added);
	assert_int_equal(ipc_send_add_forward(&box.api, &add), 0);
}

static void
ask_to_remove(uint64_t request, uint32_t id)
{
	const struct ipc_remove_forward remove = { .request = request, .id = id };

	ipc_channel_await_reply(&box.api, IPC_MSG_forward_removed);
	assert_int_equal(ipc_send_remove_forward(&box.api, &remove), 0);
}

static void
test_change_is_told_to_the_parent_and_answered(void **state)
{
	struct ipc_message msg;

	(void)state;
	ask_to_add(77, 8001, 8003);
	take_turns();
	expect(&box.api, IPC_MSG_forward_added, &msg);
	assert_int_equal(msg.payload.forward_added.request, 77);
	assert_int_equal(msg.payload.forward_added.result.outcome, IPC_FORWARD_done);
	assert_int_equal(msg.payload.forward_added.result.id, 1);
	assert_int_equal(msg.payload.forward_added.forward.host_port_last, 8003);
	assert_int_equal(msg.payload.forward_added.forward.guest_addr.bytes[3], 100);
	expect(&parent, IPC_MSG_table_added, &msg);
	assert_int_equal(msg.payload.table_added.entry.id, 1);
	assert_int_equal(msg.payload.table_added.entry.forward.host_port_first, 8001);

	/* A failed change is not reported. */
	ask_to_add(78, 8003, 8003);
	take_turns();
	expect(&box.api, IPC_MSG_forward_added, &msg);
	assert_int_equal(msg.payload.forward_added.result.outcome,
	    IPC_FORWARD_in_use_by_forward);
	ask_to_remove(79, 5);
	take_turns();
	expect(&box.api, IPC_MSG_forward_removed, &msg);
	assert_int_equal(msg.payload.forward_removed.outcome,
	    IPC_FORWARD_no_such_forward);
	expect_nothing(&parent);

	ask_to_remove(80, 1);
	take_turns();
	expect(&box.api, IPC_MSG_forward_removed, &msg);
	assert_int_equal(msg.payload.forward_removed.request, 80);
	assert_int_equal(msg.payload.forward_removed.outcome, IPC_FORWARD_done);
	assert_int_equal(msg.payload.forward_removed.forward.host_port_last, 8003);
	expect(&parent, IPC_MSG_table_removed, &msg);
	assert_int_equal(msg.payload.table_removed.id, 1);
}

static void
test_publish_waits_for_the_apis_change(void **state)
{
	struct ipc_add_forward other = make_add(0, 9000, 9000);
	struct ipc_message msg;

	(void)state;
	/* Long enough for more than one slice. */
	ask_to_add(1, 8001, 8900);
	api_requests_receive(worker);
	assert_true(requests_are_busy(&worker->requests));
	assert_false(api_requests_are_heard(worker));
	ipc_channel_await_reply(&parent, IPC_MSG_published);
	requests_publish(worker, &other.forward);
	take_turns();
	expect(&parent, IPC_MSG_table_added, &msg);
	assert_int_equal(msg.payload.table_added.entry.forward.host_port_last, 8900);
	expect(&parent, IPC_MSG_table_added, &msg);
	assert_int_equal(msg.payload.table_added.entry.forward.host_port_last, 9000);
	expect(&parent, IPC_MSG_published, &msg);
	assert_int_equal(msg.payload.published.result.outcome, IPC_FORWARD_done);
	assert_int_equal(msg.payload.published.result.id, 2);
	expect(&box.api, IPC_MSG_forward_added, &msg);
}

/* The parent's copy gets every change, however slow the parent is. */
static void
test_full_queue_to_the_parent_holds_the_change_up(void **state)
{
	const struct ipc_log line = { .level = 1, .text = "a line" };
	struct ipc_message msg;
	const char *why;

	(void)state;
	while (ipc_send_log(&worker->to_parent, &line) == 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	ask_to_add(1, 8001, 8001);
	take_turns();
	assert_true(requests_are_busy(&worker->requests));
	assert_true(worker->requests.waits_for_parent);
	assert_false(api_requests_are_heard(worker));
	expect_nothing(&box.api);
	requests_proceed(worker);
	expect_nothing(&box.api);

	do
		assert_int_equal(ipc_channel_recv(&parent, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
	while (ipc_send_log(&worker->to_parent, &line) == -1);
	for (int i = 0; i < 4; i++)
		expect(&parent, IPC_MSG_log, &msg);
	requests_proceed(worker);
	assert_false(requests_are_busy(&worker->requests));
	expect(&box.api, IPC_MSG_forward_added, &msg);
	do
		assert_int_equal(ipc_channel_recv(&parent, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
	while (msg.id == IPC_MSG_log);
	assert_int_equal(msg.id, IPC_MSG_table_added);
	expect_nothing(&parent);
}

static void
test_turn_is_bounded(void **state)
{
	const struct ipc_list_forwards list = { 0 };
	struct ipc_message msg;
	const char *why;
	int n = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		ipc_channel_await_reply(&box.api, IPC_MSG_forwards_page);
		assert_int_equal(ipc_send_list_forwards(&box.api, &list), 0);
	}
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

	expect(&parent, IPC_MSG_api_dropped, &msg);
	if (!strstr(msg.payload.api_dropped.why, why))
		fail_msg("expected \"%s\" in \"%s\"", why, msg.payload.api_dropped.why);
	assert_int_equal(msg.payload.api_dropped.api_number, box.n_apis);
	assert_int_equal(worker->to_api.fd, -1);
	while (ipc_channel_recv(&box.api, &msg, &reason) == IPC_OUTCOME_MESSAGE)
		continue;
	assert_int_equal(ipc_channel_recv(&box.api, &msg, &reason), IPC_OUTCOME_CLOSED);
	/* libslirp's sockets can never get the descriptor that the filter checks. */
	assert_int_equal(fstat(IPC_CHILD_FD_PEER, &place), 0);
	assert_int_equal(fstat(STDIN_FILENO, &null), 0);
	assert_int_equal(place.st_ino, null.st_ino);
}

static void
test_violation_costs_the_channel(void **state)
{
	struct ipc_add_forward bad = make_add(1, 8001, 8001);
	struct ipc_message msg;

	(void)state;
	ask_to_add(1, 8001, 8001);
	take_turns();
	expect(&box.api, IPC_MSG_forward_added, &msg);
	expect(&parent, IPC_MSG_table_added, &msg);
	bad.forward.proto = 0;
	assert_int_equal(ipc_send_add_forward(&box.api, &bad), 0);
	take_turns();
	expect_dropped("add_forward: proto");

	/* The next api finds everything unchanged. */
	worker_box_open_api(&box);
	ask_to_remove(2, 1);
	take_turns();
	expect(&box.api, IPC_MSG_forward_removed, &msg);
	assert_int_equal(msg.payload.forward_removed.outcome, IPC_FORWARD_done);
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
	const struct ipc_list_forwards list = { 0 };

	(void)state;
	while (worker->to_api.fd != -1) {
		if (ipc_send_list_forwards(&box.api, &list) == -1)
			assert_int_equal(errno, EAGAIN);
		for (int i = 0; i < 1000; i++)
			ipc_channel_await_reply(&box.api, IPC_MSG_forwards_page);
		api_requests_receive(worker);
	}
	expect_dropped("answer: the queue is full");
}

static void
test_api_that_dies_is_no_violation(void **state)
{
	(void)state;
	ask_to_add(1, 8001, 8001);
	ipc_channel_close(&box.api);
	take_turns();
	assert_int_equal(worker->to_api.fd, -1);
	/* The change that it had requested was made. */
	assert_int_equal(worker->forwards.table->n, 1);
}

/* A late answer must not go to the next api. */
static void
test_new_api_gets_no_answer_of_the_old(void **state)
{
	struct ipc_message msg;
	const char *why;

	(void)state;
	ask_to_add(1, 8001, 8900);
	api_requests_receive(worker);
	assert_true(requests_are_busy(&worker->requests));
	worker_box_open_api(&box);
	take_turns();
	assert_int_equal(worker->forwards.table->n, 1);
	assert_int_equal(ipc_channel_recv(&box.api, &msg, &why), IPC_OUTCOME_NONE);
	expect(&parent, IPC_MSG_table_added, &msg);
}

static void
test_state_counts_sockets(void **state)
{
	const struct ipc_query_worker query = { .request = 9 };
	struct ipc_add_forward udp = make_add(2, 8001, 8003);
	struct ipc_message msg;

	(void)state;
	ask_to_add(1, 8001, 8010);
	take_turns();
	expect(&box.api, IPC_MSG_forward_added, &msg);
	udp.forward.proto = IPPROTO_UDP;
	ipc_channel_await_reply(&box.api, IPC_MSG_forward_added);
	assert_int_equal(ipc_send_add_forward(&box.api, &udp), 0);
	take_turns();
	expect(&box.api, IPC_MSG_forward_added, &msg);
	worker->stats.counters[IPC_COUNTER_frames_to_guest] = 42;
	ipc_channel_await_reply(&box.api, IPC_MSG_worker_state);
	assert_int_equal(ipc_send_query_worker(&box.api, &query), 0);
	take_turns();
	expect(&box.api, IPC_MSG_worker_state, &msg);
	assert_int_equal(msg.payload.worker_state.request, 9);
	assert_int_equal(msg.payload.worker_state.n_tcp_sockets, 10);
	assert_int_equal(msg.payload.worker_state.n_udp_sockets, 3);
	assert_int_equal(msg.payload.worker_state.n_icmp_sockets, 0);
	assert_int_equal(msg.payload.worker_state.n_forwards, 2);
	assert_int_equal(msg.payload.worker_state.stats
			     .counters[IPC_COUNTER_frames_to_guest],
	    42);
}

static void
test_lists_come_in_pages(void **state)
{
	struct ipc_list_forwards list = { .request = 3 };
	struct ipc_list_connections look = { .request = 4 };
	struct ipc_message msg;

	(void)state;
	for (uint16_t i = 0; i < 40; i++) {
		ask_to_add(i, (uint16_t)(8000 + i), (uint16_t)(8000 + i));
		take_turns();
		expect(&box.api, IPC_MSG_forward_added, &msg);
	}
	ipc_channel_await_reply(&box.api, IPC_MSG_forwards_page);
	assert_int_equal(ipc_send_list_forwards(&box.api, &list), 0);
	take_turns();
	expect(&box.api, IPC_MSG_forwards_page, &msg);
	assert_int_equal(msg.payload.forwards_page.n, IPC_PAGE_ENTRIES);
	assert_int_equal(msg.payload.forwards_page.has_more, 1);
	list.after_id = msg.payload.forwards_page.entries[IPC_PAGE_ENTRIES - 1].id;
	ipc_channel_await_reply(&box.api, IPC_MSG_forwards_page);
	assert_int_equal(ipc_send_list_forwards(&box.api, &list), 0);
	take_turns();
	expect(&box.api, IPC_MSG_forwards_page, &msg);
	assert_int_equal(msg.payload.forwards_page.n, 40 - IPC_PAGE_ENTRIES);
	assert_int_equal(msg.payload.forwards_page.has_more, 0);

	/* The second page is of the same look, whatever has gone since. */
	ipc_channel_await_reply(&box.api, IPC_MSG_connections_page);
	assert_int_equal(ipc_send_list_connections(&box.api, &look), 0);
	take_turns();
	expect(&box.api, IPC_MSG_connections_page, &msg);
	assert_int_equal(msg.payload.connections_page.n, IPC_CONNECTIONS_PAGE_ENTRIES);
	look.from = msg.payload.connections_page.next;
	ask_to_remove(1, 1);
	take_turns();
	expect(&box.api, IPC_MSG_forward_removed, &msg);
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
	const struct ipc_api_channel sent = { .api_number = 77 };
	static int fds[FILES_MAX];
	struct ipc_message msg;
	size_t n_fds = 0;

	(void)state;
	assert_int_equal(ipc_channel_greet(&parent), 0);
	ipc_channel_set_running(&worker->to_parent);
	fdio_reserve_release(&worker->to_parent.reserve_fd);
	assert_int_equal(ipc_send_api_channel(&parent, &sent, STDIN_FILENO), 0);
	while ((fds[n_fds] = dup(STDIN_FILENO)) != -1)
		n_fds++;
	worker_control_receive(worker);
	expect(&parent, IPC_MSG_api_dropped, &msg);
	assert_int_equal(msg.payload.api_dropped.api_number, 77);
	assert_string_equal(msg.payload.api_dropped.why,
	    "api_channel: no descriptor is left for it");
	assert_int_equal(worker->to_api.fd, -1);
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
		TEST(test_change_is_told_to_the_parent_and_answered),
		TEST(test_publish_waits_for_the_apis_change),
		TEST(test_full_queue_to_the_parent_holds_the_change_up),
		TEST(test_turn_is_bounded),
		TEST(test_look_ends_a_turn_and_may_be_followed_by_a_pause),
		TEST(test_violation_costs_the_channel),
		TEST(test_message_that_no_api_sends_costs_the_channel),
		TEST(test_api_that_takes_no_answers_loses_the_channel),
		TEST(test_api_that_dies_is_no_violation),
		TEST(test_new_api_gets_no_answer_of_the_old),
		TEST(test_state_counts_sockets),
		TEST(test_lists_come_in_pages),
		TEST(test_channel_that_does_not_come_is_told),
		TEST(test_complaints_of_libslirp_are_bounded_and_counted),
	};

	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return 1;
	worker_box_enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
