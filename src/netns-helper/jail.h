/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper's jail. It lives for milliseconds and needs its capabilities in the guest's
 * namespaces to the end, so its jail is two stages.
 */
#pragma once

#include "ipc/messages.h"

/* To be called after the joins, which no policy allows. What is required and fails is
 * fatal, naming the stage; what is best effort is logged. */
void jail_lock(const struct ipc_confine *orders, struct ipc_confined *reached);
