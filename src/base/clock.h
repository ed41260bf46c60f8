/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of all processes: CLOCK_MONOTONIC. Setting the wall clock does not move
 * it. */
#pragma once

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_MS 1000000
#define CLOCK_NS_PER_US 1000
#define CLOCK_US_PER_MS 1000
#define CLOCK_MS_PER_S 1000

static inline int64_t
clock_now_ns(void)
{
	struct timespec now;

	/* clock_gettime(2) can't fail: the clock exists on every Linux and the address is
	 * good. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * CLOCK_MS_PER_S * CLOCK_NS_PER_MS + now.tv_nsec;
}

static inline uint64_t
clock_now_ms(void)
{
	return (uint64_t)(clock_now_ns() / CLOCK_NS_PER_MS);
}

static inline struct timespec
clock_timespec(uint64_t ms)
{
	return (struct timespec){
		.tv_sec = (time_t)(ms / CLOCK_MS_PER_S),
		.tv_nsec = (long)(ms % CLOCK_MS_PER_S) * CLOCK_NS_PER_MS,
	};
}
