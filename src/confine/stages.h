/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stages of a jail (IPC_STAGES in ipc/messages.h) as the roles with a jail of their
 * own share them: what is tried, what is done where it is barred, and what is reported.
 * Which of them a role enters, and with what, is in the role's jail.c.
 *
 * Each follows `orders`, and sets its bit in `reached` where it was entered. What is
 * required and fails is fatal, naming the stage and the kernel's reason; what is best
 * effort is logged.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#include "confine/landlock.h"
#include "confine/mountns.h"
#include "ipc/messages.h"

/*
 * Moves the process into a user namespace of its own and into those of `flags`, a subset
 * of CONFINE_NS_FLAGS without CLONE_NEWUSER. Real root makes no user namespace. Where one
 * is barred, fallback_userns_fd is joined instead (borrowed; -1 for none).
 *
 * Must not yet give up the capabilities that the new namespaces give: the next stage
 * mounts.
 */
void confine_stage_namespaces(const struct ipc_confine *orders,
    struct ipc_confined *reached, int flags, int fallback_userns_fd);

/* An empty read-only root with these files; not tried where the namespaces were not
 * reached. Must come while their capabilities are there. */
void confine_stage_root(const struct ipc_confine *orders, struct ipc_confined *reached,
    const struct confine_file *files, size_t n_files);

/* Gives up all capabilities, but for real root those in `keep`, and changes real root's
 * ids. Must come after all that mounts. */
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

/* A kernel without Landlock is no failure. Must come after all mounts. */
void confine_stage_landlock(const struct ipc_confine *orders,
    struct ipc_confined *reached, const struct confine_landlock_rule *rules,
    size_t n_rules, unsigned int deny);

/* The last thing before service; follows seccomp_mode, the others follow sandbox_mode.
 * The parameters are the constants of the role's compiled policy. */
void confine_stage_seccomp(const struct ipc_confine *orders, struct ipc_confined *reached,
    const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at, uint32_t n_calls);
