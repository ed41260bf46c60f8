/* SPDX-License-Identifier: BSD-2-Clause */
/* The jail of the resolver: all stages of confine/stages.h, and a network namespace without
 * interfaces. Only descriptors remain. */
#pragma once

#include "ipc/messages.h"

/* The orders for the jail, and the stages that were reached. */
struct jail {
	struct ipc_confine orders;
	int fallback_userns_fd; /* owned; -1: none */
	struct ipc_confined reached;
};

/* Stages 1 to 6. Files must be open before. */
void jail_enter(struct jail *jail);

/* Stage 7, the system call filter. The last step before service. */
void jail_lock(struct jail *jail);
