/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the parent, and its answers; see worker.h. What else it says is
 * control.h's. */
#pragma once

#include "api/pending.h"

struct api;

/* Asks the parent for what the client wants; its answer goes to the handler of that
 * row. */
void api_parent_call(struct api *api, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer);

/* The client that an answer is for. Fatal if it is for none. */
struct api_client *api_parent_answered(struct api *api, enum ipc_message_id answer,
    uint64_t number);

/* Sends the questions that wait. */
void api_parent_send(struct api *api);
