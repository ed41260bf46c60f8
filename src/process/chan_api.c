/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes the channel to the api, receives requests, and handles failed sends. */
#include "process/chan_api.h"

#include <errno.h>
#include <string.h>

#include "process/peer.h"

void
chan_api_init(struct chan_api *api, struct ipc_channel *to_parent, enum ipc_role own_role,
    int number, int (*watch)(void *ctx, int fd), void *ctx)
{
	*api = (struct chan_api){
		.channel.fd = -1,
		.to_parent = to_parent,
		.own_role = own_role,
		.number = number,
		.watch = watch,
		.ctx = ctx,
	};
}

static int
watch(const struct chan_api *api, int fd)
{
	return api->watch ? api->watch(api->ctx, fd) : 0;
}

static void
close_channel(struct chan_api *api)
{
	/* The parent may have the same open file for a moment. */
	watch(api, -1);
	peer_close(&api->channel);
}

/* The api cannot be trusted, so only the parent gets the error; it ends the api. */
static void
drop(struct chan_api *api, const char *row, const char *why)
{
	const struct ipc_peer peer = {
		.role = IPC_ROLE_API,
		.number = api->api_number,
	};

	close_channel(api);
	peer_report(api->to_parent, &peer, row, why);
}

void
chan_api_open(struct chan_api *api, int adopt_fd, uint32_t api_number)
{
	close_channel(api);
	api->api_number = api_number;
	peer_open(&api->channel, adopt_fd, (enum ipc_child_fd)api->number, api->own_role,
	    IPC_ROLE_API);
	if (watch(api, api->number) == -1)
		drop(api, "peer", strerror(errno));
}

void
chan_api_receive(struct chan_api *api, int n_max, const struct serve *serve, void *ctx)
{
	struct serve_violation violation;

	if (api->channel.fd == -1)
		return;
	switch (serve_receive(&api->channel, n_max, serve, ctx, &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		close_channel(api);
		break;
	case SERVE_VIOLATED:
		drop(api, violation.row, violation.why);
		break;
	}
}

void
chan_api_check_sent(struct chan_api *api, int result)
{
	if (result == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		close_channel(api);
	else if (errno == EAGAIN)
		drop(api, "answer", "the queue is full");
	else
		drop(api, "answer", strerror(errno));
}
