/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about what happens: counters, connections, events, the status. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"
#include "ipc/drop_reasons.h"
#include "ipc/msg_forwards.h"
#include "ipc/msg_jail.h"
#include "ipc/msg_start.h"
#include "ipc/roles.h"
#include "ipc/tcp_counters.h"

/* clang-format off */
/* Counters of the worker beside the drops: name, meaning. They count from its start. */
#define IPC_COUNTERS(COUNTER) \
	COUNTER(frames_from_guest, "frames read from the TAP") \
	COUNTER(bytes_from_guest, "bytes read from the TAP") \
	COUNTER(frames_to_guest, "frames written to the TAP") \
	COUNTER(bytes_to_guest, "bytes written to the TAP") \
	COUNTER(tap_write_failed, "frames that the TAP did not take") \
	COUNTER(refusals_sent, "resets and unreachables sent in answer to a refused frame") \
	COUNTER(datagrams_reassembled, "datagrams put together from fragments") \
	COUNTER(datagrams_expired, "datagrams whose fragments did not all come in time") \
	COUNTER(datagrams_evicted, "unfinished datagrams that gave way to newer ones") \
	COUNTER(datagrams_fragmented, "datagrams cut into fragments towards the guest") \
	COUNTER(oversize_to_guest, "frames to the guest that could not be made to fit the MTU") \
	COUNTER(stack_errors, "errors that libslirp reported about the guest") \
	COUNTER(udp_flows_gave_way, "UDP flows of the guest that ended for new ones") \
	COUNTER(ports_put_off, "ports of forwards that the worker could not take at once")

enum ipc_counter {
#define IPC_COUNTER_ENUM(name, meaning) IPC_COUNTER_##name,
	IPC_COUNTERS(IPC_COUNTER_ENUM)
#undef IPC_COUNTER_ENUM
	IPC_COUNTER_N,
};
/* clang-format on */

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* A number of bytes that nothing counts, and an age that nobody knows. */
#define IPC_BYTES_UNKNOWN UINT64_MAX
#define IPC_AGE_UNKNOWN UINT64_MAX

/* Connections in one message, which stays below 2 KiB like those of IPC_PAGE_ENTRIES. */
#define IPC_CONNECTIONS_PAGE_ENTRIES 22

/* One connection, UDP flow, ping or forwarded port. */
struct ipc_connection {
	struct inaddr source_addr;
	struct inaddr dest_addr;
	uint16_t source_port;
	uint16_t dest_port;
	uint8_t proto;      /* IPPROTO_TCP, _UDP or _ICMP */
	uint8_t is_forward; /* a connection through a forward, or a listening socket */
	uint8_t state;      /* enum ipc_tcp_state; NONE for other protocols */
	uint8_t reserved[3];
	uint32_t round_trip_us; /* to the guest and back, smoothed; 0: unknown */
	/* From the guest, for the host's socket; from the peer, not acknowledged by the
	 * guest. */
	uint32_t recv_queue_bytes;
	uint32_t send_queue_bytes;
	/* Data since the begin of the connection, without headers, or IPC_BYTES_UNKNOWN:
	 * from the peer to the guest, and from the guest to the peer. */
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t retransmitted_bytes; /* to the guest, or IPC_BYTES_UNKNOWN */
	uint64_t age_ms;              /* or IPC_AGE_UNKNOWN */
};

/* clang-format off */
/* RFC 9293, 3.3.2 */
#define IPC_TCP_STATES(STATE) \
	STATE(NONE) STATE(CLOSED) STATE(LISTEN) STATE(SYN_SENT) STATE(SYN_RCVD) \
	STATE(ESTABLISHED) STATE(CLOSE_WAIT) STATE(FIN_WAIT_1) STATE(CLOSING) \
	STATE(LAST_ACK) STATE(FIN_WAIT_2) STATE(TIME_WAIT)

enum ipc_tcp_state {
#define IPC_TCP_STATE_ENUM(name) IPC_TCP_##name,
	IPC_TCP_STATES(IPC_TCP_STATE_ENUM)
#undef IPC_TCP_STATE_ENUM
	IPC_TCP_N_STATES,
};

/* Events from the parent to the api's sessions: name, meaning, type of the data. */
#define IPC_EVENTS(EVENT) \
	EVENT(RESOLV_CONF_CHANGED, "the name servers of the host's resolv.conf have changed", "empty") \
	EVENT(PROCESS_EXITED, "a process of slirpd has died; with the worker its connections end", "process") \
	EVENT(PROCESS_STARTED, "a process that had died was started again, and serves", "process") \
	EVENT(SHUTDOWN, "slirpd ends, and with it the session", "empty")

enum ipc_event_kind {
#define IPC_EVENT_ENUM(name, meaning, data) IPC_EVENT_##name,
	IPC_EVENTS(IPC_EVENT_ENUM)
#undef IPC_EVENT_ENUM
	IPC_N_EVENTS,
};
/* clang-format on */

struct ipc_list_connections {
	uint64_t request;
	uint32_t from; /* 0 makes a new list; `next` of a page continues it */
	uint32_t reserved;
};

struct ipc_connections_page {
	uint64_t request;
	uint32_t n;
	uint32_t next; /* for the next page; 0: this is the last */
	struct ipc_connection entries[IPC_CONNECTIONS_PAGE_ENTRIES];
};

struct ipc_get_status {
	uint64_t request;
};

struct ipc_event {
	uint32_t kind;       /* enum ipc_event_kind */
	uint32_t role;       /* enum ipc_role; IPC_ROLE_NONE: it is of no process */
	uint32_t n_restarts; /* of the process so far; 0 without a process */
	uint32_t reserved;
};

struct ipc_query_worker {
	uint64_t request;
};

struct ipc_stats {
	uint64_t counters[IPC_COUNTER_N];
	uint64_t drops[IPC_DROP_N];
	uint64_t tcp[IPC_TCP_COUNTER_N];
	uint64_t tcp_ends[IPC_TCP_END_N];
};

struct ipc_worker_state {
	uint64_t request;
	struct ipc_stats stats;
	uint32_t n_tcp_sockets;
	uint32_t n_udp_sockets;
	uint32_t n_icmp_sockets;
	/* Of the TCP engine: all connections; those of them that are half-open or in
	 * TIME_WAIT; memory that data between guest and host takes. */
	uint32_t n_tcp_flows;
	uint32_t n_tcp_half_open;
	uint32_t n_tcp_time_wait;
	uint32_t tcp_buffer_bytes;
	uint32_t reserved;
};

/* The parts of query_status that the api does not know itself. */
struct ipc_status {
	uint64_t request;
	struct ipc_network network;
	struct ipc_about about;
	struct ipc_confined confined[IPC_ROLE_END]; /* by enum ipc_role; zeros: none */
	uint64_t uptime_ms;                         /* since ready */
	/* By enum ipc_role: the process' PID, 0 for none; how often it was started again. */
	uint32_t pids[IPC_ROLE_END];
	uint32_t n_restarts[IPC_ROLE_END];
	uint32_t n_forwards;
	uint32_t reserved;
	char tap_name[IPC_IFNAME_SIZE]; /* empty if the TAP is inherited */
};

#pragma GCC diagnostic pop
