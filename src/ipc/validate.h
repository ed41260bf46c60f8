/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One check per row of messages.h, run on every message received, whoever sent it:
 * numbers in range, text terminated, flags 0 or 1, reserved bytes zero. A row without
 * its check does not link. The rows about forwards and connections are in
 * validate_forwards.c, all others in validate.c.
 */
#pragma once

#include "ipc/messages.h"

/* Returns 0, or -1 with *why set to a static text that names the bad field. */
#define IPC_VALIDATE_PROTOTYPE(name, n_fds, when, meaning) \
	int ipc_validate_##name(const struct ipc_##name *msg, const char **why);
IPC_ALL_ROWS(IPC_VALIDATE_PROTOTYPE)
#undef IPC_VALIDATE_PROTOTYPE
