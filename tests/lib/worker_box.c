/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a worker for tests and fuzzers. */
#include "worker_box.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "ipc/fdtable.h"
#include "ipc_samples.h"
#include "slirp-worker/api_requests.h"
#include "slirp-worker/chan_api.h"
#include "slirp-worker/setup.h"

void
worker_box_enter_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	autofd int fd = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		fatal("make a user and a network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
		fatal("bring lo up");
}

void
worker_box_open(struct worker_box *box, bool enable_ipv6)
{
	const struct in6_addr guest6 = { { { 0xfd, [15] = 100 } } };
	struct worker *worker = &box->worker;
	struct ipc_start start;
	int worker_end_fd;

	memset(box, 0, sizeof(*box));
	box->api.fd = -1;
	worker->tap.fd = -1;
	worker->tap.listen_fd = -1;
	worker->to_api.fd = -1;
	worker->to_connector.fd = -1;
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
	setup_make_engines(worker, &guest6);
}

void
worker_box_open_api(struct worker_box *box)
{
	struct ipc_message msg;
	const char *why;
	int api_end_fd, worker_end_fd;

	ipc_channel_close(&box->api);
	if (ipc_channel_pair(&worker_end_fd, &api_end_fd) == -1)
		fatal("make a channel");
	ipc_channel_open(&box->api, api_end_fd, IPC_ROLE_API, IPC_ROLE_SLIRP_WORKER);
	chan_api_open(&box->worker, worker_end_fd, ++box->n_apis);
	if (ipc_channel_greet(&box->api) == -1 ||
	    ipc_channel_recv(&box->api, &msg, &why) != IPC_OUTCOME_MESSAGE)
		fatalx("the worker does not greet");
	api_requests_receive(&box->worker);
}

void
worker_box_close(struct worker_box *box)
{
	struct worker *worker = &box->worker;

	ipc_channel_close(&box->api);
	setup_undo_engines(worker);
	ipc_channel_close(&worker->to_parent);
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	if (box->parent_fd != -1)
		close(take_fd(&box->parent_fd));
}
