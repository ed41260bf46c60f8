/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands query_policy, policy_get, query_pins, query_denied and policy_check. */
#pragma once

#include "api/client.h"

void api_start_query_policy(struct api *api, struct api_client *client);
void api_start_policy_get(struct api *api, struct api_client *client);
void api_start_query_pins(struct api *api, struct api_client *client);
void api_start_query_denied(struct api *api, struct api_client *client);
void api_start_policy_check(struct api *api, struct api_client *client);

/* Refuses the request, and logs that if the request would have changed something. */
void api_policy_refuse(struct api *api, struct api_client *client,
    enum api_error_class class, const char *detail);

/* Whether there is a policy. If not, the client is refused. */
bool api_policy_check(struct api *api, struct api_client *client);

/* "0123456789abcdef": the id of a rule, which is the hash of its text. */
#define API_POLICY_ID_SIZE 17
const char *api_policy_id_format(uint64_t key, char buf[API_POLICY_ID_SIZE]);
