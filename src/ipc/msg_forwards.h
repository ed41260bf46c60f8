/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about forwards. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"

/* Entries of a list in one message. The message stays below 2 KiB (describe.c asserts
 * it), so a queue of any legal size holds several. */
#define IPC_PAGE_ENTRIES 28

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* A forward: connections and datagrams to these host ports go to guest ports. */
struct ipc_hostfwd {
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
#define IPC_HOSTFWD_OUTCOMES(OUTCOME) \
	OUTCOME(done, "done") \
	OUTCOME(no_such_rule, "there is no rule with this id") \
	OUTCOME(table_full, "the table of rules is full") \
	OUTCOME(in_use_by_rule, "a rule has the port already") \
	OUTCOME(in_use, "another program has the port") \
	OUTCOME(not_permitted, "the port needs a privilege") \
	OUTCOME(no_such_address, "no interface of the host has the address") \
	OUTCOME(ipv6_is_off, "IPv6 is not enabled") \
	OUTCOME(bad_guest_address, "the address is not one of the guest's network") \
	OUTCOME(system_error, "the kernel refused")

enum ipc_hostfwd_outcome {
#define IPC_HOSTFWD_OUTCOME_ENUM(name, meaning) IPC_HOSTFWD_##name,
	IPC_HOSTFWD_OUTCOMES(IPC_HOSTFWD_OUTCOME_ENUM)
#undef IPC_HOSTFWD_OUTCOME_ENUM
	IPC_HOSTFWD_N_OUTCOMES,
};
/* clang-format on */

struct ipc_hostfwd_result {
	uint32_t outcome;     /* enum ipc_hostfwd_outcome */
	uint32_t id;          /* of the new forward; 0 unless done */
	uint32_t error;       /* errno if the kernel refused, else 0 */
	uint32_t conflict_id; /* the forward that has the port, else 0 */
	uint16_t port;        /* the host's port that failed, else 0 */
	uint16_t reserved[3];
};

struct ipc_hostfwd_entry {
	uint32_t id;
	uint32_t reserved;
	struct ipc_hostfwd rule;
};

/* A forward of the command line, from the parent. */
struct ipc_publish {
	struct ipc_hostfwd rule;
};

struct ipc_published {
	struct ipc_hostfwd_result result;
};

struct ipc_rule_added {
	struct ipc_hostfwd_entry entry;
};

struct ipc_rule_removed {
	uint32_t id;
	uint32_t reserved;
};

/* From the api to the worker, and the answers, which come in the order of the requests.
 * `request` is any number; the answer returns it. */
struct ipc_add_hostfwd {
	uint64_t request;
	struct ipc_hostfwd rule;
};

struct ipc_hostfwd_added {
	uint64_t request;
	struct ipc_hostfwd_result result;
	struct ipc_hostfwd rule; /* as in the table if done, else zeros */
};

struct ipc_remove_hostfwd {
	uint64_t request;
	uint32_t id;
	uint32_t reserved;
};

struct ipc_hostfwd_removed {
	uint64_t request;
	uint32_t outcome; /* enum ipc_hostfwd_outcome */
	uint32_t id;
	struct ipc_hostfwd rule; /* the removed forward if done, else zeros */
};

struct ipc_list_hostfwd {
	uint64_t request;
	uint32_t after_id; /* 0 for the first page; then the last id of the page before */
	uint32_t reserved;
};

struct ipc_hostfwd_page {
	uint64_t request;
	uint32_t n; /* used entries; the others are zeros. Ascending by id. */
	uint32_t has_more;
	struct ipc_hostfwd_entry entries[IPC_PAGE_ENTRIES];
};

#pragma GCC diagnostic pop
