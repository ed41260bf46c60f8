/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwards of the UDP engine: uses their ports, and finds the guest's MAC. */
#pragma once

#include "slirp-worker/engine/udp/udp_host.h"

/* Begins to serve a port that is PORT_AWAY. Returns false if the kernel has no room for it in
 * epoll(7): it is tried again. */
bool udp_forward_open(struct udp_host *host, struct port *port);

/* Before a port that has a descriptor is closed: ends the flows of its peers, and those that the
 * guest opened from it. */
void udp_forward_close(struct udp_host *host, struct port *port);

/* Asks for the MACs that ports wait for, and lets ports go on whose guest has answered, or
 * will not. */
void udp_forward_serve(struct udp_host *host, uint64_t now_ms);

/* Asks everybody for the MAC of an address of the guest. */
void udp_forward_ask(struct udp_host *host, const struct inaddr *guest);
