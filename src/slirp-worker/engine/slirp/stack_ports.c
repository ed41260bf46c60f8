/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes libslirp's ports on the host. */
#include "slirp-worker/engine/slirp/stack.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/inaddr.h"
#include "slirp-worker/engine/slirp/stack_state.h"
#include "slirp-worker/wire/wire.h"

/* An IPv6 port accepts only IPv6, whatever net.ipv6.bindv6only is: libslirp would show
 * IPv4 peers to the guest as ::ffff:a.b.c.d. */
static int
flags_of(const struct sockaddr *host)
{
	return SLIRP_HOSTFWD_UDP |
	    (host->sa_family == AF_INET6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

/* The lowest free descriptor, which the next open(2) returns; -1 with errno set. */
static int
next_fd(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd != -1)
		close(fd);
	/* cppcheck-suppress deallocret ; only the descriptor's number is needed */
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

/* Sets options that libslirp does not set; libslirp does not report a port's socket. */
static void
tune_port(struct stack *stack, int fd, const struct sockaddr *host,
    const struct sockaddr *guest, bool is_inner)
{
	const struct flow_key end = end_of(guest);
	const int no = 0;
	union inaddr_sock bound;
	socklen_t len = sizeof(bound);

	/* If fd is not the port's socket, the port works without the options. */
	if (getsockname(fd, &bound.any, &len) == -1 || len != inaddr_sock_len(host) ||
	    memcmp(&bound, host, len) != 0)
		return;
	udp_flows_add(&stack->udp, fd, &end, is_inner ? UDP_INNER : UDP_PORT);
	/* socket(7): libslirp sets it after its own bind(2). With it, another user's
	 * socket could bind the same port and receive its datagrams. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no));
	stack_never_wait_for(fd);
	stack_keep_groups_off_the_host(stack, fd);
}

int
stack_port_open(struct stack *stack, const struct sockaddr *host,
    const struct sockaddr *guest, bool is_inner)
{
	int fd = next_fd();
	int outcome;

	if (fd == -1)
		return -1;
	stack->opening_port = true;
	outcome = slirp_add_hostxfwd(stack->slirp, host, inaddr_sock_len(host), guest,
	    inaddr_sock_len(guest), flags_of(host));
	stack->opening_port = false;
	if (outcome == -1)
		return -1;
	tune_port(stack, fd, host, guest, is_inner);
	return 0;
}

void
stack_port_close(struct stack *stack, const struct sockaddr *host)
{
	/* It fails only if the port is not open. */
	slirp_remove_hostxfwd(stack->slirp, host, inaddr_sock_len(host), flags_of(host));
}
