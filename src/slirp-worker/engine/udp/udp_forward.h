/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwards of the UDP engine: opens and closes their ports, and finds the guest's MAC. */
#pragma once

#include "slirp-worker/engine/udp/udp_host.h"

/* Opens a port of the host, host, for a port of the guest. Returns 0, or -1 with errno of
 * socket(2), bind(2) or epoll_ctl(2). */
int udp_forward_open(struct udp_host *host, const union inaddr_sock *address,
    const struct inaddr *guest, uint16_t guest_port);

/* Closes the port, which must be open, and ends the flows of its peers, and those that the
 * guest opened from it. */
void udp_forward_close(struct udp_host *host, const union inaddr_sock *address);

/* Asks for the MACs that ports wait for, and lets ports go on whose guest has answered, or
 * will not. */
void udp_forward_serve(struct udp_host *host, uint64_t now_ms);

/* Asks everybody for the MAC of an address of the guest. */
void udp_forward_ask(struct udp_host *host, const struct inaddr *guest);
