#include "parent/roles.h"

#include "ipc/fdtable.h"

const struct role roles[ROLE_N] = {
	[ROLE_NETNS_HELPER] = {
		.id = IPC_ROLE_NETNS_HELPER,
		.name = "netns-helper",
		.program = "slirpd-netns-helper",
		.n_fds = IPC_CHILD_FD_PARENT + 1,
		.stages = 1U << IPC_STAGE_descriptors | 1U << IPC_STAGE_limits |
		    1U << IPC_STAGE_seccomp,
	},
	[ROLE_SLIRP_WORKER] = {
		.id = IPC_ROLE_SLIRP_WORKER,
		.name = "slirp-worker",
		.program = "slirpd-slirp-worker",
		.n_fds = IPC_CHILD_FD_PEER + 1,
		.stages = (1U << IPC_STAGE_N) - 1,
	},
	[ROLE_SPAWNER] = {
		.id = IPC_ROLE_SPAWNER,
		.name = "spawner",
		.n_fds = IPC_CHILD_FD_PARENT + 1,
		.stages = 1U << IPC_STAGE_descriptors | 1U << IPC_STAGE_limits |
		    1U << IPC_STAGE_seccomp,
	},
	[ROLE_API] = {
		.id = IPC_ROLE_API,
		.name = "api",
		.program = "slirpd-api",
		.n_fds = IPC_CHILD_FD_LISTEN + 1,
		.stages = (1U << IPC_STAGE_N) - 1,
	},
};
