/* SPDX-License-Identifier: BSD-2-Clause */
/* The api's copy of the policy in force. */
#pragma once

#include "api/policy/text.h"
#include "model/policy/expect.h"
#include "model/policy/rows.h"

struct api_policy {
	struct ipc_listen known; /* from the start */
	/* Two, if there is a policy; owned. The one that is not in force is the place of the
	 * next. */
	struct policy *places;
	struct policy *in_force; /* NULL: none has come */
	uint64_t generation;     /* of the policy in force; so is `hash` */
	uint64_t hash;
	struct policy_take take;
	struct policy_parser *parser;   /* owned */
	struct policy_matcher *matcher; /* owned; of a policy that is checked */
	struct api_policy_text text;    /* of a session */
};

/* Before the jail: gets memory if there is a policy. */
void api_policy_init(struct api_policy *policy, const struct ipc_listen *known);

/* True if slirpd has no policy, or if all rows of it have come. The api serves clients from then on. */
bool api_policy_has_come(const struct api_policy *policy);

/* The place that is not in force. */
struct policy *api_policy_next(const struct api_policy *policy);

/* The policy in the place that is not in force is in force now. */
void api_policy_switch(struct api_policy *policy, uint64_t generation);
