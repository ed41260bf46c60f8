/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One check for each payload of messages.h, run on every received message, whoever sent it:
 * numbers in range, text terminated, flags 0 or 1, reserved bytes zero. A row without a
 * check does not link. validate_forwards.c has the rows about forwards and connections,
 * validate.c all others.
 */
#pragma once

#include <stdbool.h>

#include "ipc/messages.h"

/* Whether the path is that of a control group below the root: it begins with a slash, and no
 * component is "..". The kernel begins with "/.." outside the root of the reader's cgroup
 * namespace (cgroup_namespaces(7)). */
bool ipc_is_cgroup(const char *path);

/* Returns 0, or -1 with *why set to a static text that names the bad field. */
#define IPC_VALIDATE_PROTOTYPE(name, carries, when, meaning) \
	IPC_IF_PAYLOAD_##carries( \
	    int ipc_validate_##name(const struct ipc_##name *msg, const char **why);)
IPC_ALL_ROWS(IPC_VALIDATE_PROTOTYPE)
#undef IPC_VALIDATE_PROTOTYPE
