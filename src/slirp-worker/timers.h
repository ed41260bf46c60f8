/* SPDX-License-Identifier: BSD-2-Clause */
/* The few timers that the network stack asks for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* libslirp has one (the IPv6 router advertisement); room for those it may yet grow. */
#define TIMERS_MAX 8

typedef void timer_fire_fn(void *ctx);

struct timer {
	timer_fire_fn *fire; /* NULL: the slot is free */
	void *ctx;
	int64_t expires_ms; /* CLOCK_MONOTONIC; INT64_MAX: not set */
};

struct timers {
	struct timer slots[TIMERS_MAX];
};

/* A timer that is not set yet; fire(ctx) is called from timers_run. NULL when there is no
 * slot left. It belongs to timers; timer_remove gives the slot back. */
struct timer *timers_add(struct timers *timers, timer_fire_fn *fire, void *ctx);
void timer_remove(struct timer *timer);

/* The timer fires once, at or after expires_ms. */
void timer_set(struct timer *timer, int64_t expires_ms);

/* Fires those that are due. */
void timers_run(struct timers *timers, int64_t now_ms);

/* When the next one is due; INT64_MAX for none. */
int64_t timers_next_ms(const struct timers *timers);
