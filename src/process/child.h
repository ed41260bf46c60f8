/* SPDX-License-Identifier: BSD-2-Clause */
/* The start of every child: it ends with its parent, greets the parent, and sends its log
 * lines to the parent. */
#pragma once

#include "process/serve.h"

/* Makes the kernel kill the process when the parent ends (prctl(2), PR_SET_PDEATHSIG).
 * The kernel forgets this when a process changes its credentials, for example by joining
 * a user namespace, so call it again after that. Exits at once if the parent has ended
 * already. */
void child_die_with_parent(const struct ipc_channel *to_parent);

/* Opens the channel to the parent, names the process (comm, 15 bytes), greets the parent,
 * and sends log lines over the channel from now on. `to_parent` must stay valid until the
 * process ends. Fatal if the descriptor is not open: slirpd did not start the program. */
void child_begin(struct ipc_channel *to_parent, enum ipc_role role, const char *comm);

/* Checks the result of a send that the start depends on. A failure is fatal, naming
 * `what`. If the parent has closed the channel, the process exits with status 0. */
void child_check_sent(int result, const char *what);

/* Waits for the next message of the parent. Returns true with the message in *msg, or
 * false when the parent has closed the channel, which is an orderly end. A violation is
 * fatal. */
bool child_wait(struct ipc_channel *to_parent, struct ipc_message *msg);

/* Receives the messages that the parent has sent, without a wait. Returns false when the
 * parent has closed the channel. A violation is fatal. */
bool child_receive(struct ipc_channel *to_parent, const struct serve *serve, void *ctx);
