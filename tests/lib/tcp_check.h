/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "slirp-worker/engine/tcp/tcp.h"

/* Checks every invariant; aborts with a text if one does not hold. */
void tcp_check(const struct tcp *tcp);
