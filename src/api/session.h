/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: how one begins, and the events that are sent in it. */
#pragma once

#include <stddef.h>

#include "api/request/verb.h"

struct api;
struct api_client;

void api_start_qmp_capabilities(struct api *api, struct api_client *client);
void api_start_subscribe(struct api *api, struct api_client *client);

/* Sends an event to the sessions that want it. rule is what its data is made of, NULL for
 * an event without any. */
void api_session_event(struct api *api, enum api_event event,
    const struct ipc_hostfwd_entry *rule);
