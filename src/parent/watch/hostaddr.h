/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of the host's interfaces, from the kernel by rtnetlink(7). The sockets
 * are opened before the parent enters its jail. Used by outbound.c alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* An address of either family, and its length. */
struct hostaddr {
	uint8_t bytes[IPC_ADDR6_LEN];
	size_t len;
};

/* Opens a socket for requests or, with groups (RTMGRP_..., rtnetlink(7)), for events. The
 * caller owns it. Returns -1 with errno set on failure. */
int parent_hostaddr_open(uint32_t groups);

/* Replaces *address by an address of the interface, unless the interface still has
 * *address. address->len is the length of the family. Returns false with errno set if
 * there is none: ENODEV for the interface, EADDRNOTAVAIL for an address. */
bool parent_hostaddr_find(int query_fd, const char *ifname, int family,
    struct hostaddr *address);

/* Reads the pending events from the socket and drops them. */
void parent_hostaddr_drop_events(int events_fd);
