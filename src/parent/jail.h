/* SPDX-License-Identifier: BSD-2-Clause */
/* The orders for the jails of the others, and the jail of the parent itself. After ready
 * the parent keeps only what supervision and clean-up need. */
#pragma once

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

/* Warns of options without effect. */
void parent_jail_check(const struct options *options);

/* Fills in the first message to every child. */
void parent_jail_orders(struct ipc_confine *confine, const struct options *options);

/* Locks the parent itself by the same orders, and reports its stages in *reached. The
 * failure of a required stage is fatal. */
void parent_jail_lock(const struct ipc_confine *orders, const struct options *options,
    struct ipc_confined *reached);
