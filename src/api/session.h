/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: their begin, and the events that they get. */
#pragma once

#include <stddef.h>

#include "api/request/verb.h"

struct api;
struct api_client;

void api_start_qmp_capabilities(struct api *api, struct api_client *client);
void api_start_subscribe(struct api *api, struct api_client *client);

/* The object that an event is about: one of these, or none. */
struct api_event_data {
	const struct api_policy_change *policy;  /* NULL: about no change of the policy */
	const struct ipc_forward_entry *forward; /* NULL: about no forward */
	const struct ipc_event *process;         /* NULL: about no process */
};

/* Sends an event to the sessions that subscribed to it. */
void api_session_event(struct api *api, enum api_event event,
    const struct api_event_data *data);
