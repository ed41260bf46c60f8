/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages about DNS: the guest's questions, and sockets that lead to the host's servers. */
#pragma once

#include <stdint.h>

#include "ipc/msg_policy.h"
#include "ipc/msg_start.h"

/* RFC 1035 4.1.1: the header. A shorter message is not DNS. */
#define IPC_DNS_LEN_MIN 12

/* The longest question in one Ethernet frame. Questions of 512 bytes are rare. */
#define IPC_DNS_QUERY_MAX 1472

/* The longest answer over UDP that resolvers ask for (RFC 6891 6.2.5). */
#define IPC_DNS_ANSWER_MAX 4096

/* Sockets that the resolver has asked for and not got. A descriptor in a queue counts against
 * the limit on open files of the user (unix(7), ETOOMANYREFS), and 1024 is a common one. */
#define IPC_DNS_ASKED_MAX 64

/* Addresses of an answer, and patterns of its name: DNS_RECORDS_MAX and JUDGE_PATTERNS_MAX. */
#define IPC_DNS_ADDRS_MAX 32
#define IPC_DNS_PATTERNS_MAX 4

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct ipc_dns_query {
	uint64_t number; /* chosen by the worker */
	uint16_t len;
	uint8_t reserved[6];
	uint8_t bytes[IPC_DNS_QUERY_MAX]; /* zeros from len on */
};

struct ipc_dns_answer {
	uint64_t number; /* of the question */
	uint16_t len;
	uint8_t reserved[6];
	uint8_t bytes[IPC_DNS_ANSWER_MAX]; /* zeros from len on */
};

struct ipc_dns_open {
	uint64_t number; /* chosen by the resolver */
	struct ipc_nameserver server;
	uint8_t is_tcp;
	uint8_t reserved[7];
};

struct ipc_dns_opened {
	uint64_t number;
};

struct ipc_dns_refused {
	uint64_t number;
	uint32_t error; /* errno; ENETUNREACH if the host has no such server */
	uint32_t reserved;
};

struct ipc_dns_pin {
	uint64_t number;     /* chosen by the resolver */
	uint64_t generation; /* of the policy whose patterns they are */
	uint32_t ttl_s;
	uint8_t n_addrs; /* 1 to IPC_DNS_ADDRS_MAX */
	uint8_t
	    n_patterns; /* up to IPC_DNS_PATTERNS_MAX; 0: in mode audit, no rule lists it */
	uint8_t reserved[4];
	uint16_t patterns[IPC_DNS_PATTERNS_MAX]; /* numbers of struct policy_matcher */
	struct inaddr addrs[IPC_DNS_ADDRS_MAX];  /* zeros from n_addrs on */
	char name[IPC_POLICY_NAME_SIZE]; /* canonical: the one that was asked for */
};

/* No rule has denied the name. */
#define IPC_DNS_NO_RULE UINT16_MAX

/* The counts are those since the message before, so that none is lost if the queue was full. */
struct ipc_dns_refusal {
	uint64_t generation; /* of the policy that has the rule */
	uint64_t n_denied;   /* queries for names that the policy does not allow */
	uint64_t n_limited;  /* queries over a limit */
	uint64_t n_cut;      /* addresses that were cut out of answers */
	uint16_t rule; /* the rule that has denied the last of them, or IPC_DNS_NO_RULE */
	char name[IPC_POLICY_NAME_SIZE]; /* the last that was denied; "": not known */
};

struct ipc_dns_pinned {
	uint64_t number;
	uint32_t is_pinned; /* 0: another policy is in force; the answer must not leave */
	uint32_t reserved;
};

#pragma GCC diagnostic pop
