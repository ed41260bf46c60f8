/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to the parent, and its answers. control.h has the parent's other messages. */
#pragma once

#include "api/pending.h"

struct api;

/* Sends the client's call to the parent. The handler of the row `answer` gets the
 * answer. */
void api_parent_call(struct api *api, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer);

/* Returns the client that an answer is for. Fatal if there is none. */
struct api_client *api_parent_answered(struct api *api, enum ipc_message_id answer,
    uint64_t number);

/* Sends the calls that wait. */
void api_parent_send(struct api *api);
