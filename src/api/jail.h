/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The api's jail: nothing but its descriptors. Its stages are those of confine/stages.h,
 * all of them, and of the namespaces also an empty network.
 */
#pragma once

#include "ipc/messages.h"

/* What the api was told, and what it reached. */
struct jail {
	struct ipc_confine orders;
	int fallback_userns_fd; /* owned; -1 for none */
	struct ipc_confined reached;
};

/* Stages 1 to 6. Everything that needs a file has been opened before. */
void jail_enter(struct jail *jail);

/* Stage 7, the last thing before service: the system-call filter. */
void jail_lock(struct jail *jail);
