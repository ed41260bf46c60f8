/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the policy on the guest's destinations, and asks it about each flow. */
#include "connector/policy.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "connector/policy_parts.h"
#include "ipc/dispatch.h"
#include "model/policy/tables.h"
#include "process/child.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
IPC_ROWS_POLICY(DECLARE)
IPC_ROWS_PARENT_TO_CONNECTOR(DECLARE)
IPC_ROWS_PARENT_TO_SERVER_USERS(DECLARE)
IPC_ROWS_API_TO_CONNECTOR(DECLARE)

static_assert(PINS_N_PATTERNS == IPC_POLICY_NAMES_MAX &&
	PINS_PER_ADDR_MAX == IPC_DNS_PATTERNS_MAX,
    "pins have a place for each pattern that the resolver names");
static_assert(PINS_MAX == IPC_POLICY_PINS_MAX &&
	DENIED_FLOWS_MAX + DENIED_NAMES_MAX == IPC_POLICY_DENIED_MAX,
    "a page can be followed by one from any place of its table");

/* A pattern that the next policy does not have. */
#define NO_PATTERN PINS_N_PATTERNS

/* Stands for a label that no pattern has. */
#define ANY_LABEL "*."

struct policy_state policy_state;

static struct loaded *
next_place(void)
{
	return &policy_state.loaded[policy_state.in_force == &policy_state.loaded[0]];
}

void
connector_policy_init(struct connector *connector,
    const struct ipc_connector_start *start)
{
	const struct ipc_network *network = &start->network;
	uint64_t secret[2];

	(void)connector;
	policy_state.has_policy = start->has_policy;
	policy_state.place.network_be = network->network_be;
	policy_state.place.netmask_be = network->netmask_be;
	policy_state.place.prefix6 = network->prefix6;
	policy_state.place.nameserver[0] = inaddr_from4(network->nameserver_be);
	policy_state.place.nameserver[1] = inaddr_from6(&network->nameserver6);
	policy_state.place.has_nameserver[0] = policy_state.place.has_nameserver[1] =
	    true;
	if (!policy_state.has_policy)
		return;
	/* Before the jail, and only now: without a policy a low limit on memory is enough. */
	policy_state.loaded = calloc(2, sizeof(*policy_state.loaded));
	policy_state.denied = calloc(1, sizeof(*policy_state.denied));
	if (policy_state.loaded == NULL || policy_state.denied == NULL)
		fatal("get memory for the policy");
	policy_state.take.policy = &next_place()->policy;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		fatal("get random bytes");
	pins_init(&policy_state.pins, secret);
	denied_init(policy_state.denied, secret);
}

void
connector_policy_free(void)
{
	free(policy_state.loaded);
	free(policy_state.denied);
	memset(&policy_state, 0, sizeof(policy_state));
}

static void
check_row(bool is_good, const char *why)
{
	if (!is_good)
		fatalx("message from the parent: policy: %s", why);
}

#define TAKE(step) \
	void connector_on_policy_##step(struct connector *connector, \
	    const struct ipc_policy_##step *msg) \
	{ \
		const char *why; \
		bool is_good = policy_take_##step(&policy_state.take, msg, &why); \
\
		(void)connector; \
		check_row(is_good, why); \
	}
TAKE(begin)
TAKE(source)
TAKE(rules)
TAKE(prefixes)
TAKE(names)

/* Returns n_rules if the policy has no such rule. */
static uint32_t
find_rule(const struct policy *policy, uint64_t key)
{
	uint32_t rule = 0;

	while (rule < policy->n_rules && policy->rules[rule].key != key)
		rule++;
	return rule;
}

/* A rule that is in both policies keeps its hits. */
static void
keep_hits(struct loaded *next, const struct loaded *old)
{
	memset(next->hits, 0, sizeof(next->hits));
	for (uint32_t i = 0; old != NULL && i < next->policy.n_rules; i++) {
		uint32_t at = find_rule(&old->policy, next->policy.rules[i].key);

		if (at < old->policy.n_rules)
			next->hits[i] = old->hits[at];
	}
}

static uint16_t
find_pattern(const struct loaded *loaded, const struct ipc_policy_name *name)
{
	return policy_tables_find_pattern(&loaded->matcher, name->text,
	    strlen(name->text), name->is_wildcard);
}

