#include "slirp-worker/stack.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "slirp-worker/address.h"
#include "slirp-worker/stack_state.h"

/* An IPv6 port takes IPv6 alone, whatever net.ipv6.bindv6only says: libslirp would hand
 * IPv4 peers to the guest as ::ffff:a.b.c.d. */
static int
flags_of(uint8_t proto, const struct sockaddr *host)
{
	return (proto == IPPROTO_UDP ? SLIRP_HOSTFWD_UDP : 0) |
	    (host->sa_family == AF_INET6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

/* What libslirp leaves to be desired in the socket of a port, which it tells nobody. */
static void
tune_port(const struct stack *stack, uint8_t proto, int fd, const struct sockaddr *host)
{
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
	/* socket(7): with it, which libslirp sets after its own bind, any other user's
	 * socket that sets it too could be bound to the same port, and get what comes. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no));
	stack_never_wait_for(fd);
	stack_keep_groups_off_the_host(stack, fd);
}

int
stack_port_open(struct stack *stack, uint8_t proto, const struct sockaddr *host,
    const struct sockaddr *guest)
{
	int fd = stack_next_fd(0);
	int outcome;

	if (fd == -1)
		return -1;
	stack->opening_port = true;
	outcome = slirp_add_hostxfwd(stack->slirp, host, address_len(host), guest,
	    address_len(guest), flags_of(proto, host));
	stack->opening_port = false;
	if (outcome == -1)
		return -1;
	tune_port(stack, proto, fd, host);
	return 0;
}

void
stack_port_close(struct stack *stack, uint8_t proto, const struct sockaddr *host)
{
	/* Fails for ports that are not there, and then they are not there. */
	slirp_remove_hostxfwd(stack->slirp, host, address_len(host),
	    flags_of(proto, host));
}
