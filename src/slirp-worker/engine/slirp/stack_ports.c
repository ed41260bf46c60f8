/* SPDX-License-Identifier: BSD-2-Clause */
#include "slirp-worker/engine/slirp/stack.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "slirp-worker/wire/address.h"
#include "slirp-worker/engine/slirp/stack_state.h"
#include "slirp-worker/wire/wire.h"

/* An IPv6 port takes IPv6 alone, whatever net.ipv6.bindv6only says: libslirp would hand
 * IPv4 peers to the guest as ::ffff:a.b.c.d. */
static int
flags_of(uint8_t proto, const struct sockaddr *host)
{
	return (proto == IPPROTO_UDP ? SLIRP_HOSTFWD_UDP : 0) |
	    (host->sa_family == AF_INET6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

/* The lowest number that is free, and so the one that the next descriptor gets (open(2)). -1 with
 * errno set if there is none. */
static int
next_fd(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd != -1)
		close(fd);
	/* cppcheck-suppress deallocret ; it is the number that is wanted */
	return fd;
}

static struct flow_key
end_of(const struct sockaddr *guest)
{
	const struct sockaddr_in6 *in6 = (const void *)guest;
	const struct sockaddr_in *in = (const void *)guest;

	if (guest->sa_family == AF_INET6)
		return flow_key_udp(WIRE_TYPE_IP6, in6->sin6_addr.s6_addr,
		    ntohs(in6->sin6_port), 0);
	return flow_key_udp(WIRE_TYPE_IP4, (const uint8_t *)&in->sin_addr,
	    ntohs(in->sin_port), 0);
}

/* What libslirp leaves to be desired in the socket of a port, which it tells nobody. */
static void
tune_port(struct stack *stack, uint8_t proto, int fd, const struct sockaddr *host,
    const struct sockaddr *guest, bool is_inner)
{
	const struct flow_key end = end_of(guest);
	const int no = 0;
	union address bound;
	socklen_t len = sizeof(bound);

	/* Were it another descriptor, which no libslirp so far has made of it, the port
	 * would work all the same. */
	if (getsockname(fd, &bound.any, &len) == -1 || len != address_len(host) ||
	    memcmp(&bound, host, len) != 0)
		return;
	if (proto == IPPROTO_TCP) {
		/* libslirp asks for 1. listen(2) on a socket that listens changes it. */
		listen(fd, STACK_LISTEN_BACKLOG);
		return;
	}
	udp_flows_add(&stack->udp, fd, &end, is_inner ? UDP_INNER : UDP_PORT);
	/* socket(7): with it, which libslirp sets after its own bind, any other user's
	 * socket that sets it too could be bound to the same port, and get what comes. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no));
	stack_never_wait_for(fd);
	stack_keep_groups_off_the_host(stack, fd);
}

int
stack_port_open(struct stack *stack, uint8_t proto, const struct sockaddr *host,
    const struct sockaddr *guest, bool is_inner)
{
	int fd = next_fd();
	int outcome;

	if (fd == -1)
		return -1;
	stack->opening_port = true;
	outcome = slirp_add_hostxfwd(stack->slirp, host, address_len(host), guest,
	    address_len(guest), flags_of(proto, host));
	stack->opening_port = false;
	if (outcome == -1)
		return -1;
	tune_port(stack, proto, fd, host, guest, is_inner);
	return 0;
}

void
stack_port_close(struct stack *stack, uint8_t proto, const struct sockaddr *host)
{
	/* Fails for ports that are not there, and then they are not there. */
	slirp_remove_hostxfwd(stack->slirp, host, address_len(host),
	    flags_of(proto, host));
}
