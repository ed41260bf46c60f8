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

/* Opens the peer's end of a new channel, which greets. Returns the worker's. */
static int
open_end(struct ipc_channel *theirs, enum ipc_role peer)
{
	int worker_end_fd, peer_end_fd;

	ipc_channel_close(theirs);
	if (ipc_channel_pair(&worker_end_fd, &peer_end_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(theirs, peer_end_fd, peer, IPC_ROLE_SLIRP_WORKER);
	if (ipc_channel_greet(theirs) == -1)
		fatal("greet");
	return worker_end_fd;
}

void
worker_box_open_connector(struct worker_box *box)
{
	const struct ipc_peer peer = { .role = IPC_ROLE_CONNECTOR,
		.number = box->n_peers++ };

	chan_connector_open(&box->worker, open_end(&box->connector, IPC_ROLE_CONNECTOR),
	    &peer);
	take_greeting(&box->worker.to_connector);
	take_greeting(&box->connector);
}

void
worker_box_open_resolver(struct worker_box *box)
{
	const struct ipc_peer peer = { .role = IPC_ROLE_RESOLVER,
		.number = box->n_peers++ };

	chan_resolver_open(&box->worker, open_end(&box->resolver, IPC_ROLE_RESOLVER),
	    &peer);
	take_greeting(&box->worker.to_resolver);
	take_greeting(&box->resolver);
}

/* As the parent leaves the numbers of channels at the start, and peers at their end. */
static void
reserve_numbers(void)
{
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	dup3(STDIN_FILENO, IPC_CHILD_FD_CONNECTOR, O_CLOEXEC);
	dup3(STDIN_FILENO, IPC_CHILD_FD_RESOLVER, O_CLOEXEC);
}

void
worker_box_open(struct worker_box *box, bool enable_ipv6)
{
	struct worker *worker = &box->worker;
	struct ipc_start start;
	int worker_end_fd;

	memset(box, 0, sizeof(*box));
	box->api.fd = box->connector.fd = box->resolver.fd = -1;
	worker->tap.fd = -1;
	worker->tap.listen_fd = -1;
	worker->to_connector.fd = worker->to_resolver.fd = -1;
	reserve_numbers();
	ipc_sample_start(&start);
	worker->network = start.network;
	worker->network.enable_ipv6 = enable_ipv6;
	if (ipc_channel_pair(&box->parent_fd, &worker_end_fd) == -1)
		fatal("make a worker");
	ipc_channel_open(&worker->to_parent, worker_end_fd, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_PARENT);
	setup_make_engines(worker);
	worker_box_open_connector(box);
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
	ipc_channel_close(&box->resolver);
	setup_undo_engines(worker);
	ipc_channel_close(&worker->to_parent);
	reserve_numbers();
	if (box->parent_fd != -1)
		close(take_fd(&box->parent_fd));
}
