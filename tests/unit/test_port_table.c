/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's ports of forwards, and what it reports of them to the connector. */
#include "slirp-worker/engine/port_table.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/fdio.h"
#include "ipc_samples.h"

#define NOW_MS 5000

static struct poller poller;
static struct budget budget;
static struct port_table table;
static struct ipc_channel worker, connector;

static int
set_up(void **state)
{
	struct ipc_message msg;
	const char *why;
	int worker_fd, connector_fd;

	(void)state;
	budget_init(&budget, 2048, 28000);
	assert_int_equal(poller_init(&poller), 0);
	assert_int_equal(ipc_channel_pair(&worker_fd, &connector_fd), 0);
	ipc_channel_open(&worker, worker_fd, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR);
	ipc_channel_open(&connector, connector_fd, IPC_ROLE_CONNECTOR,
	    IPC_ROLE_SLIRP_WORKER);
	assert_int_equal(ipc_channel_greet(&worker), 0);
	assert_int_equal(ipc_channel_recv(&connector, &msg, &why), IPC_OUTCOME_MESSAGE);
	return port_table_init(&table, &poller, &budget);
}

static int
tear_down(void **state)
{
	(void)state;
	port_table_free(&table);
	poller_free(&poller);
	ipc_channel_close(&worker);
	ipc_channel_close(&connector);
	return 0;
}

/* with_fd: the descriptor has come too. */
static struct port *
take(uint32_t id, bool with_fd)
{
	struct ipc_listener listener;

	ipc_sample_listener(&listener);
	listener.id = id;
	listener.proto = IPPROTO_UDP;
	return port_table_take(&table, &listener,
	    with_fd ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1, NOW_MS);
}

static void
expect(enum ipc_message_id row, uint32_t id)
{
	struct ipc_message msg;
	const char *why = "";

	if (ipc_channel_recv(&connector, &msg, &why) != IPC_OUTCOME_MESSAGE)
		fail_msg("no %s", ipc_descriptions[row].name);
	assert_int_equal(msg.id, row);
	/* Both rows begin with it. */
	assert_int_equal(msg.payload.listener_wanted.id, id);
}

static void
expect_nothing(void)
{
	struct ipc_message msg;
	const char *why;

	assert_int_equal(ipc_channel_recv(&connector, &msg, &why), IPC_OUTCOME_NONE);
}

static void
test_port_is_taken_once_and_found_until_it_is_closed(void **state)
{
	struct port *port;

	(void)state;
	assert_null(port_table_find(&table, 5));
	port = take(5, true);
	assert_int_equal(port->state, PORT_AWAY);
	assert_ptr_equal(port_table_find(&table, 5), port);
	assert_null(port_table_find(&table, 4));
	assert_null(take(5, true));
	assert_int_equal(table.n_udp, 1);
	assert_int_equal(budget.used[BUDGET_PORT], 1);
	assert_int_equal(port_table_watch(&table, port), 0);
	port_table_close(&table, port);
	assert_null(port_table_find(&table, 5));
	/* Not before the connector knows that it is closed. */
	assert_null(take(5, true));
	assert_int_equal(table.n_udp + budget.used[BUDGET_PORT], 0);
	assert_int_equal(port_table_due(&table), 0);
	port_table_report(&table, &worker, NOW_MS);
	expect(IPC_MSG_listener_closed, 5);
	expect_nothing();
	assert_int_equal(port_table_due(&table), DEADLINE_NONE);
	assert_non_null(take(5, true));
}

static void
test_events_of_a_closed_port_are_stale(void **state)
{
	struct port *port = take(5, true);
	const struct poller_event event = { .index = 5, .generation = port->generation };

	(void)state;
	assert_null(port_table_at(&table, &event));
	assert_int_equal(port_table_watch(&table, port), 0);
	assert_ptr_equal(port_table_at(&table, &event), port);
	port_table_close(&table, port);
	port_table_report(&table, &worker, NOW_MS);
	port = take(5, true);
	assert_int_equal(port_table_watch(&table, port), 0);
	assert_null(port_table_at(&table, &event));
}

static void
test_missing_port_is_asked_for_again_in_time(void **state)
{
	struct port *port = take(7, false);

	(void)state;
	assert_int_equal(port->state, PORT_MISSING);
	assert_ptr_equal(port_table_find(&table, 7), port);
	assert_int_equal(table.n_udp, 1);
	assert_int_equal(port_table_due(&table), NOW_MS + FDIO_RETRY_MS);
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS - 1);
	expect_nothing();
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS);
	expect(IPC_MSG_listener_wanted, 7);
	assert_int_equal(port_table_due(&table), DEADLINE_NONE);
	/* It does not come again. */
	assert_ptr_equal(take(7, false), port);
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS);
	expect(IPC_MSG_listener_wanted, 7);
	assert_ptr_equal(take(7, true), port);
	assert_int_equal(port->state, PORT_AWAY);
	assert_int_equal(table.n_udp, 1);
	assert_int_equal(table.n_asked, 0);
}

