/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the control group of the parent. */
#pragma once

#include <stdint.h>

#include "ipc/roles.h"

/* The path of a control group with its NUL. Those of systemd have about 200 bytes. The
 * kernel allows PATH_MAX, which is too long for a message. */
#define IPC_CGROUP_SIZE 1024

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct ipc_cgroup_follow {
	/* As in /proc/PID/cgroup, after "0::" (ipc_is_cgroup()). */
	char cgroup[IPC_CGROUP_SIZE];
	uint32_t pids[IPC_ROLE_END]; /* by enum ipc_role; 0: there is none */
};

#pragma GCC diagnostic pop
