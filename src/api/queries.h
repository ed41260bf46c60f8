/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that only ask. */
#pragma once

struct api;
struct api_client;

void api_start_query_version(struct api *api, struct api_client *client);
void api_start_query_commands(struct api *api, struct api_client *client);
void api_start_query_status(struct api *api, struct api_client *client);
void api_start_query_stats(struct api *api, struct api_client *client);
void api_start_query_connections(struct api *api, struct api_client *client);
