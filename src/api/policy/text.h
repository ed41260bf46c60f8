/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a policy, which a session sends in pieces: the commands policy_begin and policy_add.
 * Only one session sends a text at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ipc/msg_policy.h"

struct api;
struct api_client;

/* A session that adds nothing for so long may lose its text to another. A program that sends a file
 * takes milliseconds for each piece. */
#define API_POLICY_TEXT_PATIENCE_MS 10000

struct api_policy_text {
	const struct api_client *owner; /* NULL: no session has a text */
	uint64_t touched_ms;
	char name[IPC_POLICY_SOURCE_SIZE];
	char *bytes; /* owned; has POLICY_TEXT_MAX bytes. NULL: slirpd has no policy */
	size_t len;
};

void api_start_policy_begin(struct api *api, struct api_client *client);
void api_start_policy_add(struct api *api, struct api_client *client);

/* The client goes, or its text is done with. */
void api_policy_text_leave(struct api_policy_text *text, const struct api_client *client);

/* Whether the client has a text. If not, it is refused. */
bool api_policy_text_check(struct api *api, struct api_client *client);
