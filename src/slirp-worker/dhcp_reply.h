/*
 * DHCP replies as real clients take them. libslirp broadcasts all of them (src/bootp.c).
 * RFC 2131 4.1 sends the reply for a client that has an address, ciaddr, to that address:
 * such a client may have bound its socket to it, and does not hear a broadcast. Pure
 * functions over a frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/gate_dhcp.h"

/* Whether the frame, from the stack to the guest, is a reply of its DHCP server. Any
 * length. */
bool dhcp_reply_is_one(const uint8_t *frame, size_t frame_len);

/*
 * Addresses the reply to the client, if it gives the client of the last request the
 * address that this client has. All other replies stay broadcasts: DHCPNAK has to be one,
 * and a client without an address hears them. The frame is a reply; its checksums follow.
 */
void dhcp_reply_rewrite(const struct gate_dhcp4 *last_request, uint8_t *frame);
