/* SPDX-License-Identifier: BSD-2-Clause */
/* The channel to the worker, and the calls on it. */
#pragma once

#include "api/pending.h"

struct api;

/* Sends the client's call to the worker. The handler of the row `answer` gets the
 * answer. If there is no worker, the client is refused at once. */
void api_worker_call(struct api *api, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer);
/* Sends the call again for its next page. */
void api_worker_call_again(struct api *api, struct api_client *client);

/* Returns the client that an answer is for. NULL: the worker broke the protocol, and the
 * channel is closed. */
struct api_client *api_worker_answered(struct api *api, enum ipc_message_id answer,
    uint64_t number);

/* Closes the channel, logs the reason, and refuses all calls. */
void api_worker_lose(struct api *api, const char *why);

/* Sends the calls that wait. */
void api_worker_send(struct api *api);
/* Handles the worker's answers that have come, up to a limit. */
void api_worker_receive(struct api *api);
