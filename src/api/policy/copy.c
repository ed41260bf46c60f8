/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the policy from the parent. */
#include "api/policy/copy.h"

#include <stdlib.h>

#include "api/handlers.h"
#include "base/log.h"
#include "model/policy/print.h"

void
api_policy_init(struct api_policy *policy, const struct ipc_listen *known)
{
	policy->known = *known;
	if (!known->has_policy)
		return;
	/* Only the pages in use are memory. */
	policy->places = calloc(2, sizeof(*policy->places));
	policy->parser = calloc(1, sizeof(*policy->parser));
	policy->matcher = calloc(1, sizeof(*policy->matcher));
	policy->text.bytes = malloc(POLICY_TEXT_MAX);
	if (policy->places == NULL || policy->parser == NULL || policy->matcher == NULL ||
	    policy->text.bytes == NULL)
		fatal("get memory for the policy");
	policy->take.policy = api_policy_next(policy);
}

bool
api_policy_has_come(const struct api_policy *policy)
{
	return !policy->known.has_policy || policy->in_force != NULL;
}

struct policy *
api_policy_next(const struct api_policy *policy)
{
	return &policy->places[policy->in_force == &policy->places[0]];
}

void
api_policy_switch(struct api_policy *policy, uint64_t generation)
{
	policy->in_force = api_policy_next(policy);
	policy->generation = generation;
	policy->hash = policy_print_hash(policy->in_force);
	policy->take.policy = api_policy_next(policy);
}

static void
check_row(bool is_good, const char *why)
{
	if (!is_good)
		fatalx("message from the parent: policy: %s", why);
}

#define TAKE(step) \
	void api_on_policy_##step(struct api *api, const struct ipc_policy_##step *msg) \
	{ \
		const char *why = "there is none"; \
		bool is_good = api->policy.places != NULL && \
		    policy_take_##step(&api->policy.take, msg, &why); \
\
		check_row(is_good, why); \
	}
TAKE(begin)
TAKE(source)
TAKE(rules)
TAKE(prefixes)
TAKE(names)

void
api_on_policy_commit(struct api *api, const struct ipc_policy_commit *msg)
{
	struct api_policy *policy = &api->policy;
	const char *why = "there is none";
	bool is_good =
	    policy->places != NULL && policy_take_commit(&policy->take, msg, &why);

	check_row(is_good, why);
	api_policy_switch(policy, msg->generation);
}
