/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corrects libslirp's DHCP replies so that real clients accept them. libslirp broadcasts
 * all replies (src/bootp.c). If a client has an address (ciaddr), RFC 2131 4.1 sends the
 * reply to it: such a client may have bound its socket to the address, and then does not
 * receive a broadcast. Pure functions over a frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/gate/gate_dhcp.h"

/* Whether the frame, from the stack to the guest, is a DHCP reply to the last request.
 * frame_len may have any value. */
bool dhcp_reply_is_one(const struct gate_dhcp *last, const uint8_t *frame,
    size_t frame_len);

/*
 * Sends the reply to the client's address if it assigns the address that the client
 * already has. Other replies stay broadcasts: DHCPNAK must be one, and clients without an
 * address receive them. Updates the checksums.
 */
void dhcp_reply_rewrite(const struct gate_dhcp *last, uint8_t *frame);
