/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's questions to the connector: their order, their limit, and those that end early. */
#include "slirp-worker/engine/asks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc_samples.h"

static struct asks asks;
static struct ipc_channel worker, connector;
static uint64_t first_unwanted, n_dropped, last_opened, n_opened, last_refused;
static int last_error;

static bool
is_wanted(void *ctx, uint64_t flow)
{
	(void)ctx;
	return flow < first_unwanted;
}

static void
note_dropped(void *ctx, uint64_t flow)
{
	(void)ctx;
	assert_true(flow >= first_unwanted);
	n_dropped++;
}

static void
note_opened(void *ctx, uint64_t flow, int adopt_fd)
{
	(void)ctx;
	assert_true(adopt_fd >= 0);
	close(adopt_fd);
	last_opened = flow;
	n_opened++;
}

static void
note_refused(void *ctx, uint64_t flow, int error)
{
	(void)ctx;
	last_refused = flow;
	last_error = error;
}

static const struct asks_ops ops = {
	.is_wanted = is_wanted,
	.on_dropped = note_dropped,
	.on_opened = note_opened,
	.on_refused = note_refused,
};

static int
set_up(void **state)
{
	struct ipc_message msg;
	const char *why;
	int worker_fd, connector_fd;

	(void)state;
	assert_int_equal(ipc_channel_pair(&worker_fd, &connector_fd), 0);
	ipc_channel_open(&worker, worker_fd, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR);
	ipc_channel_open(&connector, connector_fd, IPC_ROLE_CONNECTOR,
	    IPC_ROLE_SLIRP_WORKER);
	assert_int_equal(ipc_channel_greet(&worker), 0);
	assert_int_equal(ipc_channel_recv(&connector, &msg, &why), IPC_OUTCOME_MESSAGE);
	asks = (struct asks){
		.channel = &worker,
		.ops = &ops,
	};
	assert_int_equal(ipc_channel_greet(&connector), 0);
	first_unwanted = UINT64_MAX;
	n_dropped = n_opened = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ipc_channel_close(&worker);
	ipc_channel_close(&connector);
	return 0;
}

static int
ask(uint64_t flow)
{
	struct ipc_flow_open question;

	ipc_sample_flow_open(&question);
	question.flow = flow;
	return asks_add(&asks, &question);
}

/* The connector reads the next question. */
static void
expect_question(uint64_t flow)
{
	struct ipc_message msg;
	const char *why = "";

	assert_int_equal(ipc_channel_recv(&connector, &msg, &why), IPC_OUTCOME_MESSAGE);
	assert_int_equal(msg.id, IPC_MSG_flow_open);
	assert_int_equal(msg.payload.flow_open.flow, flow);
}

static void
expect_no_question(void)
{
	struct ipc_message msg;
	const char *why;

	assert_int_equal(ipc_channel_recv(&connector, &msg, &why), IPC_OUTCOME_NONE);
}

/* The connector sends the socket of this flow. */
static void
open_flow(uint64_t flow)
{
	const struct ipc_flow_opened opened = { .flow = flow };

	assert_int_equal(ipc_send_flow_opened(&connector, &opened, STDIN_FILENO), 0);
}

static void
test_questions_are_asked_at_once_and_answered_in_order(void **state)
{
	const struct ipc_flow_refused refused = { .flow = 2, .error = ECONNREFUSED };

	(void)state;
	for (uint64_t flow = 1; flow <= 3; flow++) {
		assert_int_equal(ask(flow), 0);
		expect_question(flow);
	}
	open_flow(1);
	assert_int_equal(ipc_send_flow_refused(&connector, &refused), 0);
	assert_true(asks_receive(&asks));
	assert_int_equal(n_opened, 1);
	assert_int_equal(last_opened, 1);
	assert_int_equal(last_refused, 2);
	assert_int_equal(last_error, ECONNREFUSED);
	open_flow(3);
	assert_true(asks_receive(&asks));
	assert_int_equal(last_opened, 3);
	assert_int_equal(asks.n_asked, 0);
	ipc_channel_close(&connector);
	assert_false(asks_receive(&asks));
}

static void
test_questions_above_the_limit_wait_for_answers(void **state)
{
	uint64_t n = IPC_FLOWS_ASKED_MAX, next_answer = 0, next_question = 0;

	(void)state;
	for (uint64_t flow = 0; flow < 3 * n; flow++)
		assert_int_equal(ask(flow), 0);
	while (next_question < n)
		expect_question(next_question++);
	expect_no_question();
	/* One for each answer, several times around the ring. */
	while (next_question < 3 * n) {
		open_flow(next_answer++);
		assert_true(asks_receive(&asks));
		expect_question(next_question++);
		expect_no_question();
	}
	while (next_answer < 3 * n) {
		open_flow(next_answer++);
		assert_true(asks_receive(&asks));
	}
	assert_int_equal(n_opened, 3 * n);
	assert_int_equal(asks.n_waiting, 0);
	assert_int_equal(asks.n_asked, 0);
}

static void
test_flow_that_ends_while_it_waits_is_not_asked_for(void **state)
{
	uint64_t n = IPC_FLOWS_ASKED_MAX;

	(void)state;
	for (uint64_t flow = 0; flow < n + 10; flow++)
		assert_int_equal(ask(flow), 0);
	for (uint64_t flow = 0; flow < n; flow++)
		expect_question(flow);
	first_unwanted = n + 4;
	for (uint64_t flow = 0; flow < 10; flow++)
		open_flow(flow);
	assert_true(asks_receive(&asks));
	for (uint64_t flow = n; flow < n + 4; flow++)
		expect_question(flow);
	expect_no_question();
	assert_int_equal(n_dropped, 6);
	assert_int_equal(asks.n_waiting, 0);
}

static void
test_too_many_are_refused(void **state)
{
	(void)state;
	for (uint64_t flow = 0; flow < IPC_FLOWS_ASKED_MAX + ASKS_WAITING_MAX; flow++)
		assert_int_equal(ask(flow), 0);
	assert_int_equal(ask(1), -1);
	open_flow(0);
	assert_true(asks_receive(&asks));
	assert_int_equal(ask(1), 0);
	assert_int_equal(ask(1), -1);
}

/* No question overtakes one that the queue has not taken. */
static void
test_queue_that_is_full_or_gone(void **state)
{
	uint64_t flow = 0;

	(void)state;
	/* The limit is below what a queue holds, so fill it with another message. */
	while (ipc_channel_greet(&worker) == 0)
		;
	assert_int_equal(ask(flow++), 0);
	assert_int_equal(ask(flow++), 0);
	assert_int_equal(asks.n_asked, 0);
	assert_int_equal(asks.n_waiting, 2);
	asks_send(&asks);
	assert_int_equal(asks.n_waiting, 2);
	ipc_channel_close(&connector);
	asks_send(&asks);
	assert_int_equal(asks.n_waiting, 2);
	assert_int_equal(asks.n_asked, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_questions_are_asked_at_once_and_answered_in_order, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_questions_above_the_limit_wait_for_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_flow_that_ends_while_it_waits_is_not_asked_for, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_are_refused, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_queue_that_is_full_or_gone, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