/* Whether the policy refuses queries for the name, or for all names below the wildcard. */
static bool
is_refused(const struct loaded *loaded, const struct ipc_policy_name *name)
{
	char text[sizeof(ANY_LABEL) + sizeof(name->text)];

	snprintf(text, sizeof(text), "%s%s", name->is_wildcard ? ANY_LABEL : "",
	    name->text);
	return !policy_match_query(&loaded->matcher, text, strlen(text)).is_allowed;
}

/* A pattern that is in both policies keeps its pins: they are of the same names. The rules of the
 * new policy bound them. If the new policy refuses the name, no answer would open the address. */
static void
keep_pins(const struct loaded *next, const struct loaded *old)
{
	if (old == NULL)
		return;
	for (uint16_t i = 0; i < old->matcher.n_patterns; i++) {
		const struct ipc_policy_name *name =
		    &old->policy.names[old->matcher.patterns[i].name];
		uint16_t found = find_pattern(next, name);

		policy_state.new_patterns[i] =
		    found == POLICY_NO_PATTERN || is_refused(next, name) ? NO_PATTERN
									 : found;
	}
	policy_state.old_generation = old->generation;
	policy_state.n_old_patterns = old->matcher.n_patterns;
	pins_move(&policy_state.pins, policy_state.new_patterns);
}

/* Flows that are open hold the pins that are left. */
static void
keep_holds(const struct flows *flows, const struct loaded *next, const struct loaded *old)
{
	struct flow *flow = NULL;

	while (old != NULL && (flow = flow_table_next(&flows->table, flow)) != NULL) {
		if (flow->pin_generation != old->generation)
			continue;
		flow->pin_pattern = policy_state.new_patterns[flow->pin_pattern];
		flow->pin_generation =
		    flow->pin_pattern == NO_PATTERN ? 0 : next->generation;
		if (flow->pin_generation != 0)
			pins_hold(&policy_state.pins, &flow->asked.peer,
			    flow->pin_pattern);
	}
}

struct policy_verdict
policy_judge_dest(uint8_t proto, uint16_t port, const struct inaddr *addr,
    const uint16_t *patterns, size_t n_patterns)
{
	const struct policy_question question = {
		.proto = proto,
		.port = port,
		.addr = *addr,
		.patterns = patterns,
		.n_patterns = n_patterns,
	};

	return policy_match(&policy_state.in_force->matcher, &policy_state.place,
	    &question);
}

/* Whether the policy in force allows an entry of the list of what was denied. */
static bool
is_allowed_now(void *ctx, const struct ipc_denied *row)
{
	const struct policy_matcher *matcher = &policy_state.in_force->matcher;
	uint16_t patterns[POLICY_PATTERNS_MAX];
	size_t len = strlen(row->name), n = 0;

	(void)ctx;
	if (row->proto == IPC_POLICY_PROTO_any)
		return policy_match_query(matcher, row->name, len).is_allowed;
	if (len > 0)
		n = policy_patterns_find(matcher, row->name, len, patterns);
	return policy_judge_dest(row->proto, row->port, &row->addr, patterns, n)
	    .is_allowed;
}

void
connector_on_policy_commit(struct connector *connector,
    const struct ipc_policy_commit *msg)
{
	const struct ipc_policy_committed committed = { .generation = msg->generation };
	struct loaded *next;
	const char *why;
	bool is_good = policy_take_commit(&policy_state.take, msg, &why);

	check_row(is_good, why);
	next = next_place();
	policy_matcher_make(&next->matcher, &next->policy);
	next->generation = msg->generation;
	keep_hits(next, policy_state.in_force);
	keep_pins(next, policy_state.in_force);
	keep_holds(&connector->flows, next, policy_state.in_force);
	policy_state.in_force = next;
	denied_drop_if(policy_state.denied, is_allowed_now, NULL);
	connector->flows.judge_at = 0;
	connector->flows.is_judging =
	    next->policy.settings.established == IPC_POLICY_ESTABLISHED_reset;
	policy_state.take.policy = &next_place()->policy;
	child_check_sent(ipc_send_policy_committed(&connector->to_parent, &committed),
	    "report the policy to the parent");
}

void
connector_on_host_addrs(struct connector *connector, const struct ipc_host_addrs *msg)
{
	(void)connector;
	if (msg->is_first)
		policy_state.n_new_host = 0;
	if (policy_state.n_new_host + msg->n > POLICY_HOST_ADDRS_MAX)
		fatalx("message from the parent: host_addrs: more than %d addresses",
		    POLICY_HOST_ADDRS_MAX);
	memcpy(policy_state.new_host + policy_state.n_new_host, msg->addrs,
	    msg->n * sizeof(msg->addrs[0]));
	policy_state.n_new_host += msg->n;
	if (msg->is_last)
		policy_place_set_host(&policy_state.place, policy_state.new_host,
		    policy_state.n_new_host);
}

