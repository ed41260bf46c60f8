/* SPDX-License-Identifier: BSD-2-Clause */
/* The namespaces of the guest. They are opened first: their paths may be /proc/self/fd/N,
 * and an open namespace cannot be exchanged. */
#pragma once

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

struct target {
	int netns_fd;                     /* owned; -1 in tapfd mode */
	int userns_fd;                    /* owned; -1: join none */
	char netns_label[IPC_LABEL_SIZE]; /* the path, for messages */
	char userns_label[IPC_LABEL_SIZE];
};

/* Opens the namespaces that the options name, and checks their kinds. The user namespace
 * is that of --userns-path, or the owner of the network namespace (ioctl_ns(2)), because
 * a TAP can be made only there. -1 if it is our own. Fatal on failure, naming the
 * path. */
void parent_target_open(struct target *target, const struct options *options);

/* Refuses the network namespace of slirpd itself. A TAP there would lead to the sockets
 * that use it, and --configure would move the host's default route. */
void parent_target_check(const struct target *target);

void parent_target_close(struct target *target);
