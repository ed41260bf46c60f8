/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spawner: a process that starts the api, at first and whenever it has died. The
 * parent can't: a filter is inherited through exec, so what is started by the locked
 * parent could not build its own jail. It is forked from the parent while that one can
 * still do so, and has the filter that an api needs to be started under
 * (seccomp/spawner.policy).
 */
#pragma once

#include <sys/types.h>

#include "ipc/messages.h"
#include "parent/supervise/roles.h"

/* In a process that was just forked; parameters as for parent_spawn_arrange(), program_fd
 * being the api's. Ends with the parent. */
_Noreturn void spawner_run(const struct role *role, int program_fd, int channel_fd,
    int null_fd, pid_t parent_pid);

/* The spawner's jail: limits and filter, which what it starts inherits. What is required
 * and fails is fatal; what is best effort is logged. */
void spawner_lock(const struct ipc_confine *orders, struct ipc_confined *reached);
