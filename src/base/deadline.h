/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines: times of CLOCK_MONOTONIC in milliseconds (clock.h), when something is due. */
#pragma once

#include <limits.h>
#include <stdint.h>

/* Nothing is due. */
#define DEADLINE_NONE UINT64_MAX

static inline uint64_t
deadline_earlier(uint64_t a_ms, uint64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

/* Returns the timeout for poll(2): the time that is left, at least 0, or -1 for none. */
static inline int
deadline_timeout(uint64_t deadline_ms, uint64_t now_ms)
{
	if (deadline_ms == DEADLINE_NONE)
		return -1;
	if (deadline_ms <= now_ms)
		return 0;
	return deadline_ms - now_ms > INT_MAX ? INT_MAX : (int)(deadline_ms - now_ms);
}
