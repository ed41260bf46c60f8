/* SPDX-License-Identifier: BSD-2-Clause */
/* The orders for the jails of the others, and the jail of the parent itself. After ready
 * the parent keeps only what supervision and clean-up need. */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

/* Warns of options without effect. */
void parent_jail_check(const struct options *options);

/* Fills in the first message to every child. */
void parent_jail_orders(struct ipc_confine *confine, const struct options *options);

/* The first port of the host that needs no privilege (ip(7), ip_unprivileged_port_start).
 * Before the filter; the kernel's default without /proc. */
uint32_t parent_jail_first_free_port(void);

/* Locks the parent itself by the same orders, and reports its stages in *reached. The
 * failure of a required stage is fatal. */
void parent_jail_lock(const struct ipc_confine *orders, const struct options *options,
    struct ipc_confined *reached);
