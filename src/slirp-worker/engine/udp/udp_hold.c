/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps datagrams of flows that wait for their sockets. */
#include "slirp-worker/engine/udp/udp_hold.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mapping.h"

#define DATA_LEN ((size_t)UDP_HOLD_PLACES * UDP_HOLD_LEN_MAX)

int
udp_hold_init(struct udp_hold *hold)
{
	*hold = (struct udp_hold){
		.data = mapping_new(DATA_LEN),
		.first_free = 1,
		.n_free = UDP_HOLD_PLACES,
	};
	for (uint16_t i = 0; i + 1 < UDP_HOLD_PLACES; i++)
		hold->held[i].next = (uint16_t)(i + 2);
	return hold->data ? 0 : -1;
}

void
udp_hold_free(struct udp_hold *hold)
{
	if (hold->data)
		munmap(hold->data, DATA_LEN);
	hold->data = NULL;
}

bool
udp_hold_add(struct udp_hold *hold, struct udp_queue *queue, const uint8_t *data,
    size_t len, const struct udp_fate *fate)
{
	uint16_t place = hold->first_free;
	struct udp_held *held;

	if (hold->n_free <= (queue->first != 0 ? UDP_HOLD_FIRST_PLACES : 0) ||
	    len >= UDP_HOLD_LEN_MAX)
		return false;
	held = &hold->held[place - 1];
	hold->first_free = held->next;
	hold->n_free--;
	*held = (struct udp_held){ .len = (uint16_t)len, .fate = *fate };
	memcpy(hold->data + (size_t)(place - 1) * UDP_HOLD_LEN_MAX, data, len);
	if (queue->first == 0)
		queue->first = place;
	else
		hold->held[queue->last - 1].next = place;
	queue->last = place;
	return true;
}

const struct udp_held *
udp_hold_first(const struct udp_hold *hold, const struct udp_queue *queue,
    const uint8_t **data)
{
	if (queue->first == 0)
		return NULL;
	*data = hold->data + (size_t)(queue->first - 1) * UDP_HOLD_LEN_MAX;
	return &hold->held[queue->first - 1];
}

void
udp_hold_take(struct udp_hold *hold, struct udp_queue *queue)
{
	uint16_t place = queue->first;
	struct udp_held *held = &hold->held[place - 1];

	queue->first = held->next;
	held->next = hold->first_free;
	hold->first_free = place;
	hold->n_free++;
}

void
udp_hold_drop(struct udp_hold *hold, struct udp_queue *queue)
{
	while (queue->first != 0)
		udp_hold_take(hold, queue);
}
