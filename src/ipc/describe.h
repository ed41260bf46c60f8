/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of messages.h as a table, for the receive checks, tests and manuals. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

enum ipc_arrow {
#define IPC_ARROW_ENUM(arrow, senders, receivers, ...) IPC_ARROW_##arrow,
	IPC_ARROWS(IPC_ARROW_ENUM)
#undef IPC_ARROW_ENUM
	    IPC_ARROW_N,
};

enum ipc_when {
	IPC_WHEN_ANYTIME,
	IPC_WHEN_ONCE,
	IPC_WHEN_RUNNING,
	IPC_WHEN_REPLY,
};

enum ipc_message_id {
#define IPC_ID_ENUM(name, carries, when, meaning) IPC_MSG_##name,
	IPC_ALL_ROWS(IPC_ID_ENUM)
#undef IPC_ID_ENUM
	    IPC_MSG_N,
};

union ipc_payload {
#define IPC_PAYLOAD_MEMBER(name, carries, when, meaning) \
	IPC_IF_PAYLOAD_##carries(struct ipc_##name name;)
	IPC_ALL_ROWS(IPC_PAYLOAD_MEMBER)
#undef IPC_PAYLOAD_MEMBER
};

struct ipc_description {
	const char *name;
	const char *meaning;
	enum ipc_when when;
	uint32_t payload_size; /* bytes; 0: none */
	uint32_t n_fds;
	/* Checks a payload's values; sets *why on failure. Returns 0 or -1. NULL for a row
	 * without a payload. */
	int (*validate)(const void *payload, const char **why);
};

/* Indexed by enum ipc_stage. */
extern const char *const ipc_stage_names[IPC_STAGE_N];

/* The names of the roles; NULL for IPC_ROLE_NONE. */
extern const char *const ipc_role_names[IPC_ROLE_END];

/* Indexed by enum ipc_message_id. */
extern const struct ipc_description ipc_descriptions[IPC_MSG_N];

/* Returns the arrow whose list has the row. id is below IPC_MSG_N. */
enum ipc_arrow ipc_arrow_of(enum ipc_message_id id);

/* The first 64 bits of the SHA-256 of the protocol's files. */
extern const uint64_t ipc_protocol_hash;
