/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the start of an api and its channel to the worker. */
#pragma once

#include <stdint.h>

/* A message's name and a reason: "API channel: get_stats: reply that nobody awaits". */
#define IPC_WHY_SIZE 128

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct ipc_spawned {
	uint32_t pid;   /* 0: no process */
	uint32_t error; /* errno if pid is 0 */
};

struct ipc_api_channel {
	uint64_t api_number; /* chosen by the parent */
};

struct ipc_api_dropped {
	uint64_t api_number; /* of the channel; there may be another api now */
	char why[IPC_WHY_SIZE];
};

#pragma GCC diagnostic pop
