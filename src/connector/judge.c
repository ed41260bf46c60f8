/* SPDX-License-Identifier: BSD-2-Clause */
/* Judges the open flows by a new policy, some at a time. */
#include "connector/judge.h"

#include "base/clock.h"
#include "connector/open/open.h"
#include "connector/policy.h"

bool
judge_wants_a_turn(const struct connector *connector)
{
	return connector->flows.is_judging;
}

/* The worker may take the answer later; its socket is then of no use. */
static void
end_answer(struct connector *connector, const struct flow *flow)
{
	if (connector->answer.fd != -1)
		open_end(connector->answer.fd, flow->asked.proto, true);
	if (connector->answer.answers_fd != -1)
		open_end(connector->answer.answers_fd, flow->asked.proto, true);
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
		if (!flow->is_judged || connector_policy_lets_go_on(flow))
			continue;
		flows_end_sockets(flow, true);
		if (connector->has_answer &&
		    flows_find(flows, connector->answer.opened.flow) == flow)
			end_answer(connector, flow);
	}
}
