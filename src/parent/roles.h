/* The other processes as a table. */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"

struct role {
	const char *name; /* in log lines */
	/* File name below libexec/slirpd; NULL for a process of the parent's program. */
	const char *program;
	enum ipc_role id;
	int n_fds;       /* 0 to n_fds - 1 are open at its begin, ipc/fdtable.h */
	uint32_t stages; /* set of 1 << enum ipc_stage: those that it means to reach */
};

/* What struct role calls stages, of the parent, which is not in the table. */
#define ROLES_PARENT_STAGES \
	(1U << IPC_STAGE_capabilities | 1U << IPC_STAGE_limits | 1U << IPC_STAGE_seccomp)

enum role_index {
	ROLE_NETNS_HELPER,
	ROLE_SLIRP_WORKER,
	ROLE_SPAWNER, /* these two with --api-socket only */
	ROLE_API,
	ROLE_N,
};

/* Indexed by enum role_index. */
extern const struct role roles[ROLE_N];
