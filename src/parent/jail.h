/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parent tells the others about their jails, and its own: after ready it keeps
 * what supervision and clean-up need, and nothing else.
 */
#pragma once

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

/* Warns of what was asked for and has no effect. */
void parent_jail_check(const struct options *options);

/* What every child is told first. */
void parent_jail_orders(struct ipc_confine *confine, const struct options *options);

/* Locks the parent itself, and writes what it reached to *reached. Fatal where it is
 * required and fails. */
void parent_jail_lock(const struct options *options, struct ipc_confined *reached);
