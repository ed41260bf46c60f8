/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers the worker's questions, and hears what it says about listeners. */
#include "connector/requests.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "connector/destination.h"
#include "connector/lend.h"
#include "connector/open/open.h"
#include "connector/policy.h"
#include "ipc/dispatch.h"
#include "ipc/fdtable.h"
#include "process/peer.h"
#include "process/serve.h"

/* Questions for each wait. The parent's messages come between. */
#define RECEIVE_MAX 64

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(connector, connector, msg, __VA_ARGS__)
IPC_ROWS_SLIRP_WORKER_TO_CONNECTOR(DECLARE)

static void
close_answer(struct connector_answer *answer)
{
	if (answer->fd != -1)
		close(take_fd(&answer->fd));
	if (answer->answers_fd != -1)
		close(take_fd(&answer->answers_fd));
}

/* Forgets all of a worker. Its sockets are its own; they end with it. */
static void
end_worker(struct connector *connector)
{
	peer_close(&connector->to_worker);
	if (connector->has_answer)
		close_answer(&connector->answer);
	connector->has_answer = false;
	flows_close_all(&connector->flows);
	connector_policy_note_all_ends();
}

/* The worker broke the protocol; the parent ends it. */
static void
drop_worker(struct connector *connector, const char *row, const char *why)
{
	peer_report(&connector->to_parent, &connector->worker, row, why);
	end_worker(connector);
}

void
connector_requests_begin(struct connector *connector, int adopt_fd,
    const struct ipc_peer *worker)
{
	end_worker(connector);
	connector->worker = *worker;
	listeners_tell_anew(&connector->listeners);
	peer_open(&connector->to_worker, adopt_fd, IPC_CHILD_FD_PEER, IPC_ROLE_CONNECTOR,
	    IPC_ROLE_SLIRP_WORKER);
}

/* The flow of the answer gets no socket. */
static void
refuse(struct connector *connector, uint32_t error)
{
	struct connector_answer *answer = &connector->answer;
	struct flow *flow = flows_find(&connector->flows, answer->opened.flow);

	answer->error = error;
	close_answer(answer);
	if (flow != NULL) {
		connector_policy_note_end(flow);
		flows_close(&connector->flows, flow);
	}
}

/* The worker has a duplicate of the socket. A flow that a later policy may deny keeps this one. */
static void
keep_or_close(struct connector *connector, int *fd, bool is_of_answers)
{
	struct flow *flow = flows_find(&connector->flows, connector->answer.opened.flow);

	if (flow == NULL || !flow->is_judged)
		close(take_fd(fd));
	else if (is_of_answers)
		flow->answers_fd = take_fd(fd);
	else
		flow->fd = take_fd(fd);
}

static int
send_answers_socket(struct connector *connector)
{
	struct connector_answer *answer = &connector->answer;
	const struct ipc_flow_answers answers = { .flow = answer->opened.flow };

	if (ipc_send_flow_answers(&connector->to_worker, &answers, answer->answers_fd) ==
	    -1)
		return -1;
	keep_or_close(connector, &answer->answers_fd, true);
	return 0;
}

static int
send_answer(struct connector *connector)
{
	struct connector_answer *answer = &connector->answer;
	const struct ipc_flow_refused refused = {
		.flow = answer->opened.flow,
		.error = answer->error,
	};

	if (answer->fd == -1)
		return ipc_send_flow_refused(&connector->to_worker, &refused);
	if (answer->answers_fd != -1 && send_answers_socket(connector) == -1)
		return -1;
	if (ipc_send_flow_opened(&connector->to_worker, &answer->opened, answer->fd) ==
	    -1)
		return -1;
	keep_or_close(connector, &answer->fd, false);
	return 0;
}

void
connector_requests_answer(struct connector *connector)
{
	struct connector_answer *answer = &connector->answer;
	int result = send_answer(connector);

	/* unix(7): too many descriptors of the user are in queues. */
	if (result == -1 && errno == ETOOMANYREFS) {
		refuse(connector, ETOOMANYREFS);
		result = send_answer(connector);
	}
	connector->has_answer = peer_must_send_again(result);
	if (!connector->has_answer)
		close_answer(answer);
}

/* Returns 0, or -1 with errno set. */
static int
make_tcp(struct connector *connector, const union inaddr_sock *to)
{
	struct connector_answer *answer = &connector->answer;

	answer->fd = open_tcp(to, &connector->rules.outbound);
	return answer->fd == -1 ? -1 : 0;
}

