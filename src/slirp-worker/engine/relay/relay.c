/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes the ports of forwards between address families. */
#include "slirp-worker/engine/relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/vec.h"

/* Another process may bind the free port before libslirp does. If that happens so often
 * in a row, hardly any port is free. */
#define INNER_TRIES 16

void
relay_init(struct relay *relay, struct stack *stack, struct gate_flows *flows,
    struct budget *budget)
{
	*relay = (struct relay){
		.stack = stack,
		.udp.flows = flows,
		.udp.n_max = budget->limit[BUDGET_PEER],
	};
}

static void
close_all(void *self)
{
	struct relay *relay = self;

	while (relay->n_ports > 0)
		close(relay->ports[--relay->n_ports].fd);
	free(relay->ports);
	relay->ports = NULL;
	relay_udp_free(&relay->udp);
}

static int
new_socket(int family)
{
	const int yes = 1;
	autofd int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* The same as flags_of() in stack_ports.c sets for libslirp. */
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == -1)
		return -1;
	return take_fd(&fd);
}

/* Opens the host's port. Returns a descriptor, or -1 with errno set. */
static int
open_host_port(const struct sockaddr *host)
{
	autofd int fd = new_socket(host->sa_family);

	if (fd == -1 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ||
	    bind(fd, host, inaddr_sock_len(host)) == -1)
		return -1;
	return take_fd(&fd);
}

/* Finds a free port of the loopback. Returns 0, or -1 with errno set. */
static int
find_free_port(bool is_ipv6, union inaddr_sock *addr)
{
	const struct inaddr loopback = inaddr_loopback(is_ipv6);
	autofd int fd =
	    socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*addr);

	*addr = inaddr_sock_make(&loopback, 0);
	if (fd == -1 || bind(fd, &addr->any, inaddr_sock_len(&addr->any)) == -1)
		return -1;
	return getsockname(fd, &addr->any, &len);
}

/* Makes libslirp open a port on the loopback. Returns 0, or -1 with errno set. */
static int
open_inner_port(const struct relay *relay, const struct sockaddr *guest,
    union inaddr_sock *inner)
{
	for (int i = 0; i < INNER_TRIES; i++) {
		if (find_free_port(guest->sa_family == AF_INET6, inner) == -1)
			break;
		if (stack_port_open(relay->stack, &inner->any, guest, true) == 0)
			return 0;
		if (errno != EADDRINUSE)
			break;
	}
	/* The caller would take these for errors of the host's port. */
	if (errno == EADDRINUSE)
		errno = EAGAIN;
	else if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
		errno = ENETUNREACH;
	return -1;
}

int
relay_open(struct relay *relay, const struct sockaddr *host, const struct sockaddr *guest)
{
	struct relay_port port = { .fd = -1, .poll_index = -1 };
	autofd int fd = -1;

	if (!VEC_MAKE_ROOM(&relay->ports, relay->n_ports, &relay->size))
		return -1;
	fd = open_host_port(host);
	if (fd == -1 || open_inner_port(relay, guest, &port.inner) == -1)
		return -1;
	memcpy(&port.host, host, inaddr_sock_len(host));
	memcpy(&port.guest, guest, inaddr_sock_len(guest));
	port.fd = take_fd(&fd);
	relay->ports[relay->n_ports++] = port;
	return 0;
}

void
relay_close(struct relay *relay, const struct sockaddr *host)
{
	union inaddr_sock wanted = { 0 };
	size_t i = relay->n_ports;

	memcpy(&wanted, host, inaddr_sock_len(host));
	/* The newest first: a forward's ports are closed in this order. */
	while (i-- > 0) {
		struct relay_port *port = &relay->ports[i];

		if (!inaddr_sock_is_equal(&port->host, &wanted))
			continue;
		stack_port_close(relay->stack, &port->inner.any);
		relay_udp_forget_port(&relay->udp, port->fd);
		close(port->fd);
		relay->n_ports--;
		memmove(port, port + 1, (relay->n_ports - i) * sizeof(*port));
		return;
	}
}

static uint64_t
prepare(void *self, struct pollset *set, uint64_t now_ms)
{
	struct relay *relay = self;

	(void)now_ms;
	for (size_t i = 0; i < relay->n_ports; i++)
		relay->ports[i].poll_index = pollset_add(set, relay->ports[i].fd, POLLIN);
	return relay_udp_prepare_wait(&relay->udp, set);
}

static void
finish(void *self, const struct pollset *set, bool wait_failed, uint64_t now_ms)
{
	struct relay *relay = self;

	relay_udp_finish_wait(&relay->udp, set, wait_failed, now_ms);
	for (size_t i = 0; i < relay->n_ports && !wait_failed; i++) {
		const struct relay_port *port = &relay->ports[i];

		if (port->poll_index != -1 && set->fds[port->poll_index].revents)
			relay_udp_receive(&relay->udp, port->fd, &port->inner,
			    &port->guest, now_ms);
	}
}

const struct relay_port *
relay_find_port(const struct relay *relay, const union inaddr_sock *inner)
{
	for (size_t i = 0; i < relay->n_ports; i++)
		if (inaddr_sock_is_equal(&relay->ports[i].inner, inner))
			return &relay->ports[i];
	return NULL;
}

const struct engine_ops relay_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = close_all,
};
