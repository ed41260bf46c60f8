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
#include "base/dnsname.h"
#include "base/log.h"
#include "connector/denied.h"
#include "connector/pins.h"
#include "ipc/dispatch.h"
#include "model/policy/match.h"
#include "model/policy/print.h"
#include "model/policy/rows.h"
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

/* How often a rule has decided, and when it did last. */
struct hits {
	uint64_t n, last_ms;
};

struct loaded {
	uint64_t generation;
	struct policy policy;
	struct policy_matcher matcher;
	struct hits hits[IPC_POLICY_RULES_MAX];
};

/* A pattern that the next policy does not have. */
#define NO_PATTERN PINS_N_PATTERNS

/* Stands for a label that no pattern has. */
#define ANY_LABEL "*."

static struct {
	bool has_policy;
	/* Two, if has_policy. The one that is not in force is the place of the next. */
	struct loaded *loaded;
	struct loaded *in_force; /* NULL: none has come */
	struct policy_take take;
	struct policy_place place;
	/* For pins that the resolver sends before it knows the policy in force: the pattern here
	 * of each of the policy before, whose generation it is. */
	uint64_t old_generation; /* 0: none */
	uint32_t n_old_patterns;
	uint16_t new_patterns[PINS_N_PATTERNS];
	struct pins pins;      /* to patterns of the policy in force */
	struct denied *denied; /* owned; NULL without a policy */
	/* As in ipc_policy_state. */
	uint64_t n_allowed, n_denied, n_by_default;
	uint64_t n_names_denied, n_names_limited, n_addrs_cut;
	uint32_t n_new_host; /* of a list of addresses that is not complete */
	struct inaddr new_host[POLICY_HOST_ADDRS_MAX];
} state;

static struct loaded *
next_place(void)
{
	return &state.loaded[state.in_force == &state.loaded[0]];
}

void
connector_policy_init(struct connector *connector,
    const struct ipc_connector_start *start)
{
	const struct ipc_network *network = &start->network;
	uint64_t secret[2];

	(void)connector;
	state.has_policy = start->has_policy;
	state.place.network_be = network->network_be;
	state.place.netmask_be = network->netmask_be;
	state.place.prefix6 = network->prefix6;
	state.place.nameserver[0] = inaddr_from4(network->nameserver_be);
	state.place.nameserver[1] = inaddr_from6(&network->nameserver6);
	state.place.has_nameserver[0] = state.place.has_nameserver[1] = true;
	if (!state.has_policy)
		return;
	/* Before the jail, and only now: without a policy a low limit on memory is enough. */
	state.loaded = calloc(2, sizeof(*state.loaded));
	state.denied = calloc(1, sizeof(*state.denied));
	if (state.loaded == NULL || state.denied == NULL)
		fatal("get memory for the policy");
	state.take.policy = &next_place()->policy;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		fatal("get random bytes");
	pins_init(&state.pins, secret);
	denied_init(state.denied, secret);
}

void
connector_policy_free(void)
{
	free(state.loaded);
	free(state.denied);
	memset(&state, 0, sizeof(state));
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
		bool is_good = policy_take_##step(&state.take, msg, &why); \
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

		state.new_patterns[i] =
		    found == POLICY_NO_PATTERN || is_refused(next, name) ? NO_PATTERN
									 : found;
	}
	state.old_generation = old->generation;
	state.n_old_patterns = old->matcher.n_patterns;
	pins_move(&state.pins, state.new_patterns);
}

/* Flows that are open hold the pins that are left. */
static void
keep_holds(const struct flows *flows, const struct loaded *next, const struct loaded *old)
{
	struct flow *flow = NULL;

	while (old != NULL && (flow = flow_table_next(&flows->table, flow)) != NULL) {
		if (flow->pin_generation != old->generation)
			continue;
		flow->pin_pattern = state.new_patterns[flow->pin_pattern];
		flow->pin_generation =
		    flow->pin_pattern == NO_PATTERN ? 0 : next->generation;
		if (flow->pin_generation != 0)
			pins_hold(&state.pins, &flow->asked.peer, flow->pin_pattern);
	}
}