/* Says once that the host does not let the guest ping. */
static void
tell_if_barred(struct connector *connector, int error)
{
	if ((error != EACCES && error != EPERM) || connector->barred_was_told)
		return;
	connector->barred_was_told = true;
	log_warning("ping: open a ping socket: %s: the guest's echo requests to the "
		    "outside are refused%s",
	    strerror(error),
	    error == EACCES ? "; net.ipv4.ping_group_range has to have the group that "
			      "slirpd runs as"
			    : "");
}

/* As make_tcp(). */
static int
make_ping(struct connector *connector, const union inaddr_sock *to)
{
	struct connector_answer *answer = &connector->answer;
	int error;

	answer->fd = open_ping(to, &connector->rules.outbound);
	if (answer->fd != -1)
		return 0;
	error = errno;
	tell_if_barred(connector, error);
	errno = error;
	return -1;
}

static int
make_udp(struct connector *connector, const struct flow *flow,
    const union inaddr_sock *to)
{
	struct connector_answer *answer = &connector->answer;
	struct flow_end *end = flow->end;
	const struct open_udp wanted = {
		.to = to,
		.outbound = &connector->rules.outbound,
		/* A guest's server that has a forward answers from its port, also if it
		 * speaks first. */
		.port = end->port != 0 ? end->port
				       : forwards_udp_port_of(&connector->forwards,
					     &flow->asked.guest, flow->asked.guest_port),
		.loops_groups = connector->rules.network.allow_host_loopback,
	};
	struct open_udp_made made;

	if (open_udp(&wanted, &made) == -1)
		return -1;
	if (end->port == 0)
		end->port = made.port;
	answer->fd = made.fd;
	answer->answers_fd = made.answers_fd;
	answer->opened.own_port = made.port;
	return 0;
}

static void
make_sockets(struct connector *connector, const struct flow *flow,
    const union inaddr_sock *to)
{
	struct ipc_flow_opened *opened = &connector->answer.opened;
	int result;

	switch (flow->asked.proto) {
	case IPPROTO_UDP:
		result = make_udp(connector, flow, to);
		break;
	case IPPROTO_ICMP:
		result = make_ping(connector, to);
		break;
	default:
		result = make_tcp(connector, to);
		break;
	}

	if (result == -1) {
		refuse(connector, (uint32_t)errno);
		return;
	}
	inaddr_from_sockaddr(&opened->to, &to->any);
	opened->to_port = inaddr_sock_port(to);
	opened->to_scope_id = opened->to.is_ipv6 ? to->in6.sin6_scope_id : 0;
}

/* Makes a connection that leads to the resolver. */
static void
lead_to_resolver(struct connector *connector, const struct ipc_flow_open *asked)
{
	struct connector_answer *answer = &connector->answer;

	answer->fd = connector_lend_connect(connector);
	if (answer->fd == -1) {
		refuse(connector, (uint32_t)errno);
		return;
	}
	answer->opened.to = asked->peer;
	answer->opened.to_port = asked->peer_port;
}

/* Makes the sockets of a flow, or refuses it. Returns whether there is an answer. */
static bool
open_flow(struct connector *connector, struct flow *flow)
{
	const struct ipc_flow_open *asked = &flow->asked;
	char text[INET6_ADDRSTRLEN], why[IPC_WHY_SIZE];
	union inaddr_sock to;
	int denied;

	switch (destination_find(&connector->rules, asked->proto, &asked->peer,
	    asked->peer_port, &to)) {
	case DESTINATION_FOUND:
		denied = connector_policy_check(flow);
		connector->answer.opened.is_kept = flow->is_judged;
		if (denied == 0)
			make_sockets(connector, flow, &to);
		else
			refuse(connector, (uint32_t)denied);
		break;
	case DESTINATION_RESOLVER:
		lead_to_resolver(connector, asked);
		break;
	case DESTINATION_REFUSED:
		refuse(connector, ENETUNREACH);
		break;
	case DESTINATION_NEVER:
		snprintf(why, sizeof(why), "%s is never a destination",
		    inaddr_format(&asked->peer, text));
		drop_worker(connector, "flow_open", why);
		return false;
	}
	return true;
}

/* Whether the flow is not open yet. If it is, the worker broke the protocol. */
static bool
may_begin(struct connector *connector, uint64_t flow, const char *row)
{
	if (flows_find(&connector->flows, flow) == NULL)
		return true;
	drop_worker(connector, row, "the flow is open");
	return false;
}

/* Begins the answer for a flow that asks. NULL: the flow is refused. */
static struct flow *
begin_flow(struct connector *connector, const struct ipc_flow_open *asked)
{
	struct connector_answer *answer = &connector->answer;

	*answer = (struct connector_answer){
		.fd = -1,
		.answers_fd = -1,
		.opened.flow = asked->flow,
	};
	return flows_open(&connector->flows, asked,
	    (uint64_t)(clock_now_ns() / CLOCK_NS_PER_MS), &answer->error);
}

