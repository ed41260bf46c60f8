/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stateless DHCPv6 server of the guest's link (RFC 8415 6.1): it tells the name server.
 * libslirp's own leaves out the server identifier, without which clients discard a reply
 * (RFC 8415 16.10), and names a name server with --disable-dns too. Pure functions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/wire/ip.h"

/* The message's head and three options: client, server, name server. */
#define DHCP6_ANSWER_MAX \
	(IP_HEAD_MAX + WIRE_UDP_LEN + WIRE_DHCP6_LEN + WIRE_DHCP6_OPTION_LEN + \
	    WIRE_DHCP6_DUID_MAX + WIRE_DHCP6_OPTION_LEN + 10 + WIRE_DHCP6_OPTION_LEN + \
	    16)

/* Writes the answer to an information request that passed the gate, for the MAC that has sent
 * it. Returns its length; 0: the request is for another server. */
size_t dhcp6_answer(const struct ipc_network *network, const uint8_t *frame,
    const struct gate_frame *request, uint8_t out[DHCP6_ANSWER_MAX]);
