/* SPDX-License-Identifier: BSD-2-Clause */
/* The reaction to a jail stage that fails. */
#include "confine/stage.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

void
ipc_stage_fail(enum ipc_jail_mode mode, const char *stage, const char *step)
{
	const char *separator = step ? ": " : "";

	if (!step)
		step = "";
	if (mode == IPC_JAIL_REQUIRED)
		fatal("jail stage %s%s%s", stage, separator, step);
	log_warning("jail stage %s%s%s: %s; going on without it", stage, separator, step,
	    strerror(errno));
}
