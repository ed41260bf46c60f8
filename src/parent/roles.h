/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of IPC_ROLES (ipc/roles.h) as an array. */
#pragma once

#include <stdint.h>

#include "ipc/roles.h"

struct role {
	const char *name;
	const char *program;
	enum ipc_role id;
	int n_fds;
	uint32_t stages;
};

/* Indexed by enum ipc_role. */
extern const struct role roles[IPC_ROLE_END];
