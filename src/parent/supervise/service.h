/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts each process and handles its end, by its row of the table in wiring.c. A process
 * with a starter is started again when it has died; packets and forwards are not
 * affected. */
#pragma once

#include "base/deadline.h"
#include "parent/supervise/supervisor.h"

/* Starts a process by fork(2) and sends it its orders for the jail. A failure ends
 * slirpd. */
void service_fork(struct supervisor *sv, enum ipc_role role,
    const int program_fds[IPC_ROLE_END]);

/* Starts the process by its starter, and instructs it by its row. A failure ends
 * slirpd. */
void service_begin(struct supervisor *sv, enum ipc_role role);

/* The process has reported that it is ready: it may now send messages that need
 * RUNNING. */
void service_set_ready(struct supervisor *sv, enum ipc_role role);

/* Receives messages of the child. More than fit into one turn wait for the next. */
void service_receive(struct supervisor *sv, struct child *child);

/* Handles the ends of children. */
void service_reap(struct supervisor *sv);

/* The time when service_handle() must be called again; DEADLINE_NONE: never. */
uint64_t service_due_ms(const struct supervisor *sv);

/* Starts the processes that are due, and ends the ones that hang. Harmless before that
 * time. */
void service_handle(struct supervisor *sv, uint64_t now_ms);

/* Handles signals and the ends of children until is_done() or deadline_ms
 * (CLOCK_MONOTONIC). */
void service_wait_until(struct supervisor *sv,
    bool (*is_done)(const struct supervisor *sv), uint64_t deadline_ms);

/* Ends all children: closes their channels, then kills them. */
void service_end_all(struct supervisor *sv);
