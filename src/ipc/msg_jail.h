/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the jail of a process. */
#pragma once

#include <stdint.h>

/* Whether a jail is required. */
enum ipc_jail_mode {
	IPC_JAIL_OFF,
	IPC_JAIL_BEST_EFFORT, /* as far as the system allows; logged */
	IPC_JAIL_REQUIRED,    /* a missing stage is fatal */
	IPC_JAIL_N_MODES,
};

/* clang-format off */
/* The stages of a jail, in their order. */
#define IPC_STAGES(STAGE) \
	STAGE(descriptors, "exactly the role's descriptors") \
	STAGE(namespaces, "namespaces of its own, with no power over others") \
	STAGE(root, "an empty read-only root") \
	STAGE(capabilities, "no capability, and no way to get one") \
	STAGE(limits, "no new privileges, no core, no new process") \
	STAGE(landlock, "no file by its path") \
	STAGE(seccomp, "no system call but those of its policy")

enum ipc_stage {
#define IPC_STAGE_ENUM(name, meaning) IPC_STAGE_##name,
	IPC_STAGES(IPC_STAGE_ENUM)
#undef IPC_STAGE_ENUM
	IPC_STAGE_N,
#define IPC_STAGE_BIT(name) (1U << IPC_STAGE_##name)
};

/* Kinds of namespaces, by their names in /proc/PID/ns. */
#define IPC_NAMESPACES(NAMESPACE) \
	NAMESPACE(user) \
	NAMESPACE(mnt) \
	NAMESPACE(ipc) \
	NAMESPACE(uts) \
	NAMESPACE(cgroup) \
	NAMESPACE(net) \
	NAMESPACE(pid)
/* clang-format on */

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* The namespaces of a process: the inode of /proc/PID/ns/<name>; 0: not known. */
struct ipc_namespaces {
#define IPC_NAMESPACE_ID(name) uint64_t name;
	IPC_NAMESPACES(IPC_NAMESPACE_ID)
#undef IPC_NAMESPACE_ID
};

struct ipc_confine {
	uint8_t sandbox_mode; /* enum ipc_jail_mode, of all stages but seccomp */
	uint8_t seccomp_mode;
	uint8_t has_runas; /* slirpd runs as real root: change to the ids below */
	/* The caller has CAP_NET_BIND_SERVICE over the host's network, and the connector keeps
	 * it. */
	uint8_t keeps_bind;
	uint32_t runas_uid; /* 0 unless has_runas */
	uint32_t runas_gid;
};

struct ipc_confined {
	uint64_t cap_effective; /* bits as in capabilities(7) */
	uint64_t cap_bounding;
	struct ipc_namespaces namespaces;
	uint32_t stages; /* set of 1 << enum ipc_stage: the stages that were reached */
	uint32_t landlock_abi; /* 0: the kernel has none, or it was not used */
	uint32_t n_calls;      /* system calls in the policy; 0: no filter */
	uint32_t reserved;
};

#pragma GCC diagnostic pop
