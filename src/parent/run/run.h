/* SPDX-License-Identifier: BSD-2-Clause */
/* `slirpd run`: one command with a network of its own, which ends with it. */
#pragma once

#include "parent/supervise/supervise.h"

/* Makes the process that becomes options->command, and waits. Sets options->target_pid. Called before
 * anything else is opened or made. Fatal on failure. */
void run_prepare(struct options *options);

/* Gives that process its network like supervise_all(), lets it become the command, and serves until
 * it ends. `sv` is initialized, and its target is open. Returns the exit status. */
int run_supervise(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);
