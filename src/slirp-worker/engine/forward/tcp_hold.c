/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps connections of forwards until the guest's MAC is known. */
#include "slirp-worker/engine/forward/tcp_hold.h"

#include <assert.h>
#include <string.h>

#include "base/deadline.h"

static size_t
find(const struct tcp_hold *hold, const struct inaddr *guest)
{
	size_t i = 0;

	while (i < hold->n_wanted && !inaddr_is_equal(&hold->wanted[i].guest, guest))
		i++;
	return i;
}

bool
tcp_hold_has_room(const struct tcp_hold *hold, const struct inaddr *guest)
{
	size_t i = find(hold, guest);

	return hold->n_held < TCP_HELD_MAX &&
	    (i == hold->n_wanted || hold->wanted[i].n_held < TCP_HELD_BY_GUEST);
}

void
tcp_hold_add(struct tcp_hold *hold, const struct peer_incoming *incoming, uint64_t now_ms)
{
	size_t i = find(hold, &incoming->guest);

	assert(hold->n_held < TCP_HELD_MAX);
	if (i == hold->n_wanted)
		hold->wanted[hold->n_wanted++] = (struct tcp_wanted){
			.guest = incoming->guest,
			.due_ms = now_ms,
			.ends_ms = now_ms + TCP_HOLD_MAX_MS,
		};
	hold->wanted[i].n_held++;
	hold->held[hold->n_held++] = *incoming;
}

enum tcp_hold_action
tcp_hold_look(const struct tcp_wanted *wanted, uint64_t now_ms)
{
	if (now_ms >= wanted->ends_ms)
		return TCP_HOLD_GIVE_UP;
	if (now_ms < wanted->due_ms)
		return TCP_HOLD_WAIT;
	return wanted->n_asked == TCP_HOLD_ASKS ? TCP_HOLD_GIVE_UP : TCP_HOLD_ASK;
}

void
tcp_hold_asked(struct tcp_wanted *wanted, bool went_out, uint64_t now_ms)
{
	if (went_out)
		wanted->n_asked++;
	wanted->due_ms = now_ms + TCP_HOLD_ASK_MS;
}

bool
tcp_hold_take(struct tcp_hold *hold, const struct inaddr *guest,
    struct peer_incoming *incoming)
{
	size_t i = find(hold, guest);
	size_t first = 0;

	if (i == hold->n_wanted)
		return false;
	while (!inaddr_is_equal(&hold->held[first].guest, guest))
		first++;
	*incoming = hold->held[first];
	hold->n_held--;
	memmove(&hold->held[first], &hold->held[first + 1],
	    (hold->n_held - first) * sizeof(hold->held[0]));
	if (--hold->wanted[i].n_held == 0)
		hold->wanted[i] = hold->wanted[--hold->n_wanted];
	return true;
}

uint64_t
tcp_hold_due(const struct tcp_hold *hold)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (size_t i = 0; i < hold->n_wanted; i++)
		due_ms = deadline_earlier(due_ms,
		    deadline_earlier(hold->wanted[i].due_ms, hold->wanted[i].ends_ms));
	return due_ms;
}
