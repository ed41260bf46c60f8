#include "slirp-worker/api_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "slirp-worker/control.h"

/* Messages per turn: a client that asks without end shares the turns with the packets,
 * which get as many frames (loop.c). */
#define RECEIVE_MAX 16

#define DECLARE(...) IPC_DECLARE_HANDLER(worker, struct worker, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(worker, worker, msg, __VA_ARGS__)
IPC_ROWS_API_TO_SLIRP_WORKER(DECLARE)

static void
close_channel(struct worker *worker)
{
	/* Not close(2): the number would be that of libslirp's next socket. Can't fail,
	 * as both numbers are good. */
	dup3(STDIN_FILENO, IPC_CHILD_FD_PEER, O_CLOEXEC);
	worker->to_api.fd = -1;
	requests_abandon(&worker->requests);
	connections_free(&worker->connections);
}

/* There is nothing to be had of the api: the parent decides what becomes of it. */
static void
drop_channel(struct worker *worker, const char *row, const char *why)
{
	struct ipc_api_dropped dropped = { .api_number = worker->api_number };

	close_channel(worker);
	snprintf(dropped.why, sizeof(dropped.why), "%s: %s", row, why);
	/* The api sees the end of the channel too, and ends by itself. */
	(void)ipc_send_api_dropped(&worker->to_parent, &dropped);
}

void
api_channel_open(struct worker *worker, int adopt_fd, uint64_t api_number)
{
	autofd int fd = adopt_fd;

	close_channel(worker);
	worker->api_number = api_number;
	/* Can't fail: both numbers are good. */
	dup3(fd, IPC_CHILD_FD_PEER, O_CLOEXEC);
	ipc_channel_open(&worker->to_api, IPC_CHILD_FD_PEER, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_API);
	api_channel_check_sent(worker, ipc_channel_greet(&worker->to_api));
}

void
api_channel_miss(struct worker *worker, uint64_t api_number, const char *why)
{
	worker->api_number = api_number;
	drop_channel(worker, "api_channel", why);
}

int
api_channel_poll_fd(const struct worker *worker)
{
	return requests_are_busy(&worker->requests) ? -1 : worker->to_api.fd;
}

void
api_channel_check_sent(struct worker *worker, int result)
{
	if (result == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		close_channel(worker);
	else if (errno == EAGAIN)
		drop_channel(worker, "answer", "the queue is full");
	else
		drop_channel(worker, "answer", strerror(errno));
}

void
worker_on_add_hostfwd(struct worker *worker, const struct ipc_add_hostfwd *msg)
{
	requests_add(worker, msg->request, &msg->rule);
}

void
worker_on_remove_hostfwd(struct worker *worker, const struct ipc_remove_hostfwd *msg)
{
	requests_remove(worker, msg->request, msg->id);
}

void
worker_on_list_hostfwd(struct worker *worker, const struct ipc_list_hostfwd *msg)
{
	struct ipc_hostfwd_page page = { .request = msg->request };

	forwards_fill_page(&worker->forwards, msg->after_id, &page);
	api_channel_check_sent(worker, ipc_send_hostfwd_page(&worker->to_api, &page));
}

void
worker_on_query_worker(struct worker *worker, const struct ipc_query_worker *msg)
{
	const struct stack_sockets *sockets = stack_sockets(worker->stack);
	struct ipc_worker_state state = {
		.request = msg->request,
		.stats = *worker_control_stats(worker),
		.n_tcp_sockets = sockets->n_tcp + worker->forwards.n_tcp_ports,
		.n_udp_sockets = sockets->n_udp + worker->forwards.n_udp_ports,
		.n_icmp_sockets = (uint32_t)worker->ping.n_flows,
		.n_hostfwds = worker->forwards.rules->n,
	};

	api_channel_check_sent(worker, ipc_send_worker_state(&worker->to_api, &state));
}

void
worker_on_list_connections(struct worker *worker, const struct ipc_list_connections *msg)
{
	struct ipc_connections_page page = { .request = msg->request };

	if (msg->first == 0)
		connections_collect(&worker->connections, worker->stack, &worker->ping,
		    &worker->forwards);
	connections_fill_page(&worker->connections, msg->first, &page);
	if (!page.has_more)
		connections_free(&worker->connections);
	api_channel_check_sent(worker, ipc_send_connections_page(&worker->to_api, &page));
}

static void
dispatch(struct worker *worker, struct ipc_message *msg)
{
	switch (msg->id) {
		IPC_ROWS_API_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
}

void
api_channel_receive(struct worker *worker)
{
	struct ipc_message msg;
	const char *why;

	for (int i = 0; i < RECEIVE_MAX && api_channel_poll_fd(worker) != -1; i++) {
		switch (ipc_channel_recv(&worker->to_api, &msg, &why)) {
		case IPC_OUTCOME_MESSAGE:
			dispatch(worker, &msg);
			break;
		case IPC_OUTCOME_NONE:
			return;
		case IPC_OUTCOME_CLOSED:
			close_channel(worker);
			return;
		case IPC_OUTCOME_SHORTAGE: /* none brings a descriptor */
		case IPC_OUTCOME_VIOLATION:
			drop_channel(worker,
			    msg.id < IPC_MSG_N ? ipc_descriptions[msg.id].name
					       : "message",
			    why);
			return;
		}
	}
}
