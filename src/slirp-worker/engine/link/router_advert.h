/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router advertisements of the guest's link (RFC 4861 4.2). libslirp's own would name a
 * name server only if the host's /etc/resolv.conf has one of IPv6. Pure functions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/wire/ip.h"

/* RFC 4861 6.2.1 has 600 s at most between two; libslirp's average is 400. It is not random:
 * the link has no other router that could get in step. */
#define ROUTER_ADVERT_INTERVAL_MS 400000

/* Three options: MAC, prefix, name server. */
#define ROUTER_ADVERT_MAX (IP_HEAD_MAX + 16 + 8 + 32 + 24)

/* Writes an advertisement to all nodes, and returns its length. It names the name server if
 * DNS is enabled. */
size_t router_advert_write(const struct ipc_network *network,
    uint8_t out[ROUTER_ADVERT_MAX]);
