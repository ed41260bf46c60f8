/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes the channels to connector and resolver. Receives the connector's messages, and
 * gives sockets and ports to the engines. */
#include "slirp-worker/chan_connector.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "process/peer.h"
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

	if (port == NULL) {
		worker->asks.fault = "a second time";
		if (adopt_fd != -1)
			close(adopt_fd);
		return;
	}
	if (port->state == PORT_MISSING)
		begins = false;
	else if (port->proto == IPPROTO_TCP)
		begins = tcp_listen_open(&worker->tcp_forward.listen, port);
	else
		begins = udp_forward_open(&worker->udp, port);
	if (!begins)
		note_put_off(worker, port);
}

/* The engines close what they have of a port. */
static void
end_port(struct worker *worker, struct port *port)
{
	if (port->fd != -1 && port->proto == IPPROTO_TCP)
		tcp_listen_close(&worker->tcp_forward.listen, port);
	else if (port->fd != -1)
		udp_forward_close(&worker->udp, port);
}

/* The connector before has sent this port too: it goes on as it is, with its flows. Returns
 * whether that is so. */
static bool
keep_port(struct worker *worker, const struct ipc_listener *msg)
{
	struct port *port = port_table_find(&worker->ports, msg->id);

	if (port == NULL || !port->is_stale)
		return false;
	port->is_stale = false;
	if (port_table_is_same(port, msg))
		return true;
	end_port(worker, port);
	port_table_forget(&worker->ports, port);
	return false;
}

void
worker_on_listener(struct worker *worker, const struct ipc_listener *msg, int adopt_fd)
{
	if (keep_port(worker, msg))
		close(adopt_fd);
	else
		take_port(worker, msg, adopt_fd);
}

void
worker_on_listener_gone(struct worker *worker, const struct ipc_listener_gone *msg)
{
	struct port *port = port_table_find(&worker->ports, msg->id);

	if (port == NULL || port->is_stale) {
		worker->asks.fault = "not open";
		return;
	}
	end_port(worker, port);
	port_table_close(&worker->ports, port);
}

void
worker_on_listeners_told(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->ports.n_places; i++) {
		struct port *port = &worker->ports.places[i];

		if (!port_is_open(port) || !port->is_stale)
			continue;
		end_port(worker, port);
		port_table_forget(&worker->ports, port);
	}
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
	return worker->asks.fault == NULL;
}

/* The kernel found no free descriptor for the socket, and closed it. */
static void
miss_socket(void *ctx, const struct ipc_message *msg, const char *why)
{
	struct worker *worker = ctx;

	(void)why;
	if (msg->id == IPC_MSG_listener) {
		/* A port that goes on needs no descriptor. */
		if (!keep_port(worker, &msg->payload.listener))
			take_port(worker, &msg->payload.listener, -1);
	} else if (msg->id == IPC_MSG_flow_answers) {
		asks_miss_answers(&worker->asks, msg->payload.flow_answers.flow);
	} else {
		asks_miss(&worker->asks, msg->payload.flow_opened.flow);
	}
}

static void
close_channel(struct worker *worker)
{
	poller_put(&worker->poller, POLLER_CONNECTOR, -1);
	peer_close(&worker->to_connector);
	asks_lose_connector(&worker->asks);
}

void
chan_connector_open(struct worker *worker, int adopt_fd, const struct ipc_peer *connector)
{
	/* The old connector may have answered before its end. */
	if (worker->to_connector.fd != -1)
		chan_connector_receive(worker);
	if (worker->to_connector.fd != -1)
		close_channel(worker);
	worker->connector = *connector;
	port_table_begin_anew(&worker->ports);
	peer_open(&worker->to_connector, adopt_fd, IPC_CHILD_FD_CONNECTOR,
	    IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR);
	if (poller_put(&worker->poller, POLLER_CONNECTOR, IPC_CHILD_FD_CONNECTOR) == -1) {
		peer_report(&worker->to_parent, connector, "peer", strerror(errno));
		close_channel(worker);
	}
}

static enum serve_end
receive(struct worker *worker, struct serve_violation *violation)
{
	static const struct serve from_connector = { .take = take, .miss = miss_socket };
	enum serve_end end = serve_receive(&worker->to_connector, RECEIVE_MAX,
	    &from_connector, worker, violation);

	if (worker->asks.fault == NULL)
		return end;
	violation->why = worker->asks.fault;
	return SERVE_VIOLATED;
}

void
chan_connector_receive(struct worker *worker)
{
	struct serve_violation violation;

	switch (receive(worker, &violation)) {
	case SERVE_OPEN:
		return;
	case SERVE_CLOSED:
		break;
	case SERVE_VIOLATED:
		peer_report(&worker->to_parent, &worker->connector, violation.row,
		    violation.why);
		break;
	}
	close_channel(worker);
}

static void
close_resolver(struct worker *worker)
{
	poller_put(&worker->poller, POLLER_RESOLVER, -1);
	peer_close(&worker->to_resolver);
}

void
chan_resolver_open(struct worker *worker, int adopt_fd, const struct ipc_peer *resolver)
{
	close_resolver(worker);
	worker->resolver = *resolver;
	peer_open(&worker->to_resolver, adopt_fd, IPC_CHILD_FD_RESOLVER,
	    IPC_ROLE_SLIRP_WORKER, IPC_ROLE_RESOLVER);
	if (poller_put(&worker->poller, POLLER_RESOLVER, IPC_CHILD_FD_RESOLVER) == -1) {
		peer_report(&worker->to_parent, resolver, "peer", strerror(errno));
		close_resolver(worker);
	}
}

void
chan_resolver_receive(struct worker *worker)
{
	struct serve_violation violation;

	switch (udp_dns_receive(&worker->udp, &violation)) {
	case SERVE_OPEN:
		return;
	case SERVE_CLOSED:
		break;
	case SERVE_VIOLATED:
		peer_report(&worker->to_parent, &worker->resolver, violation.row,
		    violation.why);
		break;
	}
	close_resolver(worker);
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
