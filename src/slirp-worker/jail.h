/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's jail, in numbered stages. Each says what it does and what it must not do
 * yet, because what comes after it still needs that.
 */
#pragma once

#include "ipc/messages.h"

/* What the worker was told, and what it reached. */
struct jail {
	struct ipc_confine orders;
	int fallback_userns_fd; /* owned; -1 for none */
	int resolv_copy_fd;     /* owned; writes the resolv.conf in our root; -1: none */
	struct ipc_confined reached;
};

/*
 * Stages 1 to 6: descriptors, namespaces, root, capabilities, limits, Landlock.
 * Everything that needs a file or memory from outside has been opened before. What is
 * required and fails is fatal, naming the stage and the kernel's reason; what is best
 * effort is logged.
 */
void jail_enter(struct jail *jail);

/* Stage 7, the last thing before service: the system-call filter. */
void jail_lock(struct jail *jail);
