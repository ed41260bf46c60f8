/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How every child begins: it makes sure that its parent's death is its own, takes the
 * channel that it was born with, greets, and sends its log lines there.
 */
#pragma once

#include "ipc/channel.h"

/*
 * Ends the process with the parent (prctl(2), PR_SET_PDEATHSIG). The kernel forgets
 * this when a process changes its credentials, as joining a user namespace does, so
 * call it again after that. Ends the process at once if the parent is gone already.
 */
void ipc_child_die_with_parent(const struct ipc_channel *to_parent);

/*
 * Opens the channel to the parent, names the process (comm, 15 bytes), greets, and
 * sends log lines over the channel from now on; `to_parent` must live as long as the
 * process. Fatal if the descriptor isn't there: the program was not started by slirpd.
 */
void ipc_child_begin(struct ipc_channel *to_parent, enum ipc_role role, const char *comm);

/*
 * To be called with the result of a send that the start depends on: fatal if it failed,
 * saying what. A parent that has gone away is no failure, but the end: the process exits.
 */
void ipc_child_check_sent(int result, const char *what);

/*
 * Waits for the next message of the parent. Returns true with it in *msg; false when
 * the parent has closed the channel, which is an orderly end. A violation is fatal:
 * nobody is to be trusted less than a parent that speaks nonsense.
 */
bool ipc_child_wait(struct ipc_channel *to_parent, struct ipc_message *msg);
