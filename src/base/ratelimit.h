/* SPDX-License-Identifier: BSD-2-Clause */
/* A token bucket: what a guest or a client can cause may be said only so often. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ratelimit {
	uint32_t burst;       /* events allowed at once */
	uint32_t interval_ms; /* one more is allowed per interval */
	uint32_t used;        /* events taken out of the burst */
	uint64_t since_ms;    /* when `used` was last brought up to date */
	uint64_t n_held_back; /* events refused since the last that was allowed */
};

/* True if an event at now_ms (CLOCK_MONOTONIC) may happen; counts it either way. */
bool ratelimit_allow(struct ratelimit *limit, uint64_t now_ms);
