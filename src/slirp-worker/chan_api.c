/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes the worker's channel to the api, and handles failed sends. */
#include "slirp-worker/chan_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "ipc/fdtable.h"

void
chan_api_close(struct worker *worker)
{
	/* The parent may have the same open file for a moment. */
	poller_put(&worker->poller, POLLER_API, -1);
	/* dup3(2), not close(2): the next socket would get the descriptor. It
	 * cannot fail, because both descriptors are valid. */
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	worker->to_api.fd = -1;
	connections_free(&worker->connections);
}

/* The api cannot be trusted, so only the parent gets the error; it ends the api. */
void
chan_api_drop(struct worker *worker, const char *row, const char *why)
{
	struct ipc_api_dropped dropped = { .api_number = worker->api_number };

	chan_api_close(worker);
	snprintf(dropped.why, sizeof(dropped.why), "%s: %s", row, why);
	/* The api also sees the end of the channel, and exits. */
	(void)ipc_send_api_dropped(&worker->to_parent, &dropped);
}

void
chan_api_open(struct worker *worker, int adopt_fd, uint64_t api_number)
{
	autofd int fd = adopt_fd;

	chan_api_close(worker);
	worker->api_number = api_number;
	/* Cannot fail: both descriptors are valid. */
	dup3(fd, IPC_CHILD_FD_PEER, O_CLOEXEC);
	ipc_channel_open(&worker->to_api, IPC_CHILD_FD_PEER, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_API);
	if (poller_put(&worker->poller, POLLER_API, IPC_CHILD_FD_PEER) == -1) {
		chan_api_drop(worker, "api_channel", strerror(errno));
		return;
	}
	chan_api_check_sent(worker, ipc_channel_greet(&worker->to_api));
}

void
chan_api_miss(struct worker *worker, uint64_t api_number, const char *why)
{
	worker->api_number = api_number;
	chan_api_drop(worker, "api_channel", why);
}

void
chan_api_check_sent(struct worker *worker, int result)
{
	if (result == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		chan_api_close(worker);
	else if (errno == EAGAIN)
		chan_api_drop(worker, "answer", "the queue is full");
	else
		chan_api_drop(worker, "answer", strerror(errno));
}
