/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the timers of the network stack. */
#include "slirp-worker/timers.h"

#include <stddef.h>

struct timer *
timers_add(struct timers *timers, timer_fire_fn *fire, void *ctx)
{
	for (size_t i = 0; i < TIMERS_MAX; i++) {
		struct timer *timer = &timers->slots[i];

		if (timer->fire)
			continue;
		*timer = (struct timer){ .fire = fire,
			.ctx = ctx,
			.expires_ms = DEADLINE_NONE };
		return timer;
	}
	return NULL;
}

void
timer_remove(struct timer *timer)
{
	timer->fire = NULL;
}

void
timer_set(struct timer *timer, uint64_t expires_ms)
{
	timer->expires_ms = expires_ms;
}

void
timers_run(struct timers *timers, uint64_t now_ms)
{
	for (size_t i = 0; i < TIMERS_MAX; i++) {
		struct timer *timer = &timers->slots[i];

		if (!timer->fire || timer->expires_ms > now_ms)
			continue;
		/* Before the call, because fire() may set the timer again. */
		timer->expires_ms = DEADLINE_NONE;
		timer->fire(timer->ctx);
	}
}

uint64_t
timers_next_ms(const struct timers *timers)
{
	uint64_t next_ms = DEADLINE_NONE;

	for (size_t i = 0; i < TIMERS_MAX; i++)
		if (timers->slots[i].fire)
			next_ms = deadline_earlier(next_ms, timers->slots[i].expires_ms);
	return next_ms;
}
