/* SPDX-License-Identifier: BSD-2-Clause */
/* The start: from the first child to READY. A failure ends slirpd. */
#pragma once

#include "parent/supervise/supervisor.h"

/* A start takes milliseconds, more on a loaded machine. Clients give up after one to
 * three seconds (Podman, bubblejail). After this time something hangs. */
#define START_TIMEOUT_MS 30000

/* The task to serve a guest. */
extern const struct supervise_task start_task;

/* Starts and instructs all children. */
void start_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* The same without the helper; see supervise_without_helper(). */
void start_without_helper(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd);

/* Completes a start that waits for nothing more, and ends slirpd if it takes too long. */
void start_handle(struct supervisor *sv, uint64_t now_ms);
