/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the forwards: requests of the api and the parent, and the connector's answers. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "connector/forward/api_requests.h"
#include "connector_box.h"
#include "own_netns.h"

/* Enough descriptors for the ranges of ports. */
#define FILES_MAX 2048

static struct connector_box box;
static struct connector *const connector = &box.connector;

static int
open_box(void **state)
{
	(void)state;
	connector_box_open(&box);
	connector_box_open_api(&box);
	return 0;
}

static int
close_box(void **state)
{
	(void)state;
	connector_box_close(&box);
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

static void
run(void)
{
	while (changes_want_a_turn(&connector->changes))
		changes_proceed(connector);
}

/* Runs turns of the loop, without its wait, until nothing is left to do but to wait for the
 * parent. */
static void
take_turns(void)
{
	connector_api_receive(connector);
	run();
}

/* The parent has the sockets of these ports of the forward. */
static void
expect_ports(uint32_t forward, uint16_t first, uint16_t last)
{
	struct ipc_message msg;

	for (uint16_t port = first; port <= last; port++) {
		expect(&box.parent, IPC_MSG_table_port, &msg);
		assert_int_equal(msg.payload.table_port.forward, forward);
		assert_int_equal(msg.payload.table_port.host_port, port);
		assert_int_not_equal(msg.fd, -1);
		close(msg.fd);
	}
}

/* The parent closes the sockets of the forward, and the connector goes on. */
static void
drop(uint32_t id)
{
	struct ipc_message msg;

	expect(&box.parent, IPC_MSG_table_removed, &msg);
	assert_int_equal(msg.payload.table_removed.id, id);
	changes_go_on(connector);
	run();
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
	expect_ports(1, 8001, 8003);
	expect(&box.parent, IPC_MSG_table_added, &msg);
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
	expect_nothing(&box.parent);

	/* The port is free when the requester has its answer. */
	ask_to_remove(80, 1);
	take_turns();
	expect_nothing(&box.api);
	assert_int_equal(connector->forwards.table->n, 1);
	drop(1);
	expect(&box.api, IPC_MSG_forward_removed, &msg);
	assert_int_equal(msg.payload.forward_removed.request, 80);
	assert_int_equal(msg.payload.forward_removed.outcome, IPC_FORWARD_done);
	assert_int_equal(msg.payload.forward_removed.forward.host_port_last, 8003);
	expect_nothing(&box.parent);
}

static void
test_publish_waits_for_the_apis_change(void **state)
{
	struct ipc_add_forward other = make_add(0, 9000, 9000);
	struct ipc_message msg;

	(void)state;
	/* Long enough for more than one slice. */
	ask_to_add(1, 8001, 8900);
	connector_api_receive(connector);
	assert_true(changes_are_busy(&connector->changes));
	ipc_channel_await_reply(&box.parent, IPC_MSG_published);
	changes_publish(connector, &other.forward);
	/* The queue to the parent holds some hundred sockets. */
	for (uint16_t port = 8001; port <= 8900; port++) {
		run();
		changes_proceed(connector);
		expect_ports(1, port, port);
	}
	take_turns();
	run();
	changes_proceed(connector);
	run();
	expect(&box.parent, IPC_MSG_table_added, &msg);
	assert_int_equal(msg.payload.table_added.entry.forward.host_port_last, 8900);
	expect_ports(2, 9000, 9000);
	expect(&box.parent, IPC_MSG_table_added, &msg);
	assert_int_equal(msg.payload.table_added.entry.forward.host_port_last, 9000);
	expect(&box.parent, IPC_MSG_published, &msg);
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
	while (ipc_send_log(&connector->to_parent, &line) == 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	ask_to_add(1, 8001, 8001);
	take_turns();
	assert_true(changes_are_busy(&connector->changes));
	assert_true(connector->changes.waits_for_parent);
	expect_nothing(&box.api);
	changes_proceed(connector);
	expect_nothing(&box.api);

	do
		assert_int_equal(ipc_channel_recv(&box.parent, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
	while (ipc_send_log(&connector->to_parent, &line) == -1);
	for (int i = 0; i < 8; i++)
		expect(&box.parent, IPC_MSG_log, &msg);
	changes_proceed(connector);
	assert_false(changes_are_busy(&connector->changes));
	expect(&box.api, IPC_MSG_forward_added, &msg);
	do
		assert_int_equal(ipc_channel_recv(&box.parent, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
	while (msg.id == IPC_MSG_log);
	assert_int_equal(msg.id, IPC_MSG_table_port);
	close(msg.fd);
	expect(&box.parent, IPC_MSG_table_added, &msg);
	expect_nothing(&box.parent);
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
	connector_api_receive(connector);
	while (ipc_channel_recv(&box.api, &msg, &why) == IPC_OUTCOME_MESSAGE)
		n++;
	assert_int_equal(n, 16);
	connector_api_receive(connector);
	connector_api_receive(connector);
	while (ipc_channel_recv(&box.api, &msg, &why) == IPC_OUTCOME_MESSAGE)
		n++;
	assert_int_equal(n, 40);
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
	expect_ports(1, 8001, 8001);
	expect(&box.parent, IPC_MSG_table_added, &msg);
	bad.forward.proto = 0;
	assert_int_equal(ipc_send_add_forward(&box.api, &bad), 0);
	take_turns();
	expect(&box.parent, IPC_MSG_peer_dropped, &msg);
	assert_string_equal(msg.payload.peer_dropped.why, "add_forward: proto");
	assert_int_equal(connector->api.channel.fd, -1);

	/* The next api finds everything unchanged. */
	connector_box_open_api(&box);
	ask_to_remove(2, 1);
	take_turns();
	drop(1);
	expect(&box.api, IPC_MSG_forward_removed, &msg);
	assert_int_equal(msg.payload.forward_removed.outcome, IPC_FORWARD_done);
}

static void
test_api_that_dies_is_no_violation(void **state)
{
	(void)state;
	ask_to_add(1, 8001, 8001);
	ipc_channel_close(&box.api);
	take_turns();
	assert_int_equal(connector->api.channel.fd, -1);
	/* The change that it had requested was made. */
	assert_int_equal(connector->forwards.table->n, 1);
}

/* A late answer must not go to the next api. */
static void
test_new_api_gets_no_answer_of_the_old(void **state)
{
	struct ipc_message msg;
	const char *why;

	(void)state;
	ask_to_add(1, 8001, 8900);
	connector_api_receive(connector);
	assert_true(changes_are_busy(&connector->changes));
	connector_box_open_api(&box);
	take_turns();
	for (uint16_t port = 8001; port <= 8900; port++) {
		run();
		changes_proceed(connector);
		expect_ports(1, port, port);
	}
	changes_proceed(connector);
	assert_int_equal(connector->forwards.table->n, 1);
	assert_int_equal(ipc_channel_recv(&box.api, &msg, &why), IPC_OUTCOME_NONE);
	expect(&box.parent, IPC_MSG_table_added, &msg);
}

static void
test_list_comes_in_pages(void **state)
{
	struct ipc_list_forwards list = { .request = 3 };
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
}

/* Whoever has the answer finds the port at the worker. */
static void
test_worker_hears_before_the_answer(void **state)
{
	struct ipc_message msg;

	(void)state;
	ask_to_add(1, 8001, 8002);
	take_turns();
	expect(&box.api, IPC_MSG_forward_added, &msg);
	expect(&box.worker, IPC_MSG_listener, &msg);
	close(msg.fd);
	expect(&box.worker, IPC_MSG_listener, &msg);
	close(msg.fd);
	expect_ports(1, 8001, 8002);
	expect(&box.parent, IPC_MSG_table_added, &msg);
	ask_to_remove(2, 1);
	take_turns();
	drop(1);
	expect(&box.api, IPC_MSG_forward_removed, &msg);
	expect(&box.worker, IPC_MSG_listener_gone, &msg);
	expect(&box.worker, IPC_MSG_listener_gone, &msg);
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
		TEST(test_violation_costs_the_channel),
		TEST(test_api_that_dies_is_no_violation),
		TEST(test_new_api_gets_no_answer_of_the_old),
		TEST(test_list_comes_in_pages),
		TEST(test_worker_hears_before_the_answer),
	};

	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return 1;
	own_netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
