/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that change the policy: policy_commit, policy_add_rule and policy_remove_rule. */
#pragma once

#include "api/client.h"

/* The data of the event POLICY_CHANGED. */
struct api_policy_change {
	uint64_t generation;
	const char *command;
	const struct ucred *peer; /* who sent it */
};

void api_start_policy_commit(struct api *api, struct api_client *client);
void api_start_policy_add_rule(struct api *api, struct api_client *client);
void api_start_policy_remove_rule(struct api *api, struct api_client *client);
