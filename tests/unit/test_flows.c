/* SPDX-License-Identifier: BSD-2-Clause */
/* The connector's table of open flows: its numbers and its limits. */
#include "connector/flows.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "ipc_samples.h"

static struct flows flows;
static uint32_t error;

static int
set_up(void **state)
{
	(void)state;
	return flows_init(&flows);
}

static int
tear_down(void **state)
{
	(void)state;
	flow_table_free(&flows.table);
	return 0;
}

static struct flow *
open_flow(uint64_t number, uint64_t now_ms)
{
	struct ipc_flow_open asked;

	ipc_sample_flow_open(&asked);
	asked.flow = number;
	return flows_open(&flows, &asked, now_ms, &error);
}

static void
test_flow_is_known_while_it_is_open(void **state)
{
	static const uint64_t numbers[] = { 0, 1, UINT64_C(1) << 32, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct flow *flow;

		assert_null(flows_find(&flows, numbers[i]));
		flow = open_flow(numbers[i], 1000);
		assert_non_null(flow);
		assert_int_equal(error, 0);
		assert_int_equal(flow->asked.peer_port, 443);
		assert_ptr_equal(flows_find(&flows, numbers[i]), flow);
	}
	flows_close(&flows, flows_find(&flows, 1));
	assert_null(flows_find(&flows, 1));
	assert_non_null(flows_find(&flows, 0));
	assert_non_null(open_flow(1, 1000));
}

/* Opens n flows in a second each, and returns the first number that is free. */
static uint64_t
open_many(uint64_t number, uint64_t n, uint64_t *now_ms)
{
	for (uint64_t i = 0; i < n; i++) {
		if (i % FLOWS_PER_S == 0)
			*now_ms += 1000;
		assert_non_null(open_flow(number++, *now_ms));
	}
	return number;
}

static void
test_flows_above_the_limit_are_refused(void **state)
{
	uint64_t now_ms = 1000, number = open_many(0, IPC_FLOWS_TCP_MAX, &now_ms);

	(void)state;
	now_ms += 1000;
	assert_null(open_flow(number, now_ms));
	assert_int_equal(error, EMFILE);
	assert_int_equal(flows.n_limited, 1);
	flows_close(&flows, flows_find(&flows, 7));
	assert_non_null(open_flow(number, now_ms));
	assert_null(open_flow(7, now_ms));
	assert_int_equal(error, EMFILE);
}

static void
test_flows_above_the_rate_are_refused(void **state)
{
	uint64_t now_ms = 1000, number = open_many(0, FLOWS_PER_S, &now_ms);

	(void)state;
	assert_null(open_flow(number, now_ms));
	assert_int_equal(error, EAGAIN);
	assert_int_equal(flows.n_limited, 1);
	assert_null(flows_find(&flows, number));
	/* As many as come back in a millisecond. */
	for (int i = 0; i < FLOWS_PER_S / 1000; i++)
		assert_non_null(open_flow(number++, now_ms + 1));
	assert_null(open_flow(number, now_ms + 1));
	assert_int_equal(error, EAGAIN);
	/* A pause gives no more than a second's. */
	flows_close_all(&flows);
	now_ms += 100000;
	number = open_many(number, FLOWS_PER_S, &now_ms);
	assert_null(open_flow(number, now_ms));
}

static unsigned int n_lines;
static char last_line[LOG_TEXT_SIZE];

static void
keep_line(enum log_level level, const char *text)
{
	(void)level;
	n_lines++;
	snprintf(last_line, sizeof(last_line), "%s", text);
}

static void
test_each_cause_has_a_line(void **state)
{
	uint64_t now_ms = 1000, number;

	(void)state;
	n_lines = 0;
	log_set_emit(keep_line);
	number = open_many(0, FLOWS_PER_S, &now_ms);
	for (int i = 0; i < 3; i++)
		assert_null(open_flow(number, now_ms));
	assert_int_equal(n_lines, 1);
	assert_string_equal(last_line,
	    "flows: slirp-worker asked for more than 30000 flows in a second; flow refused "
	    "(query_policy: flows_limited)");
	now_ms += 1000;
	number = open_many(number, IPC_FLOWS_TCP_MAX - FLOWS_PER_S, &now_ms);
	now_ms += 1000;
	for (int i = 0; i < 3; i++)
		assert_null(open_flow(number, now_ms));
	assert_int_equal(n_lines, 2);
	assert_non_null(strstr(last_line, " TCP flows, the limit; flow refused"));
	assert_int_equal(flows.n_limited, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flow_is_known_while_it_is_open,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flows_above_the_limit_are_refused,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flows_above_the_rate_are_refused,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_cause_has_a_line, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
