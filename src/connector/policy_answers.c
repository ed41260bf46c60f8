/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers the api's questions about the policy. */
#include "connector/policy.h"

#include <string.h>

#include "base/clock.h"
#include "base/dnsname.h"
#include "connector/policy_parts.h"
#include "ipc/dispatch.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
IPC_ROWS_API_TO_CONNECTOR(DECLARE)

void
connector_on_query_policy(struct connector *connector, const struct ipc_query_policy *msg)
{
	const struct ipc_policy_state answer = {
		.request = msg->request,
		.generation =
		    policy_state.in_force != NULL ? policy_state.in_force->generation : 0,
		.n_allowed = policy_state.n_allowed,
		.n_denied = policy_state.n_denied,
		.n_by_default = policy_state.n_by_default,
		.n_flows_limited = connector->flows.n_limited,
		.n_names_denied = policy_state.n_names_denied,
		.n_names_limited = policy_state.n_names_limited,
		.n_addrs_cut = policy_state.n_addrs_cut,
		.n_pins = policy_state.in_force != NULL
		    ? pins_count(&policy_state.pins, clock_now_ms())
		    : 0,
	};

	chan_api_check_sent(&connector->api,
	    ipc_send_policy_state(&connector->api.channel, &answer));
}

void
connector_on_list_hits(struct connector *connector, const struct ipc_list_hits *msg)
{
	const struct loaded *loaded = policy_state.in_force;
	struct ipc_hits_page page = { .request = msg->request };
	uint64_t now_ms = clock_now_ms();

	if (loaded != NULL) {
		page.generation = loaded->generation;
		while (page.n < IPC_POLICY_HITS_N &&
		    msg->from + page.n < loaded->policy.n_rules) {
			const struct hits *hits = &loaded->hits[msg->from + page.n];

			page.hits[page.n].n = hits->n;
			if (hits->n > 0)
				page.hits[page.n].idle_ms = now_ms - hits->last_ms;
			page.n++;
		}
	}
	chan_api_check_sent(&connector->api,
	    ipc_send_hits_page(&connector->api.channel, &page));
}

static struct ipc_pin
describe_pin(const struct loaded *loaded, const struct pin *pin, uint64_t now_ms)
{
	uint64_t life_ms = pin->ends_ms > now_ms ? pin->ends_ms - now_ms : 0;

	return (struct ipc_pin){
		.addr = pin->addr,
		.name = loaded->matcher.patterns[pin->pattern].name,
		.life_s = (uint32_t)(life_ms / CLOCK_MS_PER_S),
	};
}

void
connector_on_list_pins(struct connector *connector, const struct ipc_list_pins *msg)
{
	const struct loaded *loaded = policy_state.in_force;
	struct ipc_pins_page page = { .request = msg->request };
	uint64_t now_ms = clock_now_ms();
	uint32_t place = msg->from;
	const struct pin *pin = NULL;

	if (loaded != NULL)
		page.generation = loaded->generation;
	while (loaded != NULL && page.n < IPC_POLICY_PINS_N &&
	    (pin = pins_from(&policy_state.pins, &place, now_ms)) != NULL) {
		page.pins[page.n++] = describe_pin(loaded, pin, now_ms);
	}
	page.next = pin != NULL ? place : 0;
	chan_api_check_sent(&connector->api,
	    ipc_send_pins_page(&connector->api.channel, &page));
}

/* Sets the verdict on a flow to a name, or to an address by its pins. Returns the number of
 * patterns. */
static size_t
judge_question(const struct ipc_check_flow *asked, struct policy_verdict *verdict,
    uint16_t patterns[POLICY_PATTERNS_MAX])
{
	const struct policy_matcher *matcher = &policy_state.in_force->matcher;
	size_t len = strlen(asked->name), n;

	if (len > 0) {
		*verdict = policy_match_name(matcher, asked->proto, asked->port,
		    asked->name, len);
		verdict->classes = 0;
		return policy_patterns_find(matcher, asked->name, len, patterns);
	}
	n = pins_find(&policy_state.pins, &asked->addr, clock_now_ms(), patterns);
	*verdict =
	    policy_judge_dest(asked->proto, asked->port, &asked->addr, patterns, n);
	/* The resolver judges such a flow, by the names in it. */
	if ((verdict->classes & IPC_POLICY_BIT(nameserver)) && asked->port == DNS_PORT) {
		verdict->is_allowed = connector_policy_allows_queries();
		verdict->reason = POLICY_BY_QUERIES;
	}
	return n;
}

/* The pins to these patterns: of the address, or of all if there is a name. */
static void
list_pins_of(const struct ipc_check_flow *asked, const uint16_t *patterns,
    size_t n_patterns, struct ipc_flow_verdict *answer)
{
	uint64_t now_ms = clock_now_ms();
	uint32_t place = 0;
	const struct pin *pin;

	while (n_patterns > 0 && answer->n < IPC_POLICY_VERDICT_PINS_N &&
	    (pin = pins_from(&policy_state.pins, &place, now_ms)) != NULL) {
		bool is_wanted = false;

		for (size_t i = 0; i < n_patterns; i++)
			is_wanted |= pin->pattern == patterns[i];
		if (is_wanted &&
		    (asked->name[0] != '\0' || inaddr_is_equal(&pin->addr, &asked->addr)))
			answer->pins[answer->n++] =
			    describe_pin(policy_state.in_force, pin, now_ms);
	}
}

void
connector_on_check_flow(struct connector *connector, const struct ipc_check_flow *msg)
{
	struct ipc_flow_verdict answer = { .request = msg->request,
		.reason = POLICY_BY_DEFAULT };
	uint16_t patterns[POLICY_PATTERNS_MAX];

	if (policy_state.in_force != NULL) {
		struct policy_verdict verdict;
		size_t n = judge_question(msg, &verdict, patterns);

		answer.generation = policy_state.in_force->generation;
		answer.classes = verdict.classes;
		answer.is_allowed = verdict.is_allowed;
		answer.reason = verdict.reason;
		answer.rule = (uint16_t)verdict.rule;
		list_pins_of(msg, patterns, n, &answer);
	}
	chan_api_check_sent(&connector->api,
	    ipc_send_flow_verdict(&connector->api.channel, &answer));
}

void
connector_on_list_denied(struct connector *connector, const struct ipc_list_denied *msg)
{
	struct ipc_denied_page page = { .request = msg->request };
	const struct ipc_denied *row = NULL;
	uint32_t place = msg->from;

	if (policy_state.in_force != NULL)
		page.generation = policy_state.in_force->generation;
	while (policy_state.denied != NULL && page.n < IPC_POLICY_DENIED_N &&
	    (row = denied_from(policy_state.denied, &place)) != NULL)
		page.entries[page.n++] = *row;
	page.next = row != NULL ? place : 0;
	chan_api_check_sent(&connector->api,
	    ipc_send_denied_page(&connector->api.channel, &page));
}
