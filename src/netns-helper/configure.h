/* SPDX-License-Identifier: BSD-2-Clause */
/* What --configure does inside the guest's network namespace. */
#pragma once

#include "ipc/messages.h"

/*
 * Brings lo up, and the TAP with its MTU, MAC, addresses and default routes, so that
 * everything works when it returns. Fatal on failure, naming step and interface.
 */
void netns_configure(const struct ipc_make_tap *request);
