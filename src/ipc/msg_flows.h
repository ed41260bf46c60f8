/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about the sockets that the connector makes for flows of the worker. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"

/* Questions of the worker without an answer. A descriptor in a queue counts against the limit
 * on open files of the user (unix(7), ETOOMANYREFS), and 1024 is a common one. */
#define IPC_FLOWS_ASKED_MAX 256

/* Numbers of flows in one flow_closed: a message for each would cost as much as the question
 * for the flow. */
#define IPC_FLOWS_CLOSED_MAX 32

/* Flows that the worker has ended and the connector still has: they were asked for when they
 * ended, or the next flow_closed names them. The worker asks for no flow before a full
 * flow_closed is sent. */
#define IPC_FLOWS_ENDING_MAX (IPC_FLOWS_ASKED_MAX + IPC_FLOWS_CLOSED_MAX)

/* Open flows of each protocol: the worker's budgets (connector/flows.c compares them), with
 * flows that are ending. */
#define IPC_FLOWS_TCP_MAX (32768 + IPC_FLOWS_ENDING_MAX)
#define IPC_FLOWS_UDP_MAX (4096 + 256 + IPC_FLOWS_ENDING_MAX)
#define IPC_FLOWS_ICMP_MAX (256 + IPC_FLOWS_ENDING_MAX)

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* Addresses and ports are as the guest named them: an address of the virtual network stands
 * for the host's loopback, or for a name server. */
struct ipc_flow_open {
	uint64_t flow; /* chosen by the worker; no open flow has it */
	struct inaddr guest;
	struct inaddr peer; /* of the guest's family */
	uint8_t
	    proto; /* IPPROTO_TCP, IPPROTO_UDP, or IPPROTO_ICMP for echo of both families */
	uint8_t reserved;
	uint16_t guest_port; /* ICMP: the identifier of the echo requests */
	uint16_t peer_port;  /* ICMP: 0, else not */
};

/* A flow of a peer that has sent to a UDP port of a forward. */
struct ipc_reply_open {
	uint64_t flow;                        /* as in flow_open */
	uint32_t listener;                    /* the port's id */
	uint32_t peer_scope_id, own_scope_id; /* of link-local addresses */
	struct inaddr peer;
	struct inaddr
	    own; /* the address of the host that was asked, of the peer's family */
	uint16_t peer_port; /* not 0 */
};

/* The socket at which hosts answer what the flow sends to a group. It comes before
 * flow_opened. */
struct ipc_flow_answers {
	uint64_t flow;
};

/* From now on the flow is open, until the worker says that it is closed. */
struct ipc_flow_opened {
	uint64_t flow;
	struct inaddr to; /* where the socket leads */
	uint8_t is_kept;  /* the connector keeps a duplicate: report the end at once */
	uint8_t reserved[2];
	uint32_t to_scope_id; /* of a link-local address */
	uint16_t to_port;     /* ICMP: 0 */
	uint16_t own_port;    /* UDP: the source port */
	uint8_t reserved2[4];
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
