/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of IPC_ROLES as an array. */
#include "parent/roles.h"

#include <stddef.h>

#include "ipc/messages.h"

#define ROLE(constant, name_of_role, program_of_role, n_fds_of_role, stages_of_role) \
	[IPC_ROLE_##constant] = { \
		.name = name_of_role, \
		.program = program_of_role, \
		.id = IPC_ROLE_##constant, \
		.n_fds = n_fds_of_role, \
		.stages = stages_of_role, \
	},

const struct role roles[IPC_ROLE_END] = { IPC_ROLES(ROLE) };
