/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the datagrams of a batch of frames together to runs. */
#include "slirp-worker/engine/udp/udp_batch.h"

#include <assert.h>
#include <string.h>

#include "slirp-worker/wire/wire.h"

static_assert(UDP_RUN_PARTS_MAX >= TAPIO_BUFFERS, "a run holds a batch of one flow");

static bool
is_same_way(const struct udp_run *run, const struct udp_run *other)
{
	return run->fate.ttl == other->fate.ttl && run->fate.tos == other->fate.tos &&
	    run->fate.may_fragment == other->fate.may_fragment &&
	    run->is_group == other->is_group &&
	    memcmp(run->guest_mac, other->guest_mac, WIRE_MAC_LEN) == 0 &&
	    memcmp(run->our_mac, other->our_mac, WIRE_MAC_LEN) == 0;
}

void
udp_batch_add(struct udp_batch *batch, const struct udp_batch_item *item)
{
	const struct udp_run *run = &item->run;
	struct udp_batch_item *old = batch->items, *end = old + batch->n;

	while (old < end && memcmp(&old->key, &item->key, sizeof(item->key)) != 0)
		old++;
	if (old < end && is_same_way(&old->run, run) &&
	    udp_run_add(&old->run, run->parts[0].iov_base, run->len, run->piece_len))
		return;
	if (old < end) {
		/* The flow's earlier datagrams go first. */
		batch->flush(batch->ctx, old);
	} else if (batch->n == TAPIO_BUFFERS) {
		udp_batch_end(batch);
		old = &batch->items[batch->n++];
	} else {
		batch->n++;
	}
	*old = *item;
}

void
udp_batch_end(struct udp_batch *batch)
{
	for (unsigned int i = 0; i < batch->n; i++)
		batch->flush(batch->ctx, &batch->items[i]);
	batch->n = 0;
}
