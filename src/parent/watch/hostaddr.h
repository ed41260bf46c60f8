/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What addresses the host's interfaces have, asked of the kernel by rtnetlink(7) over
 * sockets that are opened before the parent locks itself. Used by outbound.c alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* An address in the form that both families share, and how long it is. */
struct hostaddr {
	uint8_t bytes[IPC_ADDR6_LEN];
	size_t len;
};

/* A socket for questions or, with groups (RTMGRP_..., rtnetlink(7)), for events; the
 * caller owns it. Returns -1 with errno set. */
int parent_hostaddr_open(uint32_t groups);

/* Replaces *address by one that the interface has, unless it still has that one;
 * address->len is the family's. Returns false with errno set if there is none: ENODEV for
 * the interface, EADDRNOTAVAIL for an address. */
bool parent_hostaddr_find(int query_fd, const char *ifname, int family,
    struct hostaddr *address);

/* Takes the events that have come off the socket. */
void parent_hostaddr_drop_events(int events_fd);
