/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the start of processes by the spawner, and channels between them. */
#pragma once

#include <stdint.h>

/* A message's name and a reason: "API channel: get_stats: reply that nobody awaits". */
#define IPC_WHY_SIZE 128

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* Roles are numbers of enum ipc_role, of processes that have a program. */
struct ipc_program {
	uint32_t role;
	uint32_t reserved;
};

struct ipc_spawn {
	uint32_t role;
	uint32_t reserved;
};

struct ipc_spawned {
	uint32_t role;  /* as in spawn */
	uint32_t pid;   /* 0: no process */
	uint32_t error; /* errno if pid is 0 */
	uint32_t reserved;
};

struct ipc_peer {
	uint32_t role;   /* of the process at the other end */
	uint32_t number; /* of that process: how often the role was started before */
};

struct ipc_peer_missed {
	uint32_t role; /* as in peer */
	uint32_t number;
};

struct ipc_peer_dropped {
	uint32_t role; /* as in peer */
	uint32_t number;
	char why[IPC_WHY_SIZE];
};

#pragma GCC diagnostic pop
