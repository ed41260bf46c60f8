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
#include "slirp-worker/api_channel.h"
#include "slirp-worker/control.h"

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

static void
ignore_frame(void *ctx, const uint8_t *frame, size_t frame_len)
{
	(void)ctx;
	(void)frame;
	(void)frame_len;
}

static void
ignore_text(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void
ignore(void *ctx)
{
	(void)ctx;
}

void
worker_box_open(struct worker_box *box, bool enable_ipv6)
{
	const struct in6_addr guest6 = { { { 0xfd, [15] = 100 } } };
	struct worker *worker = &box->worker;
	struct stack_host host = {
		.ctx = worker,
		.to_guest = ignore_frame,
		.complain = ignore_text,
		.tcp_socket_made = worker_control_tcp_socket_made,
		.tcp_socket_ends = worker_control_tcp_socket_ends,
		.socket_not_polled = ignore,
		.udp_peer_on_loopback = worker_control_udp_peer_on_loopback,
		.udp_port_ends = worker_control_udp_port_ends,
		.timers = &worker->timers,
		.budget = &worker->budget,
	};
	const struct ipc_outbound no_outbound = { 0 };
	struct ipc_start start;
	int worker_end_fd;

	memset(box, 0, sizeof(*box));
	box->api.fd = -1;
	worker->tap.fd = -1;
	worker->tap.listen_fd = -1;
	worker->to_api.fd = -1;
	/* As the parent leaves it. */
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	ipc_sample_start(&start);
	worker->network = start.network;
	worker->network.enable_ipv6 = enable_ipv6;
	if (ipc_channel_pair(&box->parent_fd, &worker_end_fd) == -1 ||
	    pollset_init(&worker->pollset) == -1)
		fatal("make a worker");
	budget_init(&worker->budget, worker->pollset.size, budget_read_ephemeral());
	ipc_channel_open(&worker->to_parent, worker_end_fd, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_PARENT);
	worker->stack =
	    stack_new(&worker->network, &no_outbound, worker->network.mtu_bytes, &host);
	if (!worker->stack)
		fatalx("libslirp refuses the configuration");
	relay_init(&worker->relay, worker->stack, &worker->gate.flows, &worker->budget);
	if (forwards_init(&worker->forwards, worker->stack, &worker->relay,
		&worker->budget, &worker->network, &guest6) == -1)
		fatal("make the table of forwards");
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
	api_channel_open(&box->worker, worker_end_fd, ++box->n_apis);
	if (ipc_channel_greet(&box->api) == -1 ||
	    ipc_channel_recv(&box->api, &msg, &why) != IPC_OUTCOME_MESSAGE)
		fatalx("the worker does not greet");
	api_channel_receive(&box->worker);
}

void
worker_box_close(struct worker_box *box)
{
	struct worker *worker = &box->worker;

	ipc_channel_close(&box->api);
	connections_free(&worker->connections);
	forwards_free(&worker->forwards);
	relay_free(&worker->relay);
	stack_free(worker->stack);
	pollset_free(&worker->pollset);
	ipc_channel_close(&worker->to_parent);
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	if (box->parent_fd != -1)
		close(take_fd(&box->parent_fd));
}
