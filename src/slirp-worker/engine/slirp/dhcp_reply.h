/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP replies as real clients take them. libslirp broadcasts all of those of IPv4
 * (src/bootp.c). RFC 2131 4.1 sends the reply for a client that has an address, ciaddr, to
 * that address: such a client may have bound its socket to it, and does not hear a
 * broadcast. libslirp's DHCPv6 replies lack the server identifier (src/dhcpv6.c), without
 * which clients discard them (RFC 8415 16.10). Pure functions over a frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/gate/gate_dhcp.h"

/* The server identifier's option: code and length, then a DUID of an Ethernet address
 * (RFC 8415 21.3, 11.4). */
#define DHCP_REPLY_GROWTH_MAX (4 + 4 + 6)

/* Whether the frame, from the stack to the guest, is a reply of its DHCP servers to the
 * last request. Any length. */
bool dhcp_reply_is_one(const struct gate_dhcp *last, const uint8_t *frame,
    size_t frame_len);

/*
 * Addresses the reply to the client, if it gives the client of the last request the
 * address that this client has. All other replies of IPv4 stay broadcasts: DHCPNAK has to
 * be one, and a client without an address hears them. A reply of IPv6 gets its server
 * identifier. The frame is a reply, and its buffer has DHCP_REPLY_GROWTH_MAX bytes more.
 * The checksums follow. Returns the length.
 */
size_t dhcp_reply_rewrite(const struct gate_dhcp *last, uint8_t *frame, size_t frame_len);
