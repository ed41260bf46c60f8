/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parent's service: from the start of the children to the end of the last. One
 * loop, one poll: signals, the caller's exit-fd, the children's channels, the
 * namespace. The parent is on no packet's path; nothing here is fast or needs to be.
 *
 * Its parts are listed in supervisor.h.
 */
#pragma once

#include "parent/supervise/supervisor.h"

/* Fatal on failure. */
void supervise_init(struct supervisor *sv, const struct options *options);

/* Starts the children, waits until all is ready, serves until the end, and ends them.
 * Returns the exit status; the reason of a failure has been logged. */
int supervise_run(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* Like supervise_run without the helper: the worker gets adopt_tap_fd in the place of a
 * TAP, which is the listening socket of --target-type=bess, or for a report where there
 * is no guest nothing that can be used. */
int supervise_run_worker(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd);

/* Starts the worker alone and asks for its libraries. Returns 0, or -1 having logged
 * the reason. */
int supervise_ask_about(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);