/* patterns are those of the address. */
static struct policy_verdict
judge_dest(uint8_t proto, uint16_t port, const struct inaddr *addr,
    const uint16_t *patterns, size_t n_patterns)
{
	const struct policy_question question = {
		.proto = proto,
		.port = port,
		.addr = *addr,
		.patterns = patterns,
		.n_patterns = n_patterns,
	};

	return policy_match(&state.in_force->matcher, &state.place, &question);
}

/* What the new policy allows leaves the list of what was denied. */
static bool
is_allowed_now(void *ctx, const struct ipc_denied *row)
{
	const struct policy_matcher *matcher = &state.in_force->matcher;
	uint16_t patterns[POLICY_PATTERNS_MAX];
	size_t len = strlen(row->name), n = 0;

	(void)ctx;
	if (row->proto == IPC_POLICY_PROTO_any)
		return policy_match_query(matcher, row->name, len).is_allowed;
	if (len > 0)
		n = policy_patterns_find(matcher, row->name, len, patterns);
	return judge_dest(row->proto, row->port, &row->addr, patterns, n).is_allowed;
}

void
connector_on_policy_commit(struct connector *connector,
    const struct ipc_policy_commit *msg)
{
	const struct ipc_policy_committed committed = { .generation = msg->generation };
	struct loaded *next;
	const char *why;
	bool is_good = policy_take_commit(&state.take, msg, &why);

	check_row(is_good, why);
	next = next_place();
	policy_matcher_make(&next->matcher, &next->policy);
	next->generation = msg->generation;
	keep_hits(next, state.in_force);
	keep_pins(next, state.in_force);
	keep_holds(&connector->flows, next, state.in_force);
	state.in_force = next;
	denied_drop_if(state.denied, is_allowed_now, NULL);
	connector->flows.judge_at = 0;
	connector->flows.is_judging =
	    next->policy.settings.established == IPC_POLICY_ESTABLISHED_reset;
	state.take.policy = &next_place()->policy;
	child_check_sent(ipc_send_policy_committed(&connector->to_parent, &committed),
	    "report the policy to the parent");
}

