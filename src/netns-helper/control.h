/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's requests to the netns-helper, in the order in which they come. */
#pragma once

#include "ipc/channel.h"

/* Handles requests until the TAP has been handed over, or the parent has closed the
 * channel. Every failure is fatal. */
void netns_serve(struct ipc_channel *to_parent);
