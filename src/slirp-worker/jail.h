/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's jail, in numbered stages. Each stage says what it does, and what it must
 * not do yet because a later stage needs it.
 */
#pragma once

#include "ipc/messages.h"

/* The parent's orders, and the stages that the worker reached. */
struct jail {
	struct ipc_confine orders;
	int fallback_userns_fd; /* owned; -1: none */
	struct ipc_confined reached;
};

/* Stages 1 to 6: descriptors, namespaces, root, capabilities, limits, Landlock. The
 * caller opens all files and allocates all memory before. A failure of a required stage
 * is fatal, and the message names the stage and the kernel's error; a failure of a
 * best-effort stage is logged. */
void jail_enter(struct jail *jail);

/* Stage 7, immediately before service: the system call filter. */
void jail_lock(struct jail *jail);
