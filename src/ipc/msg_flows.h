/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the sockets that the connector makes for flows of the worker. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"

/* Questions of the worker without an answer. A descriptor in a queue counts against the limit
 * on open files of the user (unix(7), ETOOMANYREFS), and 1024 is a common one. */
#define IPC_FLOWS_ASKED_MAX 256

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* The address is as the guest named it: an address of the virtual network stands for the
 * host's loopback, or for a name server. */
struct ipc_flow_open {
	uint64_t flow; /* chosen by the worker */
	struct inaddr peer;
	uint8_t reserved[5];
	uint16_t peer_port; /* not 0 */
};

struct ipc_flow_opened {
	uint64_t flow;
};

struct ipc_flow_refused {
	uint64_t flow;
	uint32_t error; /* errno; ENETUNREACH if a rule forbids the address */
	uint32_t reserved;
};

#pragma GCC diagnostic pop
