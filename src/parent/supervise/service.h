/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of each process: how it is started, and what its end means by its row of the table in
 * wiring.c. A process with a starter is started again when it has died; packets and forwards do
 * not notice.
 */
#pragma once

#include "parent/supervise/supervisor.h"

/* Starts a process by fork(2) and tells it how much of a jail to make. A failure ends slirpd. */
void service_fork(struct supervisor *sv, enum ipc_role role,
    const int program_fds[IPC_ROLE_END]);

/* Starts the process by its starter, and tells it what its row says. A failure ends slirpd. */
void service_begin(struct supervisor *sv, enum ipc_role role);

/* The process has said that it is ready: from now on it may send what needs RUNNING. */
void service_set_ready(struct supervisor *sv, enum ipc_role role);

/* Receives what the child has sent. The rest of a flood waits for the next turn. */
void service_receive(struct supervisor *sv, struct child *child);

/* Looks after children that have ended. */
void service_reap(struct supervisor *sv);

/* Milliseconds from now_ms until service_handle() must be called again, or -1. */
int service_timeout_ms(const struct supervisor *sv, uint64_t now_ms);

/* Starts what is to be started now, and ends what hangs. Harmless before that time. */
void service_handle(struct supervisor *sv, uint64_t now_ms);

/* Ends all children: first by the end of their channels, then by force. */
void service_end_all(struct supervisor *sv);
