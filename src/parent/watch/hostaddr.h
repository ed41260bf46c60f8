/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of the host's interfaces, from the kernel by rtnetlink(7). The sockets
 * are opened before the parent enters its jail. Used by outbound.c and hostlist.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/inaddr.h"

/* Opens a socket for requests or, with groups (RTMGRP_..., rtnetlink(7)), for events. The
 * caller owns it. Returns -1 with errno set on failure. */
int parent_hostaddr_open(uint32_t groups);

/* Replaces *address by an address of the interface, of the same family, unless the
 * interface still has *address. Returns false with errno set if there is none: ENODEV for
 * the interface, EADDRNOTAVAIL for an address. */
bool parent_hostaddr_find(int query_fd, const char *ifname, struct inaddr *address);

/* Stores all addresses of all interfaces, up to n_max. Returns their number, which may be more, or
 * -1 with errno set. */
int parent_hostaddr_list(int query_fd, struct inaddr *addrs, uint32_t n_max);

/* Reads the pending events from the socket and drops them. */
void parent_hostaddr_drop_events(int events_fd);
