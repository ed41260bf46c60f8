/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the sockets that the connector makes for flows of the worker. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"

/* Questions of the worker without an answer. A descriptor in a queue counts against the limit
 * on open files of the user (unix(7), ETOOMANYREFS), and 1024 is a common one. */
#define IPC_FLOWS_ASKED_MAX 256

/* Open flows of each protocol. TCP: ports cannot tell more connections apart. */
#define IPC_FLOWS_TCP_MAX 65536

/* Numbers of flows in one flow_closed: a message for each would cost as much as the question
 * for the flow. */
#define IPC_FLOWS_CLOSED_MAX 32

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* Addresses and ports are as the guest named them: an address of the virtual network stands
 * for the host's loopback, or for a name server. */
struct ipc_flow_open {
	uint64_t flow; /* chosen by the worker; no open flow has it */
	struct inaddr guest;
	struct inaddr peer; /* of the guest's family */
	uint8_t proto;      /* IPPROTO_TCP */
	uint8_t reserved;
	uint16_t guest_port;
	uint16_t peer_port; /* not 0 */
};

/* From now on the flow is open, until the worker says that it is closed. */
struct ipc_flow_opened {
	uint64_t flow;
};

/* Open flows whose sockets the worker has closed. */
struct ipc_flow_closed {
	uint32_t n; /* of flows; the others are 0 */
	uint32_t reserved;
	uint64_t flows[IPC_FLOWS_CLOSED_MAX];
};

struct ipc_flow_refused {
	uint64_t flow;
	uint32_t error; /* errno; ENETUNREACH if a rule forbids the address */
	uint32_t reserved;
};

#pragma GCC diagnostic pop
