/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The namespaces that the guest lives in, opened before anything else is: their paths
 * may be /proc/self/fd/N, and what is opened can't be exchanged under us.
 */
#pragma once

#include "ipc/messages.h"
#include "parent/cmdline/options.h"

struct target {
	int netns_fd;                     /* owned; -1 in tapfd mode */
	int userns_fd;                    /* owned; -1: join none */
	char netns_label[IPC_LABEL_SIZE]; /* the path, for messages */
	char userns_label[IPC_LABEL_SIZE];
};

/*
 * Opens what the options name, and checks that each is a namespace of its kind. The
 * user namespace is the one of --userns-path, else the one that owns the network
 * namespace (ioctl_ns(2)): only there can a TAP be made. None when that is our own.
 * Fatal, naming the path, on failure.
 */
void parent_target_open(struct target *target, const struct options *options);

void parent_target_close(struct target *target);
