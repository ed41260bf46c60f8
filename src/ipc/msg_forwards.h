/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about forwards. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"

/* Entries of a list in one message. The message stays below 2 KiB (describe.c asserts
 * it), so a queue of any legal size holds several. */
#define IPC_PAGE_ENTRIES 28

/* Listeners that are open, and closed ones that the worker may still have: twice every port of
 * an address, so that all forwards can be replaced at once. */
#define IPC_LISTENERS_MAX 131072

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* A forward: connections and datagrams to these host ports go to guest ports. */
struct ipc_forward {
	struct inaddr host_addr;
	struct inaddr guest_addr; /* unspecified: the guest's own address */
	uint16_t host_port_first;
	uint16_t host_port_last;
	uint16_t guest_port_first; /* as many ports as on the host */
	uint8_t proto;             /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t reserved[7];
};

/* clang-format off */
/* The outcome of a change of the forwards: name, meaning. Replies show the meaning. */
#define IPC_FORWARD_OUTCOMES(OUTCOME) \
	OUTCOME(done, "done") \
	OUTCOME(no_such_forward, "there is no forward with this id") \
	OUTCOME(table_full, "the table of forwards is full") \
	OUTCOME(in_use_by_forward, "a forward has the port already") \
	OUTCOME(in_use, "another program has the port") \
	OUTCOME(not_permitted, "the port needs a privilege") \
	OUTCOME(no_such_address, "no interface of the host has the address") \
	OUTCOME(ipv6_is_off, "IPv6 is not enabled") \
	OUTCOME(bad_guest_address, "the address is not one of the guest's network") \
	OUTCOME(system_error, "the kernel refused")

/* The other remedy for not_permitted, beside the sysctl. */
#define IPC_FORWARD_CAPABILITY "CAP_NET_BIND_SERVICE over the host's network"

enum ipc_forward_outcome {
#define IPC_FORWARD_OUTCOME_ENUM(name, meaning) IPC_FORWARD_##name,
	IPC_FORWARD_OUTCOMES(IPC_FORWARD_OUTCOME_ENUM)
#undef IPC_FORWARD_OUTCOME_ENUM
	IPC_FORWARD_N_OUTCOMES,
};
/* clang-format on */

struct ipc_forward_result {
	uint32_t outcome;     /* enum ipc_forward_outcome */
	uint32_t id;          /* of the new forward; 0 unless done */
	uint32_t error;       /* errno if the kernel refused, else 0 */
	uint32_t conflict_id; /* the forward that has the port, else 0 */
	uint16_t port;        /* the host's port that failed, else 0 */
	uint16_t reserved[3];
};

struct ipc_forward_entry {
	uint32_t id;
	uint32_t reserved;
	struct ipc_forward forward;
};

/* A forward of the command line, from the parent. */
struct ipc_publish {
	struct ipc_forward forward;
};

struct ipc_published {
	struct ipc_forward_result result;
};

struct ipc_table_added {
	struct ipc_forward_entry entry;
};

struct ipc_table_removed {
	uint32_t id;
	uint32_t reserved;
};

/* The connector gives the parent the socket of one port of a forward. */
struct ipc_table_port {
	uint32_t forward;  /* the forward's id */
	uint32_t listener; /* as ipc_listener.id */
	uint16_t host_port;
	uint16_t reserved[3];
};

/* The parent gives the next connector its forwards: each one, then the sockets of its ports; at last
 * kept_end. */
struct ipc_kept_forward {
	struct ipc_forward_entry entry;
};

struct ipc_kept_port {
	struct ipc_table_port port;
};

struct ipc_kept_end {
	uint32_t last_id; /* of all forwards so far; no id is used twice */
	uint32_t reserved;
};

/* One port of a forward, from the connector to the worker with its socket. */
struct ipc_listener {
	/* A number of the connector's, below IPC_LISTENERS_MAX. It is used again after
	 * listener_closed. */
	uint32_t id;
	uint32_t forward; /* the forward's id */
	struct inaddr host_addr;
	struct inaddr guest_addr; /* not unspecified */
	uint16_t host_port;       /* not 0, as is the next */
	uint16_t guest_port;
	uint8_t proto; /* IPPROTO_TCP: the socket listens; IPPROTO_UDP: it is bound */
	uint8_t reserved;
};

struct ipc_listener_gone {
	uint32_t id;
	uint32_t reserved;
};

struct ipc_listener_closed {
	uint32_t id;
	uint32_t reserved;
};

struct ipc_listener_wanted {
	uint32_t id;
	uint32_t reserved;
};

/* From the api to the connector, and the answers, which come in the order of the requests.
 * `request` is any number; the answer returns it. */
struct ipc_add_forward {
	uint64_t request;
	struct ipc_forward forward;
};

struct ipc_forward_added {
	uint64_t request;
	struct ipc_forward_result result;
	struct ipc_forward forward; /* as in the table if done, else zeros */
};

struct ipc_remove_forward {
	uint64_t request;
	uint32_t id;
	uint32_t reserved;
};

struct ipc_forward_removed {
	uint64_t request;
	uint32_t outcome; /* enum ipc_forward_outcome */
	uint32_t id;
	struct ipc_forward forward; /* the removed forward if done, else zeros */
};

struct ipc_list_forwards {
	uint64_t request;
	uint32_t after_id; /* 0 for the first page; then the last id of the page before */
	uint32_t reserved;
};

struct ipc_forwards_page {
	uint64_t request;
	uint32_t n; /* used entries; the others are zeros. Ascending by id. */
	uint32_t has_more;
	struct ipc_forward_entry entries[IPC_PAGE_ENTRIES];
};

#pragma GCC diagnostic pop