void
connector_on_flow_open(struct connector *connector, const struct ipc_flow_open *msg)
{
	struct flow *flow;

	if (!may_begin(connector, msg->flow, "flow_open"))
		return;
	flow = begin_flow(connector, msg);
	if (flow == NULL || open_flow(connector, flow))
		connector_requests_answer(connector);
}

/* Makes the socket of a peer of a forward's port. */
static void
make_reply(struct connector *connector, const struct ipc_reply_open *msg,
    const struct ipc_listener *about)
{
	struct ipc_flow_opened *opened = &connector->answer.opened;
	const struct inaddr *host = &about->host_addr;
	union inaddr_sock own =
	    inaddr_sock_make(inaddr_is_unspecified(host) ? &msg->own : host,
		about->host_port);
	union inaddr_sock peer = inaddr_sock_make(&msg->peer, msg->peer_port);

	if (msg->own_scope_id != 0 && own.any.sa_family == AF_INET6)
		own.in6.sin6_scope_id = msg->own_scope_id;
	if (msg->peer_scope_id != 0)
		peer.in6.sin6_scope_id = msg->peer_scope_id;
	connector->answer.fd = open_reply(&own, &peer);
	if (connector->answer.fd == -1) {
		refuse(connector, (uint32_t)errno);
		return;
	}
	opened->to = msg->peer;
	opened->to_port = msg->peer_port;
	opened->to_scope_id = msg->peer_scope_id;
	opened->own_port = about->host_port;
}

void
connector_on_reply_open(struct connector *connector, const struct ipc_reply_open *msg)
{
	const struct ipc_listener *about =
	    listeners_find(&connector->listeners, msg->listener);
	struct ipc_flow_open asked = {
		.flow = msg->flow,
		.peer = msg->peer,
		.proto = IPPROTO_UDP,
		.peer_port = msg->peer_port,
	};
	struct flow *flow;
	int denied;

	if (about != NULL &&
	    (about->proto != IPPROTO_UDP ||
		about->host_addr.is_ipv6 != msg->peer.is_ipv6)) {
		drop_worker(connector, "reply_open", "not a port of UDP");
		return;
	}
	/* connect(2) takes them for another address, or for many hosts. */
	if (!inaddr_is_of_a_host(&msg->peer)) {
		drop_worker(connector, "reply_open",
		    "nobody sends from the peer's address");
		return;
	}
	if (!may_begin(connector, msg->flow, "reply_open"))
		return;
	if (about != NULL) {
		asked.guest = about->guest_addr;
		asked.guest_port = about->guest_port;
	}
	flow = begin_flow(connector, &asked);
	if (flow != NULL && about != NULL) {
		denied = connector_policy_check_peer(flow);
		connector->answer.opened.is_kept = flow->is_judged;
		if (denied == 0)
			make_reply(connector, msg, about);
		else
			refuse(connector, (uint32_t)denied);
	} else if (about == NULL) { /* it was closed meanwhile */
		refuse(connector, ENOENT);
	}
	connector_requests_answer(connector);
}

void
connector_on_flow_closed(struct connector *connector, const struct ipc_flow_closed *msg)
{
	for (uint32_t i = 0; i < msg->n; i++) {
		struct flow *flow = flows_find(&connector->flows, msg->flows[i]);

		if (flow == NULL) {
			drop_worker(connector, "flow_closed", "a flow is not open");
			return;
		}
		flows_end_sockets(flow, false);
		connector_policy_note_end(flow);
		flows_close(&connector->flows, flow);
	}
}

void
connector_on_listener_wanted(struct connector *connector,
    const struct ipc_listener_wanted *msg)
{
	if (listeners_note_wanted(&connector->listeners, msg->id) == -1)
		drop_worker(connector, "listener_wanted", "it does not lack that one");
}

void
connector_on_listener_closed(struct connector *connector,
    const struct ipc_listener_closed *msg)
{
	if (listeners_note_closed(&connector->listeners, msg->id) == -1)
		drop_worker(connector, "listener_closed",
		    "it was not told that this one is gone");
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct connector *connector = ctx;

	switch (msg->id) {
		IPC_ROWS_SLIRP_WORKER_TO_CONNECTOR(CALL)
	default:
		break;
	}
	return !connector->has_answer;
}

void
connector_requests_receive(struct connector *connector)
{
	static const struct serve from_worker = { .take = take };
	struct serve_violation violation;

	switch (serve_receive(&connector->to_worker, RECEIVE_MAX, &from_worker, connector,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		end_worker(connector);
		break;
	case SERVE_VIOLATED:
		drop_worker(connector, violation.row, violation.why);
		break;
	}
}
