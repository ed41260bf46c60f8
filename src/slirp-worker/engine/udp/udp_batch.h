/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The datagrams of a batch of frames, put together to runs (udp_run.h). The order of a
 * flow's datagrams stays, that of different flows does not. Makes no system call.
 */
#pragma once

#include "model/flow_key.h"
#include "slirp-worker/engine/udp/udp_run.h"
#include "slirp-worker/tap/tapio.h"

struct udp_batch_item {
	struct flow_key key;
	struct udp_run run;
};

struct udp_batch {
	struct udp_batch_item items[TAPIO_BUFFERS];
	unsigned int n;
	/* Takes the run of an item, which is then of no use. */
	void (*flush)(void *ctx, struct udp_batch_item *item);
	void *ctx; /* borrowed */
};

/* Adds the datagrams of a frame, which must stay until udp_batch_end(). item has one part.
 * May flush other datagrams. */
void udp_batch_add(struct udp_batch *batch, const struct udp_batch_item *item);

/* Flushes what the batch has. */
void udp_batch_end(struct udp_batch *batch);
