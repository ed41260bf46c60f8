/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks for the sockets of UDP flows, and closes them. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/auto.h"

void
udp_set_option(int fd, int level, int name, int value)
{
	/* Cannot fail on a UDP socket of the family. */
	setsockopt(fd, level, name, &value, sizeof(value));
}

static void
refuse(struct udp_host *host, uint32_t index, uint32_t generation, int error)
{
	if (asks_is_shortage(error) && udp_waits(&host->udp, index, generation) != NULL)
		host->no_socket(host->ctx);
	udp_refused(&host->udp, index, generation, error);
}

static uint32_t
scope_of(const union inaddr_sock *sock)
{
	return sock->any.sa_family == AF_INET6 ? sock->in6.sin6_scope_id : 0;
}

/* Asks for the socket of a forward's peer: it has the port of the forward, and leads to the peer. */
static int
ask_for_peer(struct udp_host *host, const struct udp_flow *flow)
{
	struct ipc_reply_open question = {
		.listener = flow->port - 1,
		.peer_scope_id = scope_of(&flow->to),
		.own_scope_id = scope_of(&flow->own),
		.peer_port = inaddr_sock_port(&flow->to),
	};

	inaddr_from_sockaddr(&question.peer, &flow->to.any);
	inaddr_from_sockaddr(&question.own, &flow->own.any);
	return asks_add_reply(host->asks, ASKS_PEER,
	    flow_table_index(&host->udp.flows, flow), flow->link.generation, &question);
}

void
udp_open_socket(void *ctx, struct udp_flow *flow)
{
	struct udp_host *host = ctx;
	uint32_t index = flow_table_index(&host->udp.flows, flow);
	uint32_t generation = flow->link.generation;

	flow->set = (struct hold_fate){ 0 };
	if (flow->port != 0) {
		if (inaddr_sock_port(&flow->to) == 0 || ask_for_peer(host, flow) == -1)
			udp_refused(&host->udp, index, generation, EAGAIN);
		return;
	}
	if (flow->link.key.peer_port == 0) /* RFC 6335 6: reserved, so nobody listens */
		udp_refused(&host->udp, index, generation, ECONNREFUSED);
	else if (asks_add(host->asks, ASKS_UDP, index, &flow->link) == -1)
		refuse(host, index, generation, EAGAIN);
}

/* --- answers of the connector --------------------------------------------------------- */

static bool
wants_socket(void *ctx, uint32_t index, uint32_t generation)
{
	struct udp_host *host = ctx;

	return udp_waits(&host->udp, index, generation) != NULL;
}

static void
take_refusal(void *ctx, uint32_t index, uint32_t generation, int error)
{
	refuse(ctx, index, generation, error);
}

/* Waits for datagrams at a socket of the flow. Returns false if the kernel cannot. */
static bool
watch(struct udp_host *host, const struct udp_flow *flow, int fd)
{
	return poller_add_reader(host->poller, fd, POLLER_UDP,
		   flow_table_index(&host->udp.flows, flow), flow->link.generation) == 0;
}

static void
take_answers_socket(void *ctx, uint32_t index, uint32_t generation, int adopt_fd)
{
	struct udp_host *host = ctx;
	struct udp_flow *flow = udp_waits(&host->udp, index, generation);

	if (flow == NULL || flow->answers_fd != -1 || !watch(host, flow, adopt_fd))
		asks_close(host->asks, adopt_fd);
	else
		flow->answers_fd = adopt_fd;
}

static void
take_socket(void *ctx, uint32_t index, uint32_t generation, int adopt_fd,
    const struct ipc_flow_opened *opened)
{
	struct udp_host *host = ctx;
	struct udp_flow *flow = udp_waits(&host->udp, index, generation);

	if (flow == NULL || !watch(host, flow, adopt_fd)) {
		asks_close(host->asks, adopt_fd);
		refuse(host, index, generation, EMFILE);
		return;
	}
	discovery_begin(&flow->discovery, &host->paths, &opened->to);
	flow->to = inaddr_sock_make(&opened->to, opened->to_port);
	if (opened->to_scope_id != 0)
		flow->to.in6.sin6_scope_id = opened->to_scope_id;
	flow->own_port = opened->own_port;
	udp_opened(&host->udp, flow, adopt_fd);
}

const struct asks_ops udp_asks_ops = {
	.is_wanted = wants_socket,
	.on_answers = take_answers_socket,
	.on_opened = take_socket,
	.on_refused = take_refusal,
};

void
udp_close_sockets(void *ctx, struct udp_flow *flow)
{
	struct udp_host *host = ctx;

	if (flow->answers_fd != -1)
		asks_close(host->asks, take_fd(&flow->answers_fd));
	if (flow->fd != -1)
		asks_close(host->asks, take_fd(&flow->fd));
}
