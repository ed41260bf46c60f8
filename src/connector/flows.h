/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open flows of the worker: those that it has been given a socket for, and has not
 * closed. A worker that has too many, or asks too fast, is refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ratelimit.h"
#include "ipc/messages.h"
#include "model/flow_table.h"

/* New flows in a second, and at once. A question and its answer take two processors more than
 * 20 microseconds, so an honest guest comes near it on a fast machine only; a loop of connects
 * in a guest, or in a worker that was taken over, leaves the host's ports and tables alone. */
#define FLOWS_PER_S 30000

/* A flow, as the worker asked for it. */
struct flow {
	struct flow_link link;
	struct flow_end *end; /* NULL: not UDP */
	/* With a policy: duplicates of the worker's sockets, by which a flow ends that a later policy
	 * denies. Owned; -1: none. */
	int fd, answers_fd;
	/* The pattern of the pin that lets it through, in the policy of this generation, which is the
	 * one in force; 0: no pin does. */
	uint64_t pin_generation;
	uint16_t pin_pattern;
	bool is_judged; /* a later policy may deny it */
	bool is_reply;  /* to a peer of a forward's port: only `forbid` denies it */
	struct ipc_flow_open asked;
};

/* An address and port of the guest. All its flows have one source port on the host, so that
 * hosts behind address translators find each other (RFC 4787 4.1). */
struct flow_end {
	struct flow_link link;
	uint32_t n_flows;
	uint16_t port; /* host byte order; 0: not known yet */
	uint16_t reserved;
};

enum flows_kind {
	FLOWS_TCP,
	FLOWS_UDP,
	FLOWS_ICMP,
	FLOWS_N_KINDS,
};

struct flows {
	struct flow_table table;
	struct flow_table ends;
	uint32_t n_open[FLOWS_N_KINDS];
	uint64_t tokens;    /* flows that may be opened at once */
	uint64_t filled_ms; /* when tokens were added last */
	uint64_t n_limited; /* flows that were refused for a limit or for the rate */
	/* Of log lines, so that no cause hides another one. */
	struct ratelimit rate_log_limit, limit_log_limits[FLOWS_N_KINDS];
	/* The first flow that the policy in force has not judged, if it judges (judge.h). */
	uint32_t judge_at;
	bool is_judging;
};

/* Maps the memory; call it before the jail. Returns 0, or -1 with errno set. */
int flows_init(struct flows *flows);

/* NULL: no open flow has this number. */
struct flow *flows_find(const struct flows *flows, uint64_t number);

/* Opens a flow whose number no other has, and sets *error to 0; or sets it to EMFILE if too many
 * are open, or to EAGAIN if too many were opened. now_ms is of CLOCK_MONOTONIC. */
struct flow *flows_open(struct flows *flows, const struct ipc_flow_open *asked,
    uint64_t now_ms, uint32_t *error);

/* All flows are forgotten. */
void flows_close_all(struct flows *flows);

/* Ends the use of the flow's sockets, if they are kept: also for a worker that keeps them. */
void flows_end_sockets(struct flow *flow, bool is_reset);

/* The flow is forgotten. */
void flows_close(struct flows *flows, struct flow *flow);
