/* SPDX-License-Identifier: BSD-2-Clause */
/* The timers of the network stack. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

/* libslirp uses one (for IPv6 router advertisements); the rest is for later versions. */
#define TIMERS_MAX 8

typedef void timer_fire_fn(void *ctx);

struct timer {
	timer_fire_fn *fire; /* NULL: the entry is free */
	void *ctx;
	uint64_t expires_ms; /* DEADLINE_NONE: not set */
};

struct timers {
	struct timer slots[TIMERS_MAX];
};

/* Adds a timer that is not set; timers_run() calls fire(ctx). Returns NULL if all entries
 * are in use. The timer belongs to timers; timer_remove() frees its entry. */
struct timer *timers_add(struct timers *timers, timer_fire_fn *fire, void *ctx);
void timer_remove(struct timer *timer);

/* The timer fires once, at or after expires_ms. */
void timer_set(struct timer *timer, uint64_t expires_ms);

/* Fires all timers that are due. */
void timers_run(struct timers *timers, uint64_t now_ms);

/* The earliest expiry; DEADLINE_NONE if no timer is set. */
uint64_t timers_next_ms(const struct timers *timers);