static void
test_port_without_room_in_the_budget_is_missing(void **state)
{
	uint32_t n_free = budget.limit[BUDGET_PORT] - 1;
	struct port *first, *second;

	(void)state;
	budget_take(&budget, BUDGET_PORT, n_free);
	first = take(1, true);
	second = take(2, true);
	assert_int_equal(first->state, PORT_AWAY);
	assert_int_equal(second->state, PORT_MISSING);
	assert_int_equal(second->fd, -1);
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS);
	expect_nothing();
	/* Looks again without an event: connections give descriptors back. */
	assert_int_equal(port_table_due(&table), NOW_MS + 2 * FDIO_RETRY_MS);
	port_table_close(&table, first);
	port_table_report(&table, &worker, NOW_MS + 2 * FDIO_RETRY_MS);
	expect(IPC_MSG_listener_closed, 1);
	expect(IPC_MSG_listener_wanted, 2);
}

static void
test_missing_and_asked_ports_can_be_closed(void **state)
{
	(void)state;
	take(1, false);
	take(2, false);
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS);
	expect(IPC_MSG_listener_wanted, 1);
	expect(IPC_MSG_listener_wanted, 2);
	take(2, false);
	port_table_close(&table, port_table_find(&table, 1));
	port_table_close(&table, port_table_find(&table, 2));
	assert_int_equal(table.n_udp + table.n_asked, 0);
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS);
	expect(IPC_MSG_listener_closed, 1);
	expect(IPC_MSG_listener_closed, 2);
	expect_nothing();
}

static void
test_full_queue_to_the_connector_holds_the_reports_up(void **state)
{
	struct ipc_flow_open question;
	struct ipc_message msg;
	const char *why;

	(void)state;
	ipc_sample_flow_open(&question);
	while (ipc_send_flow_open(&worker, &question) == 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	port_table_close(&table, take(1, true));
	port_table_report(&table, &worker, NOW_MS);
	assert_true(table.waits_for_channel);
	assert_int_equal(port_table_due(&table), DEADLINE_NONE);
	while (ipc_channel_recv(&connector, &msg, &why) == IPC_OUTCOME_MESSAGE)
		assert_int_equal(msg.id, IPC_MSG_flow_open);
	port_table_report(&table, &worker, NOW_MS);
	assert_false(table.waits_for_channel);
	expect(IPC_MSG_listener_closed, 1);
}

static void
test_reports_of_a_turn_are_bounded(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < PORT_TABLE_REPORTS_MAX + 1; id++)
		port_table_close(&table, take(id, true));
	port_table_report(&table, &worker, NOW_MS);
	for (uint32_t id = 0; id < PORT_TABLE_REPORTS_MAX; id++)
		expect(IPC_MSG_listener_closed, id);
	expect_nothing();
	assert_int_equal(port_table_due(&table), 0);
	port_table_report(&table, &worker, NOW_MS);
	expect(IPC_MSG_listener_closed, PORT_TABLE_REPORTS_MAX);
}

/* The next connector sends what it has. What it does not send is closed, and it is not told. */
static void
test_ports_of_another_connector_are_stale(void **state)
{
	struct ipc_listener listener;
	struct port *kept, *gone;

	(void)state;
	kept = take(1, true);
	gone = take(2, true);
	assert_int_equal(port_table_watch(&table, gone), 0);
	take(3, false);
	take(4, false);
	port_table_report(&table, &worker, NOW_MS + FDIO_RETRY_MS);
	expect(IPC_MSG_listener_wanted, 3);
	expect(IPC_MSG_listener_wanted, 4);
	take(4, false);
	port_table_close(&table, take(5, true));
	port_table_begin_anew(&table);
	/* The other connector does not know of them. */
	port_table_report(&table, &worker, NOW_MS + 2 * FDIO_RETRY_MS);
	expect_nothing();
	assert_int_equal(port_table_due(&table), DEADLINE_NONE);
	assert_null(port_table_find(&table, 3));
	assert_null(port_table_find(&table, 4));
	assert_true(kept->is_stale && gone->is_stale);
	assert_int_equal(table.n_udp, 2);
	assert_int_equal(table.n_asked, 0);

	ipc_sample_listener(&listener);
	listener.id = 1;
	listener.proto = IPPROTO_UDP;
	assert_true(port_table_is_same(kept, &listener));
	listener.forward++;
	assert_false(port_table_is_same(kept, &listener));
	port_table_forget(&table, gone);
	assert_int_equal(budget.used[BUDGET_PORT], 1);
	port_table_report(&table, &worker, NOW_MS + 2 * FDIO_RETRY_MS);
	expect_nothing();
	assert_non_null(take(5, true));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_port_is_taken_once_and_found_until_it_is_closed),
		TEST(test_events_of_a_closed_port_are_stale),
		TEST(test_missing_port_is_asked_for_again_in_time),
		TEST(test_port_without_room_in_the_budget_is_missing),
		TEST(test_missing_and_asked_ports_can_be_closed),
		TEST(test_full_queue_to_the_connector_holds_the_reports_up),
		TEST(test_reports_of_a_turn_are_bounded),
		TEST(test_ports_of_another_connector_are_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
