/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of TCP sequence numbers, which wrap at 2^32 (RFC 9293 3.4). Two numbers that
 * are 2^31 or more apart have no order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline bool
seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool
seq_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool
seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool
seq_ge(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}
