/* SPDX-License-Identifier: BSD-2-Clause */
/* Derives the network of the messages from the options. */
#pragma once

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

void network_fill(struct ipc_network *network, const struct options *options);
