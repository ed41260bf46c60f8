/* SPDX-License-Identifier: BSD-2-Clause */
/* The gateway's address and MAC on the guest's link, as libslirp has them. Pure functions. */
#pragma once

#include <stdbool.h>

#include "base/inaddr.h"
#include "base/mac.h"
#include "ipc/messages.h"

struct inaddr gateway_addr(const struct ipc_network *network, bool is_ipv6);
struct mac gateway_mac(const struct ipc_network *network, bool is_ipv6);
