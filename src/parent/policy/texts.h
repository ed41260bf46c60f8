/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of a policy, from the command line to the policy-reader. The parent opens the files
 * and reads none of them. */
#pragma once

#include "ipc/channel.h"
#include "parent/cmdline/options.h"

struct policy_texts {
	const struct options *options; /* borrowed */
	int fds[IPC_POLICY_FILES_MAX]; /* owned; by options->policy; -1 for a profile */
};

/* Opens the files. Fatal, naming the value, if one is not there or not a profile. */
void policy_texts_open(struct policy_texts *texts, const struct options *options);

/* Sends all texts, in the order of their rules, and closes the files. Returns 0, or -1 with errno
 * set. */
int policy_texts_send(struct policy_texts *texts, struct ipc_channel *channel);
