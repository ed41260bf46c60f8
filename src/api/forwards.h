/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands add_hostfwd, remove_hostfwd and list_hostfwd, sent to the connector. */
#pragma once

struct api;
struct api_client;

void api_start_add_forward(struct api *api, struct api_client *client);
void api_start_remove_forward(struct api *api, struct api_client *client);
void api_start_list_forwards(struct api *api, struct api_client *client);
