/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parent's duplicates of the sockets of forwards, for a connector that is started again. The
 * parent only keeps them: it has no part in their traffic. It has the same limit on open files as
 * connector and worker, which leave more of it unused than the parent needs (model/budget.h), so
 * each port of a forward finds room.
 */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"

struct kept_port {
	struct ipc_table_port about;
	int fd; /* owned */
};

/* Ascending by forward. */
struct kept {
	struct kept_port *ports; /* owned; FORWARD_TABLE_MAX */
	uint32_t n;
	uint64_t
	    listeners[IPC_LISTENERS_MAX / 64]; /* a bit for each number that a port has */
};

/* Maps the memory, and ends slirpd if there is none. */
void kept_init(struct kept *kept);

/* Returns -1 if it is not above the forwards before, if another port has its number, or if there are
 * too many. */
int kept_add(struct kept *kept, const struct ipc_table_port *about, int adopt_fd);

/* The place of the first port of this forward or of a later one. */
uint32_t kept_find(const struct kept *kept, uint32_t forward);

/* Closes the ports of the forwards from first to last. */
void kept_drop(struct kept *kept, uint32_t first, uint32_t last);
