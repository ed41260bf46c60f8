/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports the state of slirpd to a service manager: datagrams to the socket of
 * NOTIFY_SOCKET (sd_notify(3)). */
#pragma once

#include <stdint.h>

/* The status while nothing is amiss. */
#define NOTIFY_STATUS_SERVES "STATUS=The guest has its network"

/* Connects to the socket, before the filter forbids it. Does nothing without
 * NOTIFY_SOCKET. A failure is a warning. */
void parent_notify_open(void);

/* The time when parent_notify_alive() must be called again; DEADLINE_NONE: never. */
uint64_t parent_notify_due_ms(void);

/* Tells the service manager that slirpd is alive, if it has a watchdog (sd_watchdog_enabled(3))
 * and it is time. */
void parent_notify_alive(uint64_t now_ms);

/* Sends a text of lines "NAME=value", if connected. A failure is a warning. */
void parent_notify(const char *text);
