/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroup-mover moves the children into the control group of the parent. The parent cannot:
 * it would have to open files for writing, which its filter does not allow. The parent forks
 * this process before it enters its jail. */
#pragma once

#include <sys/types.h>

#include "ipc/messages.h"

/* The process (parent_spawn()); its extra descriptor is the root of cgroup2. Returns when
 * the parent has closed the channel. */
void cgroup_mover_run(pid_t parent_pid);

/* The jail of the cgroup-mover. The failure of a required stage is fatal; the failure of a
 * best-effort stage is logged. */
void cgroup_mover_lock(const struct ipc_confine *orders, struct ipc_confined *reached);
