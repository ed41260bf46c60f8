/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of ping flows. */
#pragma once

#include "slirp-worker/engine/ping/ping.h"

/* Makes a ping socket of the host that is connected to the flow's host, with its error
 * queue on. The caller owns the result; -1 with errno set. */
int ping_socket_open(struct ping *ping, const struct ping_flow *flow);
