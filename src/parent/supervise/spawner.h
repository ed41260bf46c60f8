/* SPDX-License-Identifier: BSD-2-Clause */
/* The spawner starts the services, at first and after each death. The parent cannot: execve(2)
 * keeps the filter, so a service started by the locked parent could not make its own jail.
 * The parent forks the spawner before it enters its jail. The spawner's filter allows
 * what a service needs at its start (seccomp/spawner.policy). */
#pragma once

#include <sys/types.h>

#include "ipc/messages.h"

/* The process (parent_spawn()), without an extra descriptor. Returns when the parent has
 * closed the channel. */
void spawner_run(pid_t parent_pid);

/* The spawner's jail: limits and a filter, which the services inherit. The failure of a
 * required stage is fatal; the failure of a best-effort stage is logged. */
void spawner_lock(const struct ipc_confine *orders, struct ipc_confined *reached);
