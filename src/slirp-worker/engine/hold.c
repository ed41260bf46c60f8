/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps datagrams of flows that wait for their sockets. */
#include "slirp-worker/engine/hold.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mapping.h"

#define SHORT_LEN ((size_t)HOLD_PLACES * HOLD_LEN_SHORT)
#define DATA_LEN (SHORT_LEN + (size_t)HOLD_LONG_PLACES * HOLD_LEN_MAX)

static_assert(HOLD_LONG_PLACES == 32, "a bit for each place");

int
hold_init(struct hold *hold)
{
	*hold = (struct hold){
		.data = mapping_new(DATA_LEN),
		.free_long = UINT32_MAX,
		.first_free = 1,
		.n_free = HOLD_PLACES,
	};
	for (uint16_t i = 0; i + 1 < HOLD_PLACES; i++)
		hold->held[i].next = (uint16_t)(i + 2);
	return hold->data ? 0 : -1;
}

void
hold_free(struct hold *hold)
{
	if (hold->data)
		munmap(hold->data, DATA_LEN);
	hold->data = NULL;
}

static uint8_t *
data_of(const struct hold *hold, const struct held_datagram *held)
{
	return held->long_place != 0
	    ? hold->data + SHORT_LEN + (size_t)(held->long_place - 1) * HOLD_LEN_MAX
	    : hold->data + (size_t)(held - hold->held) * HOLD_LEN_SHORT;
}

/* Returns the number of a long place, which is then not free any more. */
static uint16_t
take_long_place(struct hold *hold)
{
	uint16_t place = (uint16_t)__builtin_ffs((int)hold->free_long);

	hold->free_long &= hold->free_long - 1;
	return place;
}

bool
hold_add(struct hold *hold, struct hold_queue *queue, const uint8_t *data, size_t len,
    const struct hold_fate *fate)
{
	uint16_t place = hold->first_free;
	struct held_datagram *held;

	if (hold->n_free <= (queue->first != 0 ? HOLD_FIRST_PLACES : 0) ||
	    len >= HOLD_LEN_MAX || (len > HOLD_LEN_SHORT && hold->free_long == 0))
		return false;
	held = &hold->held[place - 1];
	hold->first_free = held->next;
	hold->n_free--;
	*held = (struct held_datagram){ .len = (uint16_t)len, .fate = *fate };
	if (len > HOLD_LEN_SHORT)
		held->long_place = take_long_place(hold);
	memcpy(data_of(hold, held), data, len);
	if (queue->first == 0)
		queue->first = place;
	else
		hold->held[queue->last - 1].next = place;
	queue->last = place;
	return true;
}

const struct held_datagram *
hold_first(const struct hold *hold, const struct hold_queue *queue, const uint8_t **data)
{
	if (queue->first == 0)
		return NULL;
	*data = data_of(hold, &hold->held[queue->first - 1]);
	return &hold->held[queue->first - 1];
}

void
hold_take(struct hold *hold, struct hold_queue *queue)
{
	uint16_t place = queue->first;
	struct held_datagram *held = &hold->held[place - 1];

	queue->first = held->next;
	if (held->long_place != 0)
		hold->free_long |= UINT32_C(1) << (held->long_place - 1);
	held->next = hold->first_free;
	hold->first_free = place;
	hold->n_free++;
}

void
hold_drop(struct hold *hold, struct hold_queue *queue)
{
	while (queue->first != 0)
		hold_take(hold, queue);
}
