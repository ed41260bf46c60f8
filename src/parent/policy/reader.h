/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy-reader: a process that parses the policy's texts at the start, and ends. No other
 * process but the api parses a text of a policy. */
#pragma once

#include <sys/types.h>

#include "ipc/messages.h"

/* Makes the jail. For policy_reader_run(), and for the tests of the jail. */
void policy_reader_lock(const struct ipc_confine *orders, struct ipc_confined *reached);

/* The whole of the process, a fork of the parent (spawn.h). */
void policy_reader_run(pid_t parent_pid);
