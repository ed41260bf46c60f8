/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open flows of the worker: those that it has been given a socket for, and has not
 * closed. A worker that has too many, or asks too fast, is refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "model/flow_table.h"

/* New flows in a second, and at once. A question and its answer take two processors more than
 * 20 microseconds, so an honest guest comes near it on a fast machine only; a loop of connects
 * in a guest, or in a worker that was taken over, leaves the host's ports and tables alone. */
#define FLOWS_PER_S 30000

/* A flow, as the worker asked for it. */
struct flow {
	struct flow_link link;
	struct ipc_flow_open asked;
};

struct flows {
	struct flow_table table;
	uint64_t tokens;    /* flows that may be opened at once */
	uint64_t filled_ms; /* when tokens were added last */
};

/* Maps the memory; call it before the jail. Returns 0, or -1 with errno set. */
int flows_init(struct flows *flows);

/* NULL: no open flow has this number. */
struct flow *flows_find(const struct flows *flows, uint64_t number);

/* Opens a flow whose number no other has, and sets *error to 0; or sets it to EMFILE if too many
 * are open, or to EAGAIN if too many were opened. now_ms is of CLOCK_MONOTONIC. */
struct flow *flows_open(struct flows *flows, const struct ipc_flow_open *asked,
    uint64_t now_ms, uint32_t *error);

/* The flow is forgotten. */
void flows_close(struct flows *flows, struct flow *flow);
