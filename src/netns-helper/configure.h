/* SPDX-License-Identifier: BSD-2-Clause */
/* The work of --configure in the guest's network namespace. */
#pragma once

#include "ipc/messages.h"

/* Brings up lo and the TAP, with MTU, MAC, addresses and default routes. The network
 * works when the function returns. Fatal on failure, naming step and interface. */
void netns_configure(const struct ipc_make_tap *request);
