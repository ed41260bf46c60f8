/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stages of a jail (IPC_STAGES in ipc/msg_jail.h), shared by the roles that make a
 * jail. The jail.c of each role chooses its stages and their parameters.
 *
 * Each function follows `orders` and sets its bit in `reached` when the stage is entered.
 * The failure of a required stage is fatal; the message names the stage and the kernel's
 * reason. The failure of a best-effort stage is logged.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#include "confine/landlock.h"
#include "confine/mountns.h"
#include "ipc/messages.h"

/*
 * Moves the process into a user namespace of its own and into the namespaces of `flags`,
 * a subset of CONFINE_NS_FLAGS without CLONE_NEWUSER. Real root makes no user namespace.
 * If the user namespace cannot be made, joins fallback_userns_fd (borrowed; -1 for none).
 *
 * The process keeps its capabilities in the new namespaces: the next stage mounts.
 */
void confine_stage_namespaces(const struct ipc_confine *orders,
    struct ipc_confined *reached, int flags, int fallback_userns_fd);

/*
 * The same for a process that keeps a capability of its caller, which a user namespace of its
 * own would take away. Only a caller with CAP_SYS_ADMIN can make the other namespaces without
 * one; otherwise the stage is not reached, which is not a failure.
 */
void confine_stage_namespaces_same_user(const struct ipc_confine *orders,
    struct ipc_confined *reached, int flags);

/* Replaces the root by an empty, read-only one. Does nothing if the namespaces were not
 * reached. Call it while the process has its capabilities in them. */
void confine_stage_root(const struct ipc_confine *orders, struct ipc_confined *reached);

/* Drops all capabilities. Real root keeps `keep` and changes its ids. Call it after all
 * mounts. */
void confine_stage_capabilities(const struct ipc_confine *orders,
    struct ipc_confined *reached, uint64_t keep);

/* The same for a process that keeps its ids and what it cannot do without of a caller's
 * capabilities: a set of CONFINE_CAP_BIT(). */
void confine_stage_kept_capabilities(const struct ipc_confine *orders,
    struct ipc_confined *reached, uint64_t needed);

/* `limits`: a set of enum confine_limit. Must come before Landlock and the filter, which
 * need no_new_privs. */
void confine_stage_limits(const struct ipc_confine *orders, struct ipc_confined *reached,
    unsigned int limits);

/* The same with all limits, less those that would keep a sanitizer from its report. */
void confine_stage_all_limits(const struct ipc_confine *orders,
    struct ipc_confined *reached);

/* A kernel without Landlock is not a failure. Call it after all mounts. */
void confine_stage_landlock(const struct ipc_confine *orders,
    struct ipc_confined *reached, int writable_dir_fd, unsigned int deny);

/* Call it last, before service. It follows seccomp_mode; the other stages follow
 * sandbox_mode. The parameters are the constants of the role's compiled policy. */
void confine_stage_seccomp(const struct ipc_confine *orders, struct ipc_confined *reached,
    const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at, uint32_t n_calls);

/* The whole jail of a child that keeps the namespaces and the rights of its parent: limits
 * and the filter. The parameters are those of confine_stage_seccomp(). */
void confine_stages_limited(const struct ipc_confine *orders,
    struct ipc_confined *reached, const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at, uint32_t n_calls);
