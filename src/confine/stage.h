/* SPDX-License-Identifier: BSD-2-Clause */
/* What every role does when it can't enter a stage of its jail. */
#pragma once

#include "ipc/messages.h"

/*
 * To be called with errno of the failure still set. Fatal where the stage is required;
 * else logs that the role goes on without it. step is what was tried, or NULL where the
 * stage's name says it.
 */
void ipc_stage_fail(enum ipc_jail_mode mode, const char *stage, const char *step);
