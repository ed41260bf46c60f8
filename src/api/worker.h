/* SPDX-License-Identifier: BSD-2-Clause */
/* The channel to the worker, and the calls on it. */
#pragma once

#include "api/pending.h"

struct api;

/* Asks the worker for what the client wants; its answer goes to the handler of that row.
 * If there is no worker, the client is told at once. */
void api_worker_call(struct api *api, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer);
/* The same again, for the next page. */
void api_worker_call_again(struct api *api, struct api_client *client);

/* The client that an answer is for. NULL if the worker broke the protocol with it: then
 * the channel is closed. */
struct api_client *api_worker_answered(struct api *api, enum ipc_message_id answer,
    uint64_t number);

/* Closes the channel, for the reason that the log is told, and refuses what is under
 * way. */
void api_worker_lose(struct api *api, const char *why);

/* Sends the calls that wait. */
void api_worker_send(struct api *api);
/* Takes the worker's answers that have come, up to a bound. */
void api_worker_receive(struct api *api);