static uint8_t
proto_of(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return IPC_POLICY_PROTO_tcp;
	case IPPROTO_UDP:
		return IPC_POLICY_PROTO_udp;
	default:
		return IPC_POLICY_PROTO_icmp;
	}
}

/* Returns the error for the worker. By it the worker answers the guest with ICMP
 * "administratively prohibited" or a refused connection, or does not answer. */
static int
refusal(void)
{
	switch (policy_state.in_force->policy.settings.refusal) {
	case IPC_POLICY_REFUSAL_reset:
		return ECONNREFUSED;
	case IPC_POLICY_REFUSAL_drop:
		return ETIMEDOUT;
	default:
		return EACCES;
	}
}

bool
connector_policy_allows_queries(void)
{
	/* The resolver compares names. If none is listed, it needs no name server. */
	return !policy_state.has_policy ||
	    (policy_state.in_force != NULL &&
		(policy_state.in_force->policy.n_names > 0 ||
		    policy_state.in_force->matcher.dns_is_any ||
		    policy_state.in_force->policy.settings.mode ==
			IPC_POLICY_MODE_audit));
}

/* Whether the patterns are those of the policy in force, or of the one before it. Returns 0, or the
 * error of connector_policy_pin(). */
static int
check_patterns(const struct ipc_dns_pin *msg)
{
	uint32_t n_patterns;

	if (policy_state.in_force == NULL)
		return EACCES;
	if (msg->generation == policy_state.in_force->generation)
		n_patterns = policy_state.in_force->matcher.n_patterns;
	else if (msg->generation == policy_state.old_generation)
		n_patterns = policy_state.n_old_patterns;
	else
		return EACCES;
	for (unsigned int i = 0; i < msg->n_patterns; i++) {
		if (msg->patterns[i] >= n_patterns)
			return EINVAL;
	}
	return 0;
}

int
connector_policy_pin(const struct ipc_dns_pin *msg)
{
	uint64_t now_ms = clock_now_ms();
	bool is_pinned = false;
	int error = check_patterns(msg);

	if (error != 0)
		return error;
	for (unsigned int i = 0; i < msg->n_addrs; i++)
		denied_note_origin(policy_state.denied, &msg->addrs[i], msg->name);
	for (unsigned int k = 0; k < msg->n_patterns; k++) {
		uint16_t pattern = msg->generation == policy_state.in_force->generation
		    ? msg->patterns[k]
		    : policy_state.new_patterns[msg->patterns[k]];

		for (unsigned int i = 0; pattern != NO_PATTERN && i < msg->n_addrs; i++) {
			pins_add(&policy_state.pins, &msg->addrs[i], pattern, msg->ttl_s,
			    now_ms);
			is_pinned = true;
		}
	}
	return is_pinned ? 0 : EACCES;
}

static uint8_t
reason_of_rule(const struct ipc_policy_rule *rule)
{
	return rule->action == IPC_POLICY_ACTION_forbid ? IPC_DENIED_BY_forbid
							: IPC_DENIED_BY_deny;
}

static void
add_hit(struct hits *hits)
{
	hits->n++;
	hits->last_ms = clock_now_ms();
}

int
connector_policy_note_refusal(const struct ipc_dns_refusal *msg)
{
	struct loaded *loaded = policy_state.in_force;
	uint8_t reason = IPC_DENIED_BY_default;

	if (loaded == NULL)
		return 0;
	policy_state.n_names_denied += msg->n_denied;
	policy_state.n_names_limited += msg->n_limited;
	policy_state.n_addrs_cut += msg->n_cut;
	/* The rules of the policy before have gone. */
	if (msg->generation != loaded->generation)
		return 0;
	if (msg->rule != IPC_DNS_NO_RULE) {
		if (msg->rule >= loaded->policy.n_rules)
			return -1;
		add_hit(&loaded->hits[msg->rule]);
		reason = reason_of_rule(&loaded->policy.rules[msg->rule]);
	}
	if (msg->name[0] != '\0')
		denied_note_name(policy_state.denied, msg->name, reason);
	return 0;
}

