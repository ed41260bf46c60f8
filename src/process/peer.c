/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels between services: opened, closed, and reported as broken. */
#include "process/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "ipc/describe.h"

void
peer_open(struct ipc_channel *channel, int adopt_fd, enum ipc_child_fd number,
    enum ipc_role own_role, enum ipc_role peer_role)
{
	autofd int fd = adopt_fd;

	/* Cannot fail: both descriptors are valid. */
	dup3(fd, (int)number, O_CLOEXEC);
	ipc_channel_open(channel, (int)number, own_role, peer_role);
	/* Fits into the empty queue. If the peer has ended, the channel says so. */
	(void)ipc_channel_greet(channel);
}

void
peer_close(struct ipc_channel *channel)
{
	if (channel->fd == -1)
		return;
	/* dup3(2), not close(2): the next socket would get the number. */
	dup3(STDIN_FILENO, take_fd(&channel->fd), O_CLOEXEC);
}

bool
peer_must_send_again(int result)
{
	if (result == 0 || !ipc_channel_can_retry(errno))
		return false;
	if (fdio_is_shortage(errno))
		fdio_pause();
	return true;
}

void
peer_report(struct ipc_channel *to_parent, const struct ipc_peer *peer, const char *row,
    const char *why)
{
	struct ipc_peer_dropped dropped = { .role = peer->role, .number = peer->number };

	snprintf(dropped.why, sizeof(dropped.why), "%s: %s", row, why);
	/* If it is lost, the peer sees the end of the channel all the same. */
	(void)ipc_send_peer_dropped(to_parent, &dropped);
}

void
peer_report_missed(struct ipc_channel *to_parent, const struct ipc_peer *peer)
{
	const struct ipc_peer_missed missed = { .role = peer->role,
		.number = peer->number };

	log_warning("no descriptor is left for the channel to %s; it is made later",
	    ipc_role_names[peer->role]);
	/* The parent reads more than this process sends. If the message is lost all the same, the
	 * channel is missing until one of the two is started again. */
	(void)ipc_send_peer_missed(to_parent, &missed);
}