void
connector_on_host_addrs(struct connector *connector, const struct ipc_host_addrs *msg)
{
	(void)connector;
	if (msg->is_first)
		state.n_new_host = 0;
	if (state.n_new_host + msg->n > POLICY_HOST_ADDRS_MAX)
		fatalx("message from the parent: host_addrs: more than %d addresses",
		    POLICY_HOST_ADDRS_MAX);
	memcpy(state.new_host + state.n_new_host, msg->addrs,
	    msg->n * sizeof(msg->addrs[0]));
	state.n_new_host += msg->n;
	if (msg->is_last)
		policy_place_set_host(&state.place, state.new_host, state.n_new_host);
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
	switch (state.in_force->policy.settings.refusal) {
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
	return !state.has_policy ||
	    (state.in_force != NULL &&
		(state.in_force->policy.n_names > 0 ||
		    state.in_force->matcher.dns_is_any ||
		    state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit));
}

/* Whether the patterns are those of the policy in force, or of the one before it. Returns 0, or the
 * error of connector_policy_pin(). */
static int
check_patterns(const struct ipc_dns_pin *msg)
{
	uint32_t n_patterns;

	if (state.in_force == NULL)
		return EACCES;
	if (msg->generation == state.in_force->generation)
		n_patterns = state.in_force->matcher.n_patterns;
	else if (msg->generation == state.old_generation)
		n_patterns = state.n_old_patterns;
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
		denied_note_origin(state.denied, &msg->addrs[i], msg->name);
	for (unsigned int k = 0; k < msg->n_patterns; k++) {
		uint16_t pattern = msg->generation == state.in_force->generation
		    ? msg->patterns[k]
		    : state.new_patterns[msg->patterns[k]];

		for (unsigned int i = 0; pattern != NO_PATTERN && i < msg->n_addrs; i++) {
			pins_add(&state.pins, &msg->addrs[i], pattern, msg->ttl_s,
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
	struct loaded *loaded = state.in_force;
	uint8_t reason = IPC_DENIED_BY_default;

	if (loaded == NULL)
		return 0;
	state.n_names_denied += msg->n_denied;
	state.n_names_limited += msg->n_limited;
	state.n_addrs_cut += msg->n_cut;
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
		denied_note_name(state.denied, msg->name, reason);
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
		row.reason = reason_of_rule(&state.in_force->policy.rules[verdict->rule]);
	else if (verdict->reason == POLICY_BY_DNS_EXCLUSIVE)
		row.reason = IPC_DENIED_BY_dns_exclusive;
	denied_note_flow(state.denied, &row);
}

static void
count(const struct policy_verdict *verdict)
{
	if (verdict->reason == POLICY_BY_RULE)
		add_hit(&state.in_force->hits[verdict->rule]);
	else
		state.n_by_default++;
	if (verdict->is_allowed)
		state.n_allowed++;
	else
		state.n_denied++;
}

/* The name server's address is never judged: its flows lead to the resolver (destination.c). */
static struct policy_verdict
judge(const struct flow *flow, const uint16_t *patterns, size_t n_patterns)
{
	const struct ipc_flow_open *asked = &flow->asked;

	return judge_dest(proto_of(asked->proto), asked->peer_port, &asked->peer,
	    patterns, n_patterns);
}

static struct policy_verdict
judge_by_pins(const struct flow *flow)
{
	uint16_t patterns[PINS_PER_ADDR_MAX];
	size_t n = pins_find(&state.pins, &flow->asked.peer, clock_now_ms(), patterns);

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
		flow->pin_generation = state.in_force->generation;
		pins_hold(&state.pins, &flow->asked.peer, patterns[i]);
		return;
	}
}

void
connector_policy_note_end(const struct flow *flow)
{
	if (flow->pin_generation != 0)
		pins_release(&state.pins, &flow->asked.peer, flow->pin_pattern,
		    clock_now_ms());
}

void
connector_policy_note_all_ends(void)
{
	if (state.in_force != NULL)
		pins_release_all(&state.pins, clock_now_ms());
}

int
connector_policy_check(struct flow *flow)
{
	uint16_t patterns[PINS_PER_ADDR_MAX];
	struct policy_verdict verdict;
	size_t n;

	if (!state.has_policy)
		return 0;
	if (state.in_force == NULL)
		return EACCES;
	n = pins_find(&state.pins, &flow->asked.peer, clock_now_ms(), patterns);
	verdict = judge(flow, patterns, n);
	count(&verdict);
	flow->is_judged = true;
	if (!verdict.is_allowed)
		note_denied(flow, &verdict);
	if (verdict.is_allowed && verdict.reason == POLICY_BY_RULE)
		hold_pin(flow, verdict.rule, patterns, n);
	if (verdict.is_allowed ||
	    state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit)
		return 0;
	return refusal();
}

static bool
is_forbidden(const struct policy_verdict *verdict)
{
	return verdict->reason == POLICY_BY_RULE &&
	    state.in_force->policy.rules[verdict->rule].action ==
	    IPC_POLICY_ACTION_forbid;
}

bool
connector_policy_lets_go_on(const struct flow *flow)
{
	struct policy_verdict verdict = judge_by_pins(flow);

	if (state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit ||
	    verdict.is_allowed)
		return true;
	if (flow->is_reply || is_forbidden(&verdict))
		return !is_forbidden(&verdict);
	return flow->pin_generation != 0 && judge(flow, &flow->pin_pattern, 1).is_allowed;
}

void
connector_on_query_policy(struct connector *connector, const struct ipc_query_policy *msg)
{
	const struct ipc_policy_state answer = {
		.request = msg->request,
		.generation = state.in_force != NULL ? state.in_force->generation : 0,
		.n_allowed = state.n_allowed,
		.n_denied = state.n_denied,
		.n_by_default = state.n_by_default,
		.n_flows_limited = connector->flows.n_limited,
		.n_names_denied = state.n_names_denied,
		.n_names_limited = state.n_names_limited,
		.n_addrs_cut = state.n_addrs_cut,
		.n_pins =
		    state.in_force != NULL ? pins_count(&state.pins, clock_now_ms()) : 0,
	};

	chan_api_check_sent(&connector->api,
	    ipc_send_policy_state(&connector->api.channel, &answer));
}

void
connector_on_list_hits(struct connector *connector, const struct ipc_list_hits *msg)
{
	const struct loaded *loaded = state.in_force;
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

int
connector_policy_check_peer(struct flow *flow)
{
	struct policy_verdict verdict;

	if (!state.has_policy)
		return 0;
	if (state.in_force == NULL)
		return EACCES;
	flow->is_judged = flow->is_reply = true;
	verdict = judge(flow, NULL, 0);
	if (!is_forbidden(&verdict))
		return 0;
	count(&verdict);
	return state.in_force->policy.settings.mode == IPC_POLICY_MODE_audit ? 0
									     : refusal();
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
	const struct loaded *loaded = state.in_force;
	struct ipc_pins_page page = { .request = msg->request };
	uint64_t now_ms = clock_now_ms();
	uint32_t place = msg->from;
	const struct pin *pin = NULL;

	if (loaded != NULL)
		page.generation = loaded->generation;
	while (loaded != NULL && page.n < IPC_POLICY_PINS_N &&
	    (pin = pins_from(&state.pins, &place, now_ms)) != NULL) {
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
	const struct policy_matcher *matcher = &state.in_force->matcher;
	size_t len = strlen(asked->name), n;

	if (len > 0) {
		*verdict = policy_match_name(matcher, asked->proto, asked->port,
		    asked->name, len);
		verdict->classes = 0;
		return policy_patterns_find(matcher, asked->name, len, patterns);
	}
	n = pins_find(&state.pins, &asked->addr, clock_now_ms(), patterns);
	*verdict = judge_dest(asked->proto, asked->port, &asked->addr, patterns, n);
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
	    (pin = pins_from(&state.pins, &place, now_ms)) != NULL) {
		bool is_wanted = false;

		for (size_t i = 0; i < n_patterns; i++)
			is_wanted |= pin->pattern == patterns[i];
		if (is_wanted &&
		    (asked->name[0] != '\0' || inaddr_is_equal(&pin->addr, &asked->addr)))
			answer->pins[answer->n++] =
			    describe_pin(state.in_force, pin, now_ms);
	}
}

void
connector_on_check_flow(struct connector *connector, const struct ipc_check_flow *msg)
{
	struct ipc_flow_verdict answer = { .request = msg->request,
		.reason = POLICY_BY_DEFAULT };
	uint16_t patterns[POLICY_PATTERNS_MAX];

	if (state.in_force != NULL) {
		struct policy_verdict verdict;
		size_t n = judge_question(msg, &verdict, patterns);

		answer.generation = state.in_force->generation;
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

	if (state.in_force != NULL)
		page.generation = state.in_force->generation;
	while (state.denied != NULL && page.n < IPC_POLICY_DENIED_N &&
	    (row = denied_from(state.denied, &place)) != NULL)
		page.entries[page.n++] = *row;
	page.next = row != NULL ? place : 0;
	chan_api_check_sent(&connector->api,
	    ipc_send_denied_page(&connector->api.channel, &page));
}
