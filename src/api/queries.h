/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that only ask. */
#pragma once

struct api;
struct api_client;
struct ipc_status;

void api_start_query_commands(struct api *api, struct api_client *client);
void api_start_query_connections(struct api *api, struct api_client *client);

/* Asks the parent for its status; the verb's on_status goes on. */
void api_start_get_status(struct api *api, struct api_client *client);

/* Each is the on_status of a verb. */
void api_reply_version(struct api *api, struct api_client *client,
    const struct ipc_status *status);
void api_reply_status(struct api *api, struct api_client *client,
    const struct ipc_status *status);
void api_ask_worker(struct api *api, struct api_client *client,
    const struct ipc_status *status);
