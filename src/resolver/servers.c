/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses the next server for a question, and remembers those that do not answer. */
#include "resolver/servers.h"

#include <string.h>

#include "base/clock.h"

static uint32_t
patience_ms(const struct ipc_nameservers *list, uint32_t round_ms)
{
	uint32_t wanted_ms = list->n * round_ms;

	if (list->timeout_s == 0 && list->attempts == 0)
		return SERVERS_PATIENCE_MS;
	if (wanted_ms < SERVERS_PATIENCE_MS)
		return SERVERS_PATIENCE_MS;
	return wanted_ms < SERVERS_PATIENCE_MAX_MS ? wanted_ms : SERVERS_PATIENCE_MAX_MS;
}

void
servers_set(struct servers *servers, const struct ipc_nameservers *list)
{
	const struct servers before = *servers;

	*servers = (struct servers){
		.n = list->n,
		.attempts = list->attempts ? list->attempts : SERVERS_ATTEMPTS,
		.rotate = list->rotate,
		.timeout_ms = list->timeout_s ? list->timeout_s * UINT32_C(1000)
					      : SERVERS_TIMEOUT_MS,
	};
	servers->patience_ms = patience_ms(list, servers->timeout_ms * servers->attempts);
	for (size_t i = 0; i < list->n; i++) {
		servers->list[i].at = list->servers[i];
		for (size_t j = 0; j < before.n; j++)
			if (memcmp(&before.list[j].at, &list->servers[i],
				sizeof(list->servers[i])) == 0)
				servers->list[i] = before.list[j];
	}
}

struct course
servers_begin(struct servers *servers)
{
	struct course course = { .first = servers->first };

	if (servers->rotate && servers->n > 0)
		servers->first = (uint8_t)((servers->first + 1) % servers->n);
	return course;
}

/* The first living server that is neither tried nor failed, or the first dead one; -1: none. */
static int
choose(const struct servers *servers, const struct course *course, uint64_t now_ms)
{
	int dead = -1;

	for (unsigned int k = 0; k < servers->n; k++) {
		unsigned int i = (course->first + k) % servers->n;

		if ((course->tried | course->failed) & (1U << i))
			continue;
		if (servers->list[i].dead_until_ms <= now_ms)
			return (int)i;
		if (dead == -1)
			dead = (int)i;
	}
	return dead;
}

int
servers_next(const struct servers *servers, struct course *course, uint64_t now_ms)
{
	int index = choose(servers, course, now_ms);

	if (index == -1 && course->round + 1 < servers->attempts) {
		course->round++;
		course->tried = 0;
		index = choose(servers, course, now_ms);
	}
	if (index != -1)
		course->tried |= (uint8_t)(1U << index);
	return index;
}

bool
servers_is_last(const struct servers *servers, const struct course *course)
{
	unsigned int all = (1U << servers->n) - 1;

	return course->round + 1 >= servers->attempts &&
	    ((course->tried | course->failed) & all) == all;
}

void
servers_note_answer(struct servers *servers, int index)
{
	servers->list[index].n_losses = 0;
	servers->list[index].dead_until_ms = 0;
}

static bool
is_dead_now(struct server *server, uint64_t now_ms)
{
	bool was_dead = server->dead_until_ms > now_ms;

	server->dead_until_ms = now_ms + SERVERS_DEAD_MS;
	return !was_dead;
}

bool
servers_note_loss(struct servers *servers, int index, uint64_t now_ms)
{
	struct server *server = &servers->list[index];

	if (++server->n_losses < SERVERS_LOSSES_MAX)
		return false;
	return is_dead_now(server, now_ms);
}

bool
servers_note_refusal(struct servers *servers, int index, uint64_t now_ms)
{
	return is_dead_now(&servers->list[index], now_ms);
}
