/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the api's core with a test at the other ends of its descriptors. */
#include "api_fixture.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/loop.h"

static void
open_channel(struct ipc_channel *ours, struct ipc_channel *theirs, enum ipc_role own,
    enum ipc_role peer)
{
	struct ipc_message msg;
	const char *why;
	int own_fd, peer_fd;

	assert(ipc_channel_pair(&own_fd, &peer_fd) == 0);
	ipc_channel_open(ours, own_fd, own, peer);
	ipc_channel_open(theirs, peer_fd, peer, own);
	assert(ipc_channel_greet(ours) == 0);
	assert(ipc_channel_greet(theirs) == 0);
	assert(ipc_channel_recv(theirs, &msg, &why) == IPC_OUTCOME_MESSAGE);
	assert(ipc_channel_recv(ours, &msg, &why) == IPC_OUTCOME_MESSAGE);
}

void
api_fixture_start(struct api_fixture *fixture)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct api *api = &fixture->api;

	memset(fixture, 0, sizeof(*fixture));
	api_loop_init(api);
	open_channel(&api->to_parent, &fixture->parent, IPC_ROLE_API, IPC_ROLE_PARENT);
	open_channel(&api->worker.channel, &fixture->worker, IPC_ROLE_API,
	    IPC_ROLE_SLIRP_WORKER);
	open_channel(&api->connector.channel, &fixture->connector, IPC_ROLE_API,
	    IPC_ROLE_CONNECTOR);
	fixture->to_worker_fd = api->worker.channel.fd;
	fixture->to_connector_fd = api->connector.channel.fd;
	api->is_joined = true;
	ipc_channel_set_running(&api->to_parent);
	ipc_channel_set_running(&fixture->parent);
	api->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* An address that the kernel chooses, in no file system. */
	assert(bind(api->listen_fd, (struct sockaddr *)&addr, sizeof(sa_family_t)) == 0);
	assert(listen(api->listen_fd, SOMAXCONN) == 0);
}

void
api_fixture_stop(struct api_fixture *fixture)
{
	struct api *api = &fixture->api;

	while (api->n_clients > 0)
		api_client_drop(api, api->places[0]);
	/* Their requests are still pending. */
	for (size_t i = 0; i < API_LEFT_PLACES; i++)
		if (api->left[i].state != API_CLIENT_NONE)
			api_client_drop(api, &api->left[i]);
	free(api->left);
	free(api->clients);
	free(api->forwards);
	close(api->listen_fd);
	ipc_channel_close(&api->to_parent);
	/* An api that has lost a channel keeps the descriptor's number. */
	close(fixture->to_worker_fd);
	close(fixture->to_connector_fd);
	ipc_channel_close(&fixture->parent);
	ipc_channel_close(&fixture->worker);
	ipc_channel_close(&fixture->connector);
}

void
api_fixture_run(struct api_fixture *fixture)
{
	while (!fixture->api.ended && api_loop_once(&fixture->api, 0) > 0)
		continue;
}

int
api_fixture_connect(struct api_fixture *fixture)
{
	struct sockaddr_un addr;
	socklen_t addr_len = sizeof(addr);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert(fd != -1);
	assert(getsockname(fixture->api.listen_fd, (struct sockaddr *)&addr, &addr_len) ==
	    0);
	assert(connect(fd, (struct sockaddr *)&addr, addr_len) == 0);
	return fd;
}

void
api_fixture_send(struct api_fixture *fixture, int client_fd, const char *text)
{
	size_t len = strlen(text);

	assert(send(client_fd, text, len, MSG_NOSIGNAL) == (ssize_t)len);
	api_fixture_run(fixture);
}

size_t
api_fixture_read(int client_fd, char *buf, size_t size, bool *at_eof)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(client_fd, buf + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	*at_eof = n == 0 && len < size - 1;
	assert(n == 0 || errno == EAGAIN);
	buf[len] = '\0';
	return len;
}
