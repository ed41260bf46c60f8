/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corrects libslirp's DHCP replies so that real clients accept them. libslirp broadcasts
 * all replies of IPv4 (src/bootp.c). If a client has an address (ciaddr), RFC 2131 4.1
 * sends the reply to it: such a client may have bound its socket to the address, and then
 * does not receive a broadcast. libslirp's DHCPv6 replies lack the server identifier
 * (src/dhcpv6.c), and clients discard them (RFC 8415 16.10). Pure functions over a frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/gate/gate_dhcp.h"

/* Length of the option of the server identifier: code and length, then a DUID of an
 * Ethernet address (RFC 8415 21.3, 11.4). */
#define DHCP_REPLY_GROWTH_MAX (4 + 4 + 6)

/* Whether the frame, from the stack to the guest, is a DHCP reply to the last request.
 * frame_len may have any value. */
bool dhcp_reply_is_one(const struct gate_dhcp *last, const uint8_t *frame,
    size_t frame_len);

/*
 * Sends the reply to the client's address if it assigns the address that the client
 * already has. Other replies of IPv4 stay broadcasts: DHCPNAK must be one, and clients
 * without an address receive them. A reply of IPv6 gets a server identifier. The buffer
 * of the reply must have DHCP_REPLY_GROWTH_MAX bytes more. Updates the checksums. Returns
 * the length.
 */
size_t dhcp_reply_rewrite(const struct gate_dhcp *last, uint8_t *frame, size_t frame_len);
