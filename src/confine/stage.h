/* SPDX-License-Identifier: BSD-2-Clause */
/* The reaction of every role to a jail stage that fails. */
#pragma once

#include "ipc/messages.h"

/* Call it with errno of the failure still set. Fatal if the stage is required; otherwise
 * logs that the role goes on without it. step names what failed; NULL if the name of the
 * stage is enough. */
void ipc_stage_fail(enum ipc_jail_mode mode, const char *stage, const char *step);
