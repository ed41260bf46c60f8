/* SPDX-License-Identifier: BSD-2-Clause */
/* A token bucket for log lines and requests. */
#include "base/ratelimit.h"

bool
ratelimit_allow(struct ratelimit *limit, uint64_t now_ms)
{
	uint64_t refill = (now_ms - limit->since_ms) / limit->interval_ms;

	if (limit->used == 0)
		limit->since_ms = now_ms;
	else if (refill > 0) {
		limit->used -= refill < limit->used ? (uint32_t)refill : limit->used;
		limit->since_ms += refill * limit->interval_ms;
	}
	if (limit->used >= limit->burst) {
		limit->n_held_back++;
		return false;
	}
	limit->used++;
	limit->n_held_back = 0;
	return true;
}
