/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's requests to the netns-helper, in the order in which they come. */
#pragma once

#include "ipc/channel.h"

/* Does what the parent asks until the TAP has been handed over, or the parent has gone.
 * Fatal on everything that fails. */
void netns_serve(struct ipc_channel *to_parent);
