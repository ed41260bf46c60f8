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
	struct vnet_frame said;
	uint8_t *l4;
	size_t checksum;

	if (!vnet_accept(header, bytes, len, &said, reason))
		return false;
	if (said.sum != VNET_SUM_OPEN || !ip_parse(bytes, len, &ip))
		return true;
	l4 = bytes + WIRE_ETH_LEN + ip.header_len;
	checksum = ip.protocol == IPPROTO_TCP ? WIRE_TCP_CHECKSUM : WIRE_UDP_CHECKSUM;
	store_be16(l4 + checksum, checksum_finish(checksum_add(0, l4, ip.payload_len)));
	return true;
}
