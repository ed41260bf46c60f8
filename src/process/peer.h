/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels between services. The parent makes one when both ends are ready, and a new one when
 * one of the two was started again. A channel keeps its number in ipc/fdtable.h: the policies
 * name it, so no other descriptor may ever get it.
 */
#pragma once

#include <stdbool.h>

#include "ipc/channel.h"
#include "ipc/fdtable.h"

/* Adopts fd as own_role's channel to a new peer at this number, and greets. The caller is done
 * with the old channel, which is replaced. */
void peer_open(struct ipc_channel *channel, int adopt_fd, enum ipc_child_fd number,
    enum ipc_role own_role, enum ipc_role peer_role);

/* Closes the channel, if there is one. Its number stays taken, by /dev/null. */
void peer_close(struct ipc_channel *channel);

/*
 * Whether a message must be sent again once the peer's queue has room, given the result of a
 * send. Waits for a moment if memory is short, because the queue may have room all the same. If
 * the peer has ended, nobody waits for the message.
 */
bool peer_must_send_again(int result);

/* Reports to the parent that the descriptor of this channel did not come, because this process can
 * have no more. The peer has done nothing wrong. */
void peer_report_missed(struct ipc_channel *to_parent, const struct ipc_peer *peer);

/* Reports to the parent that the peer broke the protocol: the row and the fault. The parent
 * ends that peer, unless it is another one by now. */
void peer_report(struct ipc_channel *to_parent, const struct ipc_peer *peer,
    const char *row, const char *why);
