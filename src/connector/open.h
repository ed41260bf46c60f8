/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the socket of a connection. */
#pragma once

#include "base/inaddr.h"
#include "ipc/messages.h"

/* Returns a socket that connects, or has connected, to this address; the caller owns it. -1
 * with errno set. Does not wait. */
int open_tcp(const union inaddr_sock *to, const struct ipc_outbound *outbound);
