/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The api's copy of the forwards, from which it answers list_hostfwd. At any time it
 * equals the worker's table at its last answer, whatever clients request in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "api_fixture.h"
#include "model/forward_table.h"

#define ADD \
	"{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\"," \
	"\"host_port\":8080,\"guest_port\":80}}"
#define LIST "{\"execute\":\"list_hostfwd\"}"
#define BUSY "\"class\":\"Busy\""

/* Clients that wait for a reply. */
#define WAITING_MAX 24
/* Each run has another order of events. Some hundred runs find each of these mistakes: an
 * addition learnt before the last page, a removal not learnt before it, a page taken
 * twice. */
#define N_RUNS 300
#define N_STEPS 80

static struct api_fixture fixture;
/* The worker's table; the test plays the worker. */
static struct forward_table *table;
static uint32_t last_id;
static int waiting_fds[WAITING_MAX];
static size_t n_waiting;
static char reply[1 << 20];

static int
setup(void **state)
{
	(void)state;
	api_fixture_start(&fixture);
	table = forward_table_new();
	assert_non_null(table);
	last_id = 0;
	n_waiting = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	while (n_waiting > 0)
		close(waiting_fds[--n_waiting]);
	free(table);
	api_fixture_stop(&fixture);
	return 0;
}

static void
add_forward(void)
{
	struct ipc_forward_entry entry = {
		.id = ++last_id,
		.forward = { .guest_addr.bytes = { 10, 0, 2, 100 },
		    .host_port_first = 8080,
		    .host_port_last = 8080,
		    .guest_port_first = 80,
		    .proto = IPPROTO_TCP },
	};

	assert_int_equal(forward_table_add(table, &entry), 0);
}

static void
answer_add(const struct ipc_add_forward *msg)
{
	struct ipc_forward_added added = { .request = msg->request };

	add_forward();
	added.result.id = last_id;
	added.forward = forward_table_find(table, last_id)->forward;
	assert_int_equal(ipc_send_forward_added(&fixture.connector, &added), 0);
}

static void
answer_remove(const struct ipc_remove_forward *msg)
{
	const struct ipc_forward_entry *entry = forward_table_find(table, msg->id);
	struct ipc_forward_removed removed = {
		.request = msg->request,
		.outcome = IPC_FORWARD_no_such_forward,
	};

	if (entry) {
		removed.outcome = IPC_FORWARD_done;
		removed.id = msg->id;
		removed.forward = entry->forward;
		assert_int_equal(forward_table_remove(table, msg->id), 0);
	}
	assert_int_equal(ipc_send_forward_removed(&fixture.connector, &removed), 0);
}

static void
answer_list(const struct ipc_list_forwards *msg)
{
	struct ipc_forwards_page page = { .request = msg->request };
	uint32_t place = forward_table_place_after(table, msg->after_id);

	while (place < table->n && page.n < IPC_PAGE_ENTRIES)
		page.entries[page.n++] = table->entries[place++];
	page.has_more = place < table->n;
	assert_int_equal(ipc_send_forwards_page(&fixture.connector, &page), 0);
}

/* Sends the worker's next answer. False if there is no request. */
static bool
answer_one(void)
{
	struct ipc_message msg;
	const char *why = "";

	if (ipc_channel_recv(&fixture.connector, &msg, &why) != IPC_OUTCOME_MESSAGE)
		return false;
	if (msg.id == IPC_MSG_add_forward)
		answer_add(&msg.payload.add_forward);
	else if (msg.id == IPC_MSG_remove_forward)
		answer_remove(&msg.payload.remove_forward);
	else
		answer_list(&msg.payload.list_forwards);
	api_fixture_run(&fixture);
	return true;
}

/* The reply is a list, sent twice, and equals the table. */
static void
check_list(void)
{
	const char *at = reply;
	uint32_t id;

	for (uint32_t i = 0; i < 2 * table->n; i++) {
		at = strstr(at, "{\"id\":");
		assert_non_null(at);
		assert_int_equal(sscanf(at, "{\"id\":%u,", &id), 1);
		assert_int_equal(id, table->entries[i % table->n].id);
		at++;
	}
	assert_null(strstr(at, "{\"id\":"));
}

