/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's questions to the connector: their order, their limit, and those that end early. */
#include "slirp-worker/engine/asks.h"

#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc_samples.h"
#include "model/flow_table.h"

#define ENGINE ASKS_TCP
/* Enough for the sockets of a test. */
#define N_DESCRIPTORS 1024

static struct asks asks;
static struct ipc_channel worker, connector;
static uint64_t first_unwanted, n_dropped, last_opened, n_opened, last_refused;
static int last_error, last_fd, n_answers;
static struct ipc_message read_message;

/* Flows are numbered by their place. */
#define GENERATION 5

static bool
is_wanted(void *ctx, uint32_t index, uint32_t generation)
{
	assert_ptr_equal(ctx, &asks);
	assert_int_equal(generation, GENERATION);
	return index < first_unwanted;
}

static void
note_dropped(void *ctx, uint32_t index, uint32_t generation)
{
	assert_ptr_equal(ctx, &asks);
	assert_int_equal(generation, GENERATION);
	assert_true(index >= first_unwanted);
	n_dropped++;
}

static void
note_opened(void *ctx, uint32_t index, uint32_t generation, int adopt_fd,
    const struct ipc_flow_opened *opened)
{
	assert_int_equal(opened->to_port, 443);
	assert_ptr_equal(ctx, &asks);
	assert_int_equal(generation, GENERATION);
	assert_true(adopt_fd >= 0);
	assert_true(adopt_fd < N_DESCRIPTORS);
	last_fd = adopt_fd;
	last_opened = index;
	n_opened++;
}

static void
note_answers(void *ctx, uint32_t index, uint32_t generation, int adopt_fd)
{
	assert_ptr_equal(ctx, &asks);
	assert_int_equal(generation, GENERATION);
	assert_int_equal(index, 1);
	n_answers++;
	asks_close(&asks, adopt_fd);
}

static void
note_refused(void *ctx, uint32_t index, uint32_t generation, int error)
{
	assert_ptr_equal(ctx, &asks);
	assert_int_equal(generation, GENERATION);
	last_refused = index;
	last_error = error;
}

static const struct asks_ops ops = {
	.is_wanted = is_wanted,
	.on_dropped = note_dropped,
	.on_answers = note_answers,
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
	assert_int_equal(asks_init(&asks, &worker, N_DESCRIPTORS), 0);
	asks_serve(&asks, ENGINE, &ops, &asks);
	assert_int_equal(ipc_channel_greet(&connector), 0);
	first_unwanted = UINT64_MAX;
	n_dropped = n_opened = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int fd = 0; fd < N_DESCRIPTORS; fd++)
		if (asks.numbers[fd] != 0)
			close(fd);
	asks_free(&asks);
	ipc_channel_close(&worker);
	ipc_channel_close(&connector);
	return 0;
}

static int
ask_of(enum asks_engine engine, uint64_t flow)
{
	const struct flow_link link = {
		.key = {
			.guest_address = { 10, 0, 2, 100 },
			.peer_address = { 192, 0, 2, 1 },
			.guest_port = 40000,
			.peer_port = 443,
			.ethertype = ETHERTYPE_IP,
			.protocol = IPPROTO_TCP,
		},
		.generation = GENERATION,
	};

	return asks_add(&asks, engine, (uint32_t)flow, &link);
}

static int
ask(uint64_t flow)
{
	return ask_of(ENGINE, flow);
}

/* As the connector knows the flow. */
static uint64_t
number(uint64_t flow)
{
	return (uint64_t)ENGINE << 56 | flow << FLOW_GENERATION_BITS | GENERATION;
}

/* The connector reads the next message. */
static void
read_next(enum ipc_message_id id)
{
	const char *why = "";

	assert_int_equal(ipc_channel_recv(&connector, &read_message, &why),
	    IPC_OUTCOME_MESSAGE);
	assert_int_equal(read_message.id, id);
}

static void
expect_question(uint64_t flow)
{
	read_next(IPC_MSG_flow_open);
	assert_int_equal(read_message.payload.flow_open.flow, number(flow));
}

