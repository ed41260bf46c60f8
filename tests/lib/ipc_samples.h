/* SPDX-License-Identifier: BSD-2-Clause */
/* A valid sample of every payload of messages.h, for tests and fuzz seeds. */
#pragma once

#include "ipc/describe.h"

/* Fills in a payload that passes its row's check. A payload without one does not link. */
#define IPC_SAMPLE_PROTOTYPE(name, carries, when, meaning) \
	IPC_IF_PAYLOAD_##carries(void ipc_sample_##name(struct ipc_##name *msg);)
IPC_ALL_ROWS(IPC_SAMPLE_PROTOTYPE)
#undef IPC_SAMPLE_PROTOTYPE

/* The same for a row that is known at run time only. Does nothing if it has no payload. */
void ipc_sample_fill(enum ipc_message_id id, union ipc_payload *payload);
