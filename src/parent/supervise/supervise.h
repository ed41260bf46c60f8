/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of the parent, from the start of the children to the end of the last. It polls
 * signals, the caller's exit-fd, the children's channels and the namespace. Packets do
 * not pass through it, so it need not be fast.
 *
 * supervisor.h lists its parts.
 */
#pragma once

#include "parent/supervise/supervisor.h"

/* Fatal on failure. */
void supervise_init(struct supervisor *sv, const struct options *options);

/* Starts the children, serves until the end, and ends the children. Returns the exit
 * status; the reason of a failure has been logged. */
int supervise_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* Like supervise_all(), without the helper. The worker gets adopt_tap_fd as its TAP: the
 * listening socket of --target-type=bess, or a descriptor without use, for a report
 * without a guest. */
int supervise_without_helper(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd);

/* Reads the policy, and ends. Returns the exit status; errors and remarks have been logged. */
int supervise_check_policy(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* Starts the worker alone and asks it for its libraries. Returns 0, or -1 having logged
 * the reason. */
int supervise_ask_about(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);
