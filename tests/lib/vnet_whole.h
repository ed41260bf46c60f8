/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame of the TAP with all checksums, as a kernel would complete it. */
#pragma once

#include "base/bytes.h"
#include "slirp-worker/tap/vnet.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"
#include "slirp-worker/wire/wire.h"

static inline bool
vnet_accept_whole(const uint8_t header[VNET_HEADER_LEN], uint8_t *bytes, size_t len,
    enum ipc_drop_reason *reason)
{
	struct ip_packet ip;
	enum vnet_sum sum;
	uint8_t *tcp;

	if (!vnet_accept(header, bytes, len, &sum, reason))
		return false;
	if (sum != VNET_SUM_OPEN || !ip_parse(bytes, len, &ip))
		return true;
	tcp = bytes + WIRE_ETH_LEN + ip.header_len;
	store_be16(tcp + WIRE_TCP_CHECKSUM,
	    checksum_finish(checksum_add(0, tcp, ip.payload_len)));
	return true;
}
