/* SPDX-License-Identifier: BSD-2-Clause */
/* The start: from the first child to READY. A failure ends slirpd. */
#pragma once

#include "parent/supervise/supervisor.h"

/* A start takes milliseconds. Clients give up after one to three seconds (Podman,
 * bubblejail) and a loaded machine may need some more; after this, something hangs. */
#define START_TIMEOUT_MS 30000

/* Ends a start by serving. */
extern const struct supervise_run start_service;

/* Starts all children and tells them what to do. */
void start_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* The same without the helper; see supervise_run_worker(). */
void start_without_helper(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd);

/* Ends a start that takes too long. */
void start_check_deadline(struct supervisor *sv, uint64_t now_ms);
