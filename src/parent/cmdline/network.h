/* SPDX-License-Identifier: BSD-2-Clause */
/* From the command line to what the other processes are told about the network. */
#pragma once

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

void network_fill(struct ipc_network *network, const struct options *options);