/* The connector is told of the ends of flows from first on. */
static void
expect_closed(uint64_t first, uint32_t n)
{
	read_next(IPC_MSG_flow_closed);
	assert_int_equal(read_message.payload.flow_closed.n, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(read_message.payload.flow_closed.flows[i],
		    number(first + i));
}

static void
expect_no_message(void)
{
	struct ipc_message msg;
	const char *why;

	assert_int_equal(ipc_channel_recv(&connector, &msg, &why), IPC_OUTCOME_NONE);
}

/* Takes the answers that have come, and asks for more, as the worker does. */
static void
take_answers(void)
{
	enum ipc_outcome outcome;
	struct ipc_message msg;
	const char *why;

	while ((outcome = ipc_channel_recv(&worker, &msg, &why)) != IPC_OUTCOME_NONE) {
		if (outcome == IPC_OUTCOME_SHORTAGE && msg.id == IPC_MSG_flow_answers)
			asks_miss_answers(&asks, msg.payload.flow_answers.flow);
		else if (outcome == IPC_OUTCOME_SHORTAGE)
			asks_miss(&asks, msg.payload.flow_opened.flow);
		else if (msg.id == IPC_MSG_flow_answers)
			asks_take_answers(&asks, msg.payload.flow_answers.flow, msg.fd);
		else if (msg.id == IPC_MSG_flow_opened)
			asks_take_opened(&asks, &msg.payload.flow_opened, msg.fd);
		else if (msg.id == IPC_MSG_flow_refused)
			asks_take_refused(&asks, msg.payload.flow_refused.flow,
			    (int)msg.payload.flow_refused.error);
	}
	asks_turn(&asks, 0);
}

/* The connector sends the socket of this flow. */
static void
open_flow(uint64_t flow)
{
	struct ipc_flow_opened opened;

	ipc_sample_flow_opened(&opened);
	opened.flow = number(flow);
	assert_int_equal(ipc_send_flow_opened(&connector, &opened, STDIN_FILENO), 0);
}

/* Asks, and gets a socket. */
static int
get_socket(uint64_t flow)
{
	assert_int_equal(ask(flow), 0);
	expect_question(flow);
	open_flow(flow);
	take_answers();
	assert_int_equal(last_opened, flow);
	return last_fd;
}

static void
test_questions_are_asked_at_once_and_answered_in_order(void **state)
{
	const struct ipc_flow_refused refused = { .flow = number(2),
		.error = ECONNREFUSED };

	(void)state;
	for (uint64_t flow = 1; flow <= 3; flow++) {
		assert_int_equal(ask(flow), 0);
		expect_question(flow);
	}
	open_flow(1);
	assert_int_equal(ipc_send_flow_refused(&connector, &refused), 0);
	take_answers();
	assert_int_equal(n_opened, 1);
	assert_int_equal(last_opened, 1);
	assert_int_equal(last_refused, 2);
	assert_int_equal(last_error, ECONNREFUSED);
	open_flow(3);
	take_answers();
	assert_int_equal(last_opened, 3);
	assert_int_equal(asks.n_asked, 0);
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
	expect_no_message();
	/* One for each answer, several times around the ring. */
	while (next_question < 3 * n) {
		open_flow(next_answer++);
		take_answers();
		expect_question(next_question++);
		expect_no_message();
	}
	while (next_answer < 3 * n) {
		open_flow(next_answer++);
		take_answers();
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
	take_answers();
	for (uint64_t flow = n; flow < n + 4; flow++)
		expect_question(flow);
	expect_no_message();
	assert_int_equal(n_dropped, 6);
	assert_int_equal(asks.n_waiting, 0);
}

static void
test_too_many_are_refused(void **state)
{
	(void)state;
	for (uint64_t flow = 0; flow < IPC_FLOWS_ASKED_MAX + ASKS_WAITING_TCP; flow++)
		assert_int_equal(ask(flow), 0);
	assert_int_equal(ask(1), -1);
	open_flow(0);
	take_answers();
	assert_int_equal(ask(1), 0);
	assert_int_equal(ask(1), -1);
}

/* All find room in the ring, also when a connector ends without an answer. */
static void
test_no_engine_takes_the_places_of_another(void **state)
{
	static const size_t places[ASKS_N_ENGINES] = {
		[ASKS_TCP] = ASKS_WAITING_TCP,
		[ASKS_UDP] = ASKS_WAITING_UDP,
		[ASKS_PING] = ASKS_WAITING_PING,
		[ASKS_PEER] = ASKS_WAITING_PEER,
	};
	const enum asks_engine engines[] = { ASKS_UDP, ASKS_PEER, ASKS_PING, ASKS_TCP };
	uint64_t flow = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		asks_serve(&asks, engines[i], &ops, &asks);
	while (flow < IPC_FLOWS_ASKED_MAX)
		assert_int_equal(ask_of(ASKS_UDP, flow++), 0);
	for (int i = 0; i < 4; i++) {
		for (size_t n = 0; n < places[engines[i]]; n++)
			assert_int_equal(ask_of(engines[i], flow++), 0);
		assert_int_equal(ask_of(engines[i], flow), -1);
	}
	asks_lose_connector(&asks);
	assert_int_equal(asks.n_waiting, flow);
	/* Nobody wants them any more, so all places are free again. */
	first_unwanted = 0;
	asks_turn(&asks, 0);
	assert_int_equal(asks.n_waiting, 0);
	assert_int_equal(n_dropped, flow);
	for (int i = 0; i < 4; i++)
		assert_int_equal(asks.n_waiting_of[engines[i]], 0);
}

static void
test_question_names_the_flow_as_the_guest_does(void **state)
{
	struct inaddr guest, peer;
	struct flow_link link = {
		.key = {
			.guest_port = 7,
			.ethertype = ETHERTYPE_IPV6,
			.protocol = IPPROTO_ICMPV6,
		},
		.generation = GENERATION,
	};
	const struct ipc_flow_open *question = &read_message.payload.flow_open;

	(void)state;
	assert_true(inaddr_parse("fd00::100", &guest));
	assert_true(inaddr_parse("2001:db8::1", &peer));
	memcpy(link.key.guest_address, guest.bytes, sizeof(guest.bytes));
	memcpy(link.key.peer_address, peer.bytes, sizeof(peer.bytes));
	assert_int_equal(asks_add(&asks, ASKS_PING, 3, &link), 0);
	read_next(IPC_MSG_flow_open);
	assert_int_equal(question->proto, IPPROTO_ICMP);
	assert_true(inaddr_is_equal(&question->guest, &guest));
	assert_true(inaddr_is_equal(&question->peer, &peer));
	assert_int_equal(question->guest_port, 7);
	assert_int_equal(question->peer_port, 0);
	assert_int_equal(ask(1), 0);
	expect_question(1);
	assert_int_equal(question->proto, IPPROTO_TCP);
	assert_true(inaddr_parse("10.0.2.100", &guest));
	assert_true(inaddr_parse("192.0.2.1", &peer));
	assert_true(inaddr_is_equal(&question->guest, &guest));
	assert_true(inaddr_is_equal(&question->peer, &peer));
	assert_int_equal(question->guest_port, 40000);
	assert_int_equal(question->peer_port, 443);
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
	asks_turn(&asks, 0);
	assert_int_equal(asks.n_waiting, 2);
	ipc_channel_close(&connector);
	asks_turn(&asks, 0);
	assert_int_equal(asks.n_waiting, 2);
	assert_int_equal(asks.n_asked, 0);
}

static void
test_ends_are_reported_together(void **state)
{
	int fds[IPC_FLOWS_CLOSED_MAX];

	(void)state;
	for (uint64_t flow = 0; flow < IPC_FLOWS_CLOSED_MAX; flow++)
		fds[flow] = get_socket(flow);
	assert_int_equal(asks_due(&asks, 1000), DEADLINE_NONE);
	for (int i = 0; i < IPC_FLOWS_CLOSED_MAX; i++) {
		expect_no_message();
		asks_close(&asks, fds[i]);
	}
	expect_closed(0, IPC_FLOWS_CLOSED_MAX);
	assert_int_equal(asks_due(&asks, 1000), DEADLINE_NONE);
}

static void
test_ends_are_reported_in_time_and_before_their_number_is_used(void **state)
{
	(void)state;
	asks_close(&asks, get_socket(1));
	assert_int_equal(asks_due(&asks, 1000), 1000 + ASKS_CLOSED_MS);
	assert_int_equal(asks_due(&asks, 1500), 1000 + ASKS_CLOSED_MS);
	asks_turn(&asks, 1000 + ASKS_CLOSED_MS - 1);
	expect_no_message();
	asks_turn(&asks, 1000 + ASKS_CLOSED_MS);
	expect_closed(1, 1);
	asks_close(&asks, get_socket(2));
	assert_int_equal(ask(3), 0);
	expect_question(3);
	assert_int_equal(ask(2), 0);
	expect_closed(2, 1);
	expect_question(2);
	asks_turn(&asks, 100000);
	expect_no_message();
}

/* The duplicate of the connector keeps from the peer that the connection ended, unless its own end
 * and the guest's came before. */
static void
test_ends_that_peers_wait_for_are_reported_at_once(void **state)
{
	struct ipc_flow_opened opened = { .to_port = 443, .is_kept = 1 };
	int ended;

	(void)state;
	ended = get_socket(1);
	assert_int_equal(ask(2), 0);
	expect_question(2);
	opened.flow = number(2);
	asks_take_opened(&asks, &opened, dup(STDIN_FILENO));
	asks_close_ended(&asks, ended);
	asks_turn(&asks, 0);
	expect_no_message();
	asks_close(&asks, last_fd);
	asks_turn(&asks, 0);
	read_next(IPC_MSG_flow_closed);
	assert_int_equal(read_message.payload.flow_closed.n, 2);
	asks_turn(&asks, 0);
	expect_no_message();
}

static void
test_only_sockets_of_the_connector_are_reported(void **state)
{
	int fd = dup(STDIN_FILENO);

	(void)state;
	asks_close(&asks, fd);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	/* The number was a flow's. */
	fd = get_socket(1);
	asks_close(&asks, fd);
	assert_int_equal(dup2(STDIN_FILENO, fd), fd);
	asks_close(&asks, fd);
	asks_turn(&asks, asks_due(&asks, 0));
	expect_closed(1, 1);
	expect_no_message();
}

/* All that are open may end while the queue is full. */
static void
test_ends_that_the_queue_does_not_take_are_kept(void **state)
{
	enum { N = N_DESCRIPTORS / 2 };
	struct ipc_message msg;
	const char *why;
	int fds[N];
	uint64_t next = 0;

	(void)state;
	for (uint64_t flow = 0; flow < N; flow++)
		fds[flow] = get_socket(flow);
	while (ipc_channel_greet(&worker) == 0)
		;
	for (int i = 0; i < N; i++)
		asks_close(&asks, fds[i]);
	assert_int_equal(asks.n_closed, N);
	assert_int_equal(ask(N), 0);
	assert_int_equal(asks.n_waiting, 1);
	/* The greetings are not legal a second time, but gone after it. */
	while (ipc_channel_recv(&connector, &msg, &why) != IPC_OUTCOME_NONE)
		;
	asks_turn(&asks, 0);
	while (next < N) {
		expect_closed(next, IPC_FLOWS_CLOSED_MAX);
		next += IPC_FLOWS_CLOSED_MAX;
	}
	expect_question(N);
	expect_no_message();
}

/* To the connector, a flow whose socket got lost is open. */
static void
test_socket_that_does_not_arrive_is_reported(void **state)
{
	struct rlimit files, few;

	(void)state;
	assert_int_equal(ask(1), 0);
	expect_question(1);
	open_flow(1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = files;
	few.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	take_answers();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(n_opened, 0);
	assert_int_equal(last_refused, 1);
	assert_int_equal(last_error, EMFILE);
	asks_turn(&asks, asks_due(&asks, 0));
	expect_closed(1, 1);
}

/* The answers' socket of a group is no flow of its own. */
static void
test_group_gets_two_sockets(void **state)
{
	const struct ipc_flow_answers answers = { .flow = number(1) };

	(void)state;
	n_answers = 0;
	assert_int_equal(ask(1), 0);
	expect_question(1);
	assert_int_equal(ipc_send_flow_answers(&connector, &answers, STDIN_FILENO), 0);
	take_answers();
	assert_int_equal(n_answers, 1);
	assert_int_equal(asks.n_asked, 1);
	open_flow(1);
	take_answers();
	assert_int_equal(last_opened, 1);
	assert_int_equal(asks_due(&asks, 0), DEADLINE_NONE);
}

/* Opens the channel to another connector. */
static void
replace_connector(void)
{
	int worker_fd, connector_fd;
	const char *why;

	ipc_channel_close(&connector);
	asks_lose_connector(&asks);
	ipc_channel_close(&worker);
	assert_int_equal(ipc_channel_pair(&worker_fd, &connector_fd), 0);
	ipc_channel_open(&worker, worker_fd, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR);
	ipc_channel_open(&connector, connector_fd, IPC_ROLE_CONNECTOR,
	    IPC_ROLE_SLIRP_WORKER);
	assert_int_equal(ipc_channel_greet(&worker), 0);
	assert_int_equal(ipc_channel_recv(&connector, &read_message, &why),
	    IPC_OUTCOME_MESSAGE);
	assert_int_equal(ipc_channel_greet(&connector), 0);
}

/* In their order, before those that waited. Sockets of the old one are not reported to it. */
static void
test_next_connector_is_asked_again(void **state)
{
	int fd;

	(void)state;
	fd = get_socket(1);
	for (uint64_t flow = 2; flow <= IPC_FLOWS_ASKED_MAX + 11; flow++)
		assert_int_equal(ask(flow), 0);
	assert_int_equal(asks.n_asked, IPC_FLOWS_ASKED_MAX);
	assert_int_equal(asks.n_waiting, 10);
	replace_connector();
	assert_int_equal(asks.n_asked, 0);
	assert_int_equal(asks.n_waiting, IPC_FLOWS_ASKED_MAX + 10);
	asks_close(&asks, fd);
	asks_turn(&asks, 0);
	for (uint64_t flow = 2; flow <= IPC_FLOWS_ASKED_MAX + 1; flow++)
		expect_question(flow);
	assert_int_equal(asks.n_waiting, 10);
	for (uint64_t flow = 2; flow <= 11; flow++) {
		open_flow(flow);
		take_answers();
		assert_int_equal(last_opened, flow);
		expect_question(flow + IPC_FLOWS_ASKED_MAX);
	}
	assert_int_equal(asks.n_waiting, 0);
	assert_int_equal(asks_due(&asks, 0), DEADLINE_NONE);
}

/* All that waits and all that was asked find room together. */
static void
test_most_questions_outlive_a_connector(void **state)
{
	uint64_t n = 0;

	(void)state;
	while (ask(n + 1) == 0)
		n++;
	assert_int_equal(n, IPC_FLOWS_ASKED_MAX + ASKS_WAITING_TCP);
	replace_connector();
	assert_int_equal(ask(n + 1), -1);
	asks_turn(&asks, 0);
	for (uint64_t flow = 1; flow <= n; flow++) {
		expect_question(flow);
		open_flow(flow);
		take_answers();
		assert_int_equal(last_opened, flow);
		close(last_fd);
		asks.numbers[last_fd] = 0;
	}
}

/* The half of an answer is lost with the connector, and its flow is refused. */
static void
test_half_an_answer_is_a_refusal(void **state)
{
	const struct ipc_flow_answers answers = { .flow = number(1) };

	(void)state;
	n_answers = 0;
	assert_int_equal(ask(1), 0);
	expect_question(1);
	assert_int_equal(ipc_send_flow_answers(&connector, &answers, STDIN_FILENO), 0);
	take_answers();
	replace_connector();
	assert_int_equal(last_refused, 1);
	assert_int_equal(last_error, ECONNABORTED);
	assert_int_equal(asks.n_waiting, 0);
}

static void
test_answer_to_no_question_is_a_violation(void **state)
{
	int before = dup(STDIN_FILENO), after;

	(void)state;
	close(before);
	open_flow(1);
	take_answers();
	assert_string_equal(asks.fault, "an answer to no question");
	/* Its socket is closed. */
	after = dup(STDIN_FILENO);
	assert_int_equal(before, after);
	close(after);
	asks_lose_connector(&asks);
	assert_null(asks.fault);
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
		cmocka_unit_test_setup_teardown(
		    test_no_engine_takes_the_places_of_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_question_names_the_flow_as_the_guest_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_queue_that_is_full_or_gone, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_next_connector_is_asked_again,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_most_questions_outlive_a_connector,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_an_answer_is_a_refusal, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_answer_to_no_question_is_a_violation,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_group_gets_two_sockets, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_ends_are_reported_together, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_ends_are_reported_in_time_and_before_their_number_is_used,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_ends_that_peers_wait_for_are_reported_at_once, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_only_sockets_of_the_connector_are_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_ends_that_the_queue_does_not_take_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_socket_that_does_not_arrive_is_reported, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
