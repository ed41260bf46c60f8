/* SPDX-License-Identifier: BSD-2-Clause */
/* A token bucket: limits how often a guest or a client can cause a log line or a
 * request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ratelimit {
	uint32_t burst;       /* events allowed at once */
	uint32_t interval_ms; /* one more event is allowed per interval */
	uint32_t used;        /* events taken out of the burst */
	uint64_t since_ms;    /* when `used` was last brought up to date */
	uint64_t n_held_back; /* events refused since the last allowed event */
};

/* Whether an event at now_ms (CLOCK_MONOTONIC) may happen. Counts it either way. */
bool ratelimit_allow(struct ratelimit *limit, uint64_t now_ms);
