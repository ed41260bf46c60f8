/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the policy from the parent. */
#include "resolver/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "model/policy/rows.h"
#include "process/child.h"
#include "resolver/judging.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(resolver, struct resolver, __VA_ARGS__)
IPC_ROWS_POLICY(DECLARE)
IPC_ROWS_PARENT_TO_SERVER_USERS(DECLARE)

struct loaded {
	struct policy policy;
	struct policy_matcher matcher;
};

static struct {
	bool has_policy;
	/* Two, if has_policy. The one that is not in force is the place of the next. */
	struct loaded *loaded;
	struct loaded *in_force; /* NULL: none has come */
	uint64_t generation;
	struct policy_take take;
	uint32_t n_new_host; /* of a list of addresses that is not complete */
	struct inaddr new_host[POLICY_HOST_ADDRS_MAX];
} state;

static struct loaded *
next_place(void)
{
	return &state.loaded[state.in_force == &state.loaded[0]];
}

void
resolver_policy_init(struct resolver *resolver, const struct ipc_resolver_start *start)
{
	const struct ipc_network *network = &start->network;
	struct policy_place *place;
	uint64_t secret[4];

	state.has_policy = start->has_policy;
	if (!state.has_policy)
		return;
	/* Before the jail, and only now: without a policy a low limit on memory is enough. */
	state.loaded = calloc(2, sizeof(*state.loaded));
	resolver->judge = calloc(1, sizeof(*resolver->judge));
	if (state.loaded == NULL || resolver->judge == NULL)
		fatal("get memory for the policy");
	place = &resolver->judge->place;
	state.take.policy = &next_place()->policy;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		fatal("get random bytes");
	place->network_be = network->network_be;
	place->netmask_be = network->netmask_be;
	place->prefix6 = network->prefix6;
	place->nameserver[0] = inaddr_from4(network->nameserver_be);
	place->nameserver[1] = inaddr_from6(&network->nameserver6);
	place->has_nameserver[0] = place->has_nameserver[1] = true;
	judge_init(resolver->judge, network->enable_ipv6, secret);
}

static bool
is_mode(enum ipc_policy_mode mode)
{
	return state.in_force != NULL && state.in_force->policy.settings.mode == mode;
}

bool
resolver_policy_judges(const struct resolver *resolver)
{
	(void)resolver;
	return is_mode(IPC_POLICY_MODE_enforce) &&
	    (state.in_force->policy.n_names > 0 || !state.in_force->matcher.dns_is_any);
}

bool
resolver_policy_observes(const struct resolver *resolver)
{
	(void)resolver;
	return is_mode(IPC_POLICY_MODE_audit);
}

bool
resolver_policy_is_missing(const struct resolver *resolver)
{
	(void)resolver;
	return state.has_policy && state.in_force == NULL;
}

uint64_t
resolver_policy_generation(const struct resolver *resolver)
{
	(void)resolver;
	return state.generation;
}

static void
check_row(bool is_good, const char *why)
{
	if (!is_good)
		fatalx("message from the parent: policy: %s", why);
}

#define TAKE(step) \
	void resolver_on_policy_##step(struct resolver *resolver, \
	    const struct ipc_policy_##step *msg) \
	{ \
		const char *why; \
		bool is_good = policy_take_##step(&state.take, msg, &why); \
\
		(void)resolver; \
		check_row(is_good, why); \
	}
TAKE(begin)
TAKE(source)
TAKE(rules)
TAKE(prefixes)
TAKE(names)

void
resolver_on_policy_commit(struct resolver *resolver, const struct ipc_policy_commit *msg)
{
	const struct ipc_policy_known known = { .generation = msg->generation };
	struct loaded *next;
	const char *why;
	bool is_good = policy_take_commit(&state.take, msg, &why);

	check_row(is_good, why);
	next = next_place();
	policy_matcher_make(&next->matcher, &next->policy);
	state.in_force = next;
	state.generation = msg->generation;
	state.take.policy = &next_place()->policy;
	judge_set_policy(resolver->judge, &next->matcher);
	judging_begin_anew(resolver);
	child_check_sent(ipc_send_policy_known(&resolver->to_parent, &known),
	    "report the policy to the parent");
}

void
resolver_on_host_addrs(struct resolver *resolver, const struct ipc_host_addrs *msg)
{
	if (msg->is_first)
		state.n_new_host = 0;
	if (state.n_new_host + msg->n > POLICY_HOST_ADDRS_MAX)
		fatalx("message from the parent: host_addrs: more than %d addresses",
		    POLICY_HOST_ADDRS_MAX);
	memcpy(state.new_host + state.n_new_host, msg->addrs,
	    msg->n * sizeof(msg->addrs[0]));
	state.n_new_host += msg->n;
	if (msg->is_last)
		policy_place_set_host(&resolver->judge->place, state.new_host,
		    state.n_new_host);
}
