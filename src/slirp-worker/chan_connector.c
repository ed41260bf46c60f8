/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives the connector's messages, and gives sockets and ports to the engines. */
#include "slirp-worker/chan_connector.h"

#include <netinet/in.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "process/serve.h"
#include "slirp-worker/engine/udp/udp_forward.h"

/* Messages per turn: as many as answers can wait. Ports come in thousands, and share the turns
 * with the packets; each costs a call of epoll_ctl(2). */
#define RECEIVE_MAX IPC_FLOWS_ASKED_MAX

#define DECLARE(...) IPC_DECLARE_HANDLER(worker, struct worker, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(worker, worker, msg, __VA_ARGS__)
IPC_ROWS_CONNECTOR_TO_SLIRP_WORKER(DECLARE)

void
worker_on_flow_answers(struct worker *worker, const struct ipc_flow_answers *msg,
    int adopt_fd)
{
	asks_take_answers(&worker->asks, msg->flow, adopt_fd);
}

void
worker_on_flow_opened(struct worker *worker, const struct ipc_flow_opened *msg,
    int adopt_fd)
{
	asks_take_opened(&worker->asks, msg, adopt_fd);
}

void
worker_on_flow_refused(struct worker *worker, const struct ipc_flow_refused *msg)
{
	asks_take_refused(&worker->asks, msg->flow, (int)msg->error);
}

static void
note_put_off(struct worker *worker, const struct port *port)
{
	worker_count(worker, IPC_COUNTER_ports_put_off, 1);
	if (ratelimit_allow(&worker->port_refusals, worker->now_ms))
		log_warning(
		    "forwards: port %u waits: no descriptor or no memory is free; "
		    "trying again",
		    inaddr_sock_port(&port->host));
}

/* adopt_fd is -1 if the kernel had no descriptor for it. */
static void
take_port(struct worker *worker, const struct ipc_listener *msg, int adopt_fd)
{
	struct port *port =
	    port_table_take(&worker->ports, msg, adopt_fd, worker->now_ms);
	bool begins;

	if (port == NULL)
		fatalx("message from connector: listener: %u a second time", msg->id);
	if (port->state == PORT_MISSING)
		begins = false;
	else if (port->proto == IPPROTO_TCP)
		begins = tcp_listen_open(&worker->tcp_forward.listen, port);
	else
		begins = udp_forward_open(&worker->udp, port);
	if (!begins)
		note_put_off(worker, port);
}

void
worker_on_listener(struct worker *worker, const struct ipc_listener *msg, int adopt_fd)
{
	take_port(worker, msg, adopt_fd);
}

void
worker_on_listener_gone(struct worker *worker, const struct ipc_listener_gone *msg)
{
	struct port *port = port_table_find(&worker->ports, msg->id);

	if (port == NULL)
		fatalx("message from connector: listener_gone: %u is not open", msg->id);
	if (port->fd != -1 && port->proto == IPPROTO_TCP)
		tcp_listen_close(&worker->tcp_forward.listen, port);
	else if (port->fd != -1)
		udp_forward_close(&worker->udp, port);
	port_table_close(&worker->ports, port);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct worker *worker = ctx;

	switch (msg->id) {
		IPC_ROWS_CONNECTOR_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
	return true;
}

/* The kernel found no free descriptor for the socket, and closed it. */
static void
miss_socket(void *ctx, const struct ipc_message *msg, const char *why)
{
	struct worker *worker = ctx;

	(void)why;
	if (msg->id == IPC_MSG_listener)
		take_port(worker, &msg->payload.listener, -1);
	else if (msg->id == IPC_MSG_flow_answers)
		asks_miss_answers(&worker->asks, msg->payload.flow_answers.flow);
	else
		asks_miss(&worker->asks, msg->payload.flow_opened.flow);
}

void
chan_connector_receive(struct worker *worker)
{
	static const struct serve from_connector = { .take = take, .miss = miss_socket };
	struct serve_violation violation;

	switch (serve_receive(&worker->to_connector, RECEIVE_MAX, &from_connector, worker,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		/* The number stays taken. The parent sees the connector's end, and ends
		 * this process. */
		poller_put(&worker->poller, POLLER_CONNECTOR, -1);
		worker->to_connector.fd = -1;
		break;
	case SERVE_VIOLATED:
		fatalx("message from connector: %s: %s", violation.row, violation.why);
	}
}

uint64_t
chan_connector_report(struct worker *worker)
{
	struct port_table *ports = &worker->ports;

	port_table_report(ports, &worker->to_connector, worker->now_ms);
	poller_expect(&worker->poller, POLLER_CONNECTOR,
	    ports->waits_for_channel ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return worker->to_connector.fd == -1 ? DEADLINE_NONE : port_table_due(ports);
}
