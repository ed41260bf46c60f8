/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame of the TAP as libslirp gets it: with all checksums. */
#pragma once

#include "slirp-worker/tap/vnet.h"

static inline bool
vnet_accept_whole(const uint8_t header[VNET_HEADER_LEN], uint8_t *bytes, size_t len,
    enum ipc_drop_reason *reason)
{
	enum vnet_sum sum;

	if (!vnet_accept(header, bytes, len, &sum, reason))
		return false;
	if (sum == VNET_SUM_OPEN)
		vnet_complete(bytes, len);
	return true;
}
