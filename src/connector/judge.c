/* SPDX-License-Identifier: BSD-2-Clause */
/* Judges the open flows by a new policy, some at a time. */
#include "connector/judge.h"

#include "base/clock.h"
#include "connector/policy.h"

bool
judge_wants_a_turn(const struct connector *connector)
{
	/* The flow of an answer that waits has no socket yet that could be ended. */
	return connector->flows.is_judging && !connector->has_answer;
}

void
judge_proceed(struct connector *connector)
{
	struct flows *flows = &connector->flows;
	uint64_t ends_ms = clock_now_ms() + JUDGE_TURN_MS;

	if (!judge_wants_a_turn(connector))
		return;
	for (int i = 0;
	     flows->is_judging && i < JUDGE_FLOWS_MAX && clock_now_ms() <= ends_ms; i++) {
		struct flow *flow = flow_table_from(&flows->table, flows->judge_at);

		if (flow == NULL) {
			flows->is_judging = false;
			return;
		}
		flows->judge_at = flow_table_index(&flows->table, flow) + 1;
		/* The worker finds its socket reset or closed, and reports the end. A worker that
		 * does not has no use of it. */
		if (flow->is_judged && !connector_policy_lets_go_on(flow))
			flows_end_sockets(flow, true);
	}
}