/* Reads the replies that have arrived. */
static void
take_replies(void)
{
	bool at_eof;

	for (size_t i = n_waiting; i-- > 0;) {
		api_fixture_read(waiting_fds[i], reply, sizeof(reply), &at_eof);
		if (!at_eof) {
			assert_string_equal(reply, "");
			continue;
		}
		if (strncmp(reply, "{\"return\":{\"entries\"", 20) == 0)
			check_list();
		close(waiting_fds[i]);
		waiting_fds[i] = waiting_fds[--n_waiting];
	}
}

static void
ask(const char *text)
{
	waiting_fds[n_waiting] = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, waiting_fds[n_waiting++], text);
	take_replies();
}

static void
ask_for_something(uint32_t choice)
{
	char remove[80];

	snprintf(remove, sizeof(remove),
	    "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":%u}}",
	    1 + (uint32_t)rand() % (last_id + 2));
	if (choice < 2)
		ask(ADD);
	else
		ask(choice < 6 ? remove : LIST);
}

static void
test_list_is_the_table_in_any_order_of_events(void **state)
{
	for (unsigned int run = 0; run < N_RUNS; run++) {
		srand(run);
		for (int i = rand() % (4 * IPC_PAGE_ENTRIES); i > 0; i--)
			add_forward();
		for (int step = 0; step < N_STEPS; step++) {
			uint32_t choice = (uint32_t)rand() % 16;

			if (choice < 8 && n_waiting < WAITING_MAX)
				ask_for_something(choice);
			else if (answer_one())
				take_replies();
		}
		while (answer_one())
			take_replies();
		assert_int_equal(n_waiting, 0);
		ask(LIST);
		while (answer_one())
			take_replies();
		assert_int_equal(n_waiting, 0);
		assert_true(fixture.api.knows_forwards);
		assert_int_not_equal(fixture.api.connector.channel.fd, -1);
		teardown(state);
		setup(state);
	}
}

/* The connector gets no requests for later lists. */
static void
test_connector_is_asked_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3 * IPC_PAGE_ENTRIES; i++)
		add_forward();
	ask(LIST);
	for (int page = 0; page < 3; page++)
		assert_true(answer_one());
	take_replies();
	assert_int_equal(n_waiting, 0);
	for (int i = 0; i < 10; i++) {
		ask(LIST);
		assert_int_equal(n_waiting, 0);
		assert_false(answer_one());
	}
}

static void
expect_busy(void)
{
	bool at_eof;

	api_fixture_run(&fixture);
	api_fixture_read(waiting_fds[0], reply, sizeof(reply), &at_eof);
	assert_true(at_eof);
	assert_non_null(strstr(reply, BUSY));
	assert_int_equal(fixture.api.connector.channel.fd, -1);
	close(waiting_fds[0]);
	n_waiting = 0;
}

/* A list that may be outdated is not sent. */
static void
test_without_connector_there_is_no_list(void **state)
{
	(void)state;
	ask(LIST);
	assert_true(answer_one());
	take_replies();
	ipc_channel_close(&fixture.connector);
	api_fixture_run(&fixture);
	waiting_fds[n_waiting++] = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, waiting_fds[0], LIST);
	expect_busy();
}

static void
test_page_that_does_not_follow(void **state)
{
	struct ipc_forwards_page page = { .n = 1, .has_more = 1 };
	struct ipc_message msg;
	const char *why;

	(void)state;
	add_forward();
	page.entries[0] = table->entries[0];
	ask(LIST);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ipc_channel_recv(&fixture.connector, &msg, &why),
		    IPC_OUTCOME_MESSAGE);
		page.request = msg.payload.list_forwards.request;
		assert_int_equal(ipc_send_forwards_page(&fixture.connector, &page), 0);
		api_fixture_run(&fixture);
	}
	expect_busy();
}

static void
test_addition_that_does_not_follow(void **state)
{
	(void)state;
	add_forward();
	ask(LIST);
	assert_true(answer_one());
	take_replies();
	/* Uses the same id again. */
	assert_int_equal(forward_table_remove(table, 1), 0);
	last_id = 0;
	ask(ADD);
	assert_true(answer_one());
	assert_int_equal(fixture.api.connector.channel.fd, -1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_list_is_the_table_in_any_order_of_events),
		TEST(test_connector_is_asked_once),
		TEST(test_without_connector_there_is_no_list),
		TEST(test_page_that_does_not_follow),
		TEST(test_addition_that_does_not_follow),
	};

	api_request_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
