/* SPDX-License-Identifier: BSD-2-Clause */
/* The jail of the netns-helper has two stages, limits and filter. The helper runs for
 * milliseconds, and needs its capabilities in the guest's namespaces until its end. */
#pragma once

#include "ipc/messages.h"

/* Call it after the joins, which no policy allows. The failure of a required stage is
 * fatal, naming the stage; the failure of a best-effort stage is logged. */
void jail_lock(const struct ipc_confine *orders, struct ipc_confined *reached);
