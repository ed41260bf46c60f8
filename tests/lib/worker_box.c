/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a worker for tests and fuzzers. */
#include "worker_box.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"
#include "slirp-worker/api_requests.h"
#include "slirp-worker/chan_connector.h"
#include "slirp-worker/setup.h"

/* Takes the greeting of the other end. */
static void
take_greeting(struct ipc_channel *channel)
{
	struct ipc_message msg;
	const char *why;

	if (ipc_channel_recv(channel, &msg, &why) != IPC_OUTCOME_MESSAGE ||
	    msg.id != IPC_MSG_hello)
		fatalx("no greeting came");
}

static void
open_connector(struct worker_box *box)
{
	struct worker *worker = &box->worker;
	int worker_end_fd, connector_end_fd;

	if (ipc_channel_pair(&worker_end_fd, &connector_end_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(&worker->to_connector, worker_end_fd, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_CONNECTOR);
	ipc_channel_open(&box->connector, connector_end_fd, IPC_ROLE_CONNECTOR,
	    IPC_ROLE_SLIRP_WORKER);
	if (ipc_channel_greet(&worker->to_connector) == -1 ||
	    ipc_channel_greet(&box->connector) == -1)
		fatal("greet");
	take_greeting(&worker->to_connector);
	take_greeting(&box->connector);
}

void
worker_box_open(struct worker_box *box, bool enable_ipv6)
{
	struct worker *worker = &box->worker;
	struct ipc_start start;
	int worker_end_fd;

	memset(box, 0, sizeof(*box));
	box->api.fd = -1;
	worker->tap.fd = -1;
	worker->tap.listen_fd = -1;
	worker->to_resolver.fd = -1;
	/* As the parent leaves it at the start. */
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	ipc_sample_start(&start);
	worker->network = start.network;
	worker->network.enable_ipv6 = enable_ipv6;
	if (ipc_channel_pair(&box->parent_fd, &worker_end_fd) == -1)
		fatal("make a worker");
	ipc_channel_open(&worker->to_parent, worker_end_fd, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_PARENT);
	open_connector(box);
	setup_make_engines(worker);
	if (poller_put(&worker->poller, POLLER_CONNECTOR, worker->to_connector.fd) == -1)
		fatal("watch the channel to the connector");
}

void
worker_box_open_api(struct worker_box *box)
{
	int api_end_fd, worker_end_fd;

	ipc_channel_close(&box->api);
	if (ipc_channel_pair(&worker_end_fd, &api_end_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(&box->api, api_end_fd, IPC_ROLE_API, IPC_ROLE_SLIRP_WORKER);
	chan_api_open(&box->worker.api, worker_end_fd, ++box->n_apis);
	if (ipc_channel_greet(&box->api) == -1)
		fatal("greet the worker");
	take_greeting(&box->api);
	api_requests_receive(&box->worker);
}

void
worker_box_send_port(struct worker_box *box, const struct ipc_listener *listener)
{
	bool is_tcp = listener->proto == IPPROTO_TCP;
	const union inaddr_sock host =
	    inaddr_sock_make(&listener->host_addr, listener->host_port);
	int family = host.any.sa_family, yes = 1;
	autofd int fd =
	    socket(family, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    (family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == -1) ||
	    bind(fd, &host.any, inaddr_sock_len(&host.any)) == -1 ||
	    (is_tcp && listen(fd, 1) == -1) ||
	    ipc_send_listener(&box->connector, listener, fd) == -1)
		fatal("send a port");
	chan_connector_receive(&box->worker);
}

void
worker_box_close(struct worker_box *box)
{
	struct worker *worker = &box->worker;

	ipc_channel_close(&box->api);
	ipc_channel_close(&box->connector);
	setup_undo_engines(worker);
	ipc_channel_close(&worker->to_parent);
	ipc_channel_close(&worker->to_connector);
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	if (box->parent_fd != -1)
		close(take_fd(&box->parent_fd));
}
