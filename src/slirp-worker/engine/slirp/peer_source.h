/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows the guest one address for the host's loopback. A peer there that reaches the
 * guest by a forward appears as the gateway. After the guest has answered another peer by
 * the same UDP port, libslirp forgets that (src/socket.c, sotranslate_in). It then sends
 * the peer's datagrams with the source 127.0.0.1 or ::1, which no guest accepts. Pure
 * functions over a frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* Whether a frame to the guest has such a source. frame_len may have any value. */
bool peer_source_is_loopback(const uint8_t *frame, size_t frame_len);

/* Replaces such a source by the gateway and updates the checksums. */
void peer_source_replace(const struct ipc_network *network, uint8_t *frame,
    size_t frame_len);
