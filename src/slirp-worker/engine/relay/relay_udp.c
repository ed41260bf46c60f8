/* SPDX-License-Identifier: BSD-2-Clause */
/* Carries datagrams between UDP peers of a relay's ports and the inner ports. */
#include "slirp-worker/engine/relay/relay_udp.h"

#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "slirp-worker/wire/wire.h"

/* Answers read for one peer in one turn: as many as frames. */
#define ANSWERS_MAX 16

/* The maximum length of UDP (RFC 768). */
#define DATAGRAM_MAX_BYTES 65535

static void
forget(struct relay_udp *udp, struct relay_udp_peer *peer)
{
	/* The next process that binds this port of the loopback has not sent anything. */
	gate_flows_forget(udp->flows, &peer->flow);
	close(peer->fd);
	*peer = udp->peers[--udp->n];
}

void
relay_udp_free(struct relay_udp *udp)
{
	while (udp->n > 0)
		forget(udp, &udp->peers[udp->n - 1]);
}

void
relay_udp_forget_port(struct relay_udp *udp, int port_fd)
{
	/* Backwards, because the last peer moves to the index of a forgotten one. */
	for (size_t i = udp->n; i-- > 0;)
		if (udp->peers[i].port_fd == port_fd)
			forget(udp, &udp->peers[i]);
}

static struct relay_udp_peer *
find_peer(struct relay_udp *udp, int port_fd, const union inaddr_sock *address)
{
	for (size_t i = 0; i < udp->n; i++)
		if (udp->peers[i].port_fd == port_fd &&
		    inaddr_sock_is_equal(&udp->peers[i].address, address))
			return &udp->peers[i];
	return NULL;
}

static void
forget_silent(struct relay_udp *udp)
{
	struct relay_udp_peer *silent = &udp->peers[0];

	for (size_t i = 1; i < udp->n; i++)
		if (udp->peers[i].last_ms < silent->last_ms)
			silent = &udp->peers[i];
	forget(udp, silent);
}

static struct flow_key
way_back(const union inaddr_sock *guest, const union inaddr_sock *own)
{
	if (guest->any.sa_family == AF_INET6)
		return flow_key_udp(WIRE_TYPE_IP6, guest->in6.sin6_addr.s6_addr,
		    inaddr_sock_port(guest), inaddr_sock_port(own));
	return flow_key_udp(WIRE_TYPE_IP4, (const uint8_t *)&guest->in.sin_addr,
	    inaddr_sock_port(guest), inaddr_sock_port(own));
}

/* Returns NULL if there is no descriptor. */
static struct relay_udp_peer *
add_peer(struct relay_udp *udp, const union inaddr_sock *inner,
    const union inaddr_sock *guest)
{
	autofd int fd = -1;
	union inaddr_sock own = { 0 };
	socklen_t len = sizeof(own);
	struct relay_udp_peer *peer;

	if (udp->n == udp->n_max)
		forget_silent(udp);
	fd = socket(inner->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, &inner->any, inaddr_sock_len(&inner->any)) == -1 ||
	    getsockname(fd, &own.any, &len) == -1)
		return NULL;
	peer = &udp->peers[udp->n++];
	*peer = (struct relay_udp_peer){
		.fd = take_fd(&fd),
		.poll_index = -1,
		.flow = way_back(guest, &own),
	};
	return peer;
}

/* Static, to keep the stack small; the function is not called recursively. */
static uint8_t datagram[DATAGRAM_MAX_BYTES];

/* Reads one datagram in a turn, as libslirp does from the inner port. */
void
relay_udp_receive(struct relay_udp *udp, int port_fd, const union inaddr_sock *inner,
    const union inaddr_sock *guest, uint64_t now_ms)
{
	union inaddr_sock address = { 0 };
	socklen_t len = sizeof(address);
	struct relay_udp_peer *peer;
	ssize_t n = recvfrom(port_fd, datagram, sizeof(datagram), MSG_DONTWAIT,
	    &address.any, &len);

	if (n == -1)
		return;
	peer = find_peer(udp, port_fd, &address);
	if (!peer)
		peer = add_peer(udp, inner, guest);
	if (!peer)
		return;
	peer->address = address;
	peer->port_fd = port_fd;
	peer->last_ms = now_ms;
	/* Now: when libslirp takes the datagram, the peer may be forgotten. */
	gate_flows_note(udp->flows, &peer->flow, port_fd, now_ms);
	/* If the buffer is full, the datagram is lost, as on a full link. */
	send(peer->fd, datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
take_answers(struct relay_udp_peer *peer, uint64_t now_ms)
{
	for (int i = 0; i < ANSWERS_MAX; i++) {
		ssize_t n = recv(peer->fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (n == -1)
			return;
		peer->last_ms = now_ms;
		sendto(peer->port_fd, datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
		    &peer->address.any, inaddr_sock_len(&peer->address.any));
	}
}

uint64_t
relay_udp_prepare_wait(struct relay_udp *udp, struct pollset *set)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (size_t i = 0; i < udp->n; i++) {
		struct relay_udp_peer *peer = &udp->peers[i];

		peer->poll_index = pollset_add(set, peer->fd, POLLIN);
		due_ms = deadline_earlier(due_ms, peer->last_ms + RELAY_UDP_IDLE_MS);
	}
	return due_ms;
}

void
relay_udp_finish_wait(struct relay_udp *udp, const struct pollset *set, bool wait_failed,
    uint64_t now_ms)
{
	/* Backwards, because the last peer moves to the index of a forgotten one. */
	for (size_t i = udp->n; i-- > 0;) {
		struct relay_udp_peer *peer = &udp->peers[i];

		if (!wait_failed && peer->poll_index != -1 &&
		    set->fds[peer->poll_index].revents)
			take_answers(peer, now_ms);
		if (now_ms >= peer->last_ms + RELAY_UDP_IDLE_MS)
			forget(udp, peer);
	}
}