static void
note_denied(const struct flow *flow, const struct policy_verdict *verdict)
{
	struct ipc_denied row = {
		.proto = proto_of(flow->asked.proto),
		.port = flow->asked.peer_port,
		.addr = flow->asked.peer,
		.classes = verdict->classes,
		.reason = IPC_DENIED_BY_default,
	};

	if (verdict->reason == POLICY_BY_RULE)
		row.reason =
		    reason_of_rule(&policy_state.in_force->policy.rules[verdict->rule]);
	else if (verdict->reason == POLICY_BY_DNS_EXCLUSIVE)
		row.reason = IPC_DENIED_BY_dns_exclusive;
	denied_note_flow(policy_state.denied, &row);
}

static void
count(const struct policy_verdict *verdict)
{
	if (verdict->reason == POLICY_BY_RULE)
		add_hit(&policy_state.in_force->hits[verdict->rule]);
	else
		policy_state.n_by_default++;
	if (verdict->is_allowed)
		policy_state.n_allowed++;
	else
		policy_state.n_denied++;
}

/* The name server's address is never judged: its flows lead to the resolver (destination.c). */
static struct policy_verdict
judge(const struct flow *flow, const uint16_t *patterns, size_t n_patterns)
{
	const struct ipc_flow_open *asked = &flow->asked;

	return policy_judge_dest(proto_of(asked->proto), asked->peer_port, &asked->peer,
	    patterns, n_patterns);
}

static struct policy_verdict
judge_by_pins(const struct flow *flow)
{
	uint16_t patterns[PINS_PER_ADDR_MAX];
	size_t n =
	    pins_find(&policy_state.pins, &flow->asked.peer, clock_now_ms(), patterns);

	return judge(flow, patterns, n);
}

/* A pin lasts while a flow is open that it lets through. */
static void
hold_pin(struct flow *flow, uint32_t rule, const uint16_t *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct policy_verdict verdict = judge(flow, &patterns[i], 1);

		if (verdict.reason != POLICY_BY_RULE || verdict.rule != rule)
			continue;
		flow->pin_pattern = patterns[i];
		flow->pin_generation = policy_state.in_force->generation;
		pins_hold(&policy_state.pins, &flow->asked.peer, patterns[i]);
		return;
	}
}

void
connector_policy_note_end(const struct flow *flow)
{
	if (flow->pin_generation != 0)
		pins_release(&policy_state.pins, &flow->asked.peer, flow->pin_pattern,
		    clock_now_ms());
}

void
connector_policy_note_all_ends(void)
{
	if (policy_state.in_force != NULL)
		pins_release_all(&policy_state.pins, clock_now_ms());
}

int
connector_policy_check(struct flow *flow)
{
	uint16_t patterns[PINS_PER_ADDR_MAX];
	struct policy_verdict verdict;
	size_t n;

	if (!policy_state.has_policy)
		return 0;
	if (policy_state.in_force == NULL)
		return EACCES;
	n = pins_find(&policy_state.pins, &flow->asked.peer, clock_now_ms(), patterns);
	verdict = judge(flow, patterns, n);
	count(&verdict);
	flow->is_judged = true;
	if (!verdict.is_allowed)
		note_denied(flow, &verdict);
	if (verdict.is_allowed && verdict.reason == POLICY_BY_RULE)
		hold_pin(flow, verdict.rule, patterns, n);
	if (verdict.is_allowed ||
	    policy_state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit)
		return 0;
	return refusal();
}

static bool
is_forbidden(const struct policy_verdict *verdict)
{
	return verdict->reason == POLICY_BY_RULE &&
	    policy_state.in_force->policy.rules[verdict->rule].action ==
	    IPC_POLICY_ACTION_forbid;
}

bool
connector_policy_lets_go_on(const struct flow *flow)
{
	struct policy_verdict verdict = judge_by_pins(flow);

	if (policy_state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit ||
	    verdict.is_allowed)
		return true;
	if (flow->is_reply || is_forbidden(&verdict))
		return !is_forbidden(&verdict);
	return flow->pin_generation != 0 && judge(flow, &flow->pin_pattern, 1).is_allowed;
}

int
connector_policy_check_peer(struct flow *flow)
{
	struct policy_verdict verdict;

	if (!policy_state.has_policy)
		return 0;
	if (policy_state.in_force == NULL)
		return EACCES;
	flow->is_judged = flow->is_reply = true;
	verdict = judge(flow, NULL, 0);
	if (!is_forbidden(&verdict))
		return 0;
	count(&verdict);
	return policy_state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit
	    ? 0
	    : refusal();
}
