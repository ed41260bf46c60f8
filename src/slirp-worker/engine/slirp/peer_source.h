/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One name for the host's loopback. A peer there that reaches the guest by a host forward
 * appears as the gateway; but once the guest has answered somebody else by the same UDP
 * port, libslirp forgets that (src/socket.c, sotranslate_in) and sends the peer's next
 * datagrams with the source 127.0.0.1 or ::1, which no guest takes. Pure functions over a
 * frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* Whether the frame, from the stack to the guest, has such a source. Any length. */
bool peer_source_is_loopback(const uint8_t *frame, size_t frame_len);

/* Puts the gateway in its place; the checksums follow. The frame has such a source. */
void peer_source_replace(const struct ipc_network *network, uint8_t *frame,
    size_t frame_len);
