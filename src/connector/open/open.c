/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes sockets: TCP of flows and of forwards, and UDP to name servers. */
#include "connector/open/open.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/auto.h"

void
open_set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

/* A socket with the options that all sockets of the guest's connections have; -1 with errno
 * set. */
static int
make_tcp(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	open_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	/* Urgent data stays in line (RFC 6093). */
	open_set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	return fd;
}

int
open_bind_outbound(int fd, const struct ipc_outbound *outbound, bool is_ipv6)
{
	union inaddr_sock source;

	if (!outbound->has_addr[is_ipv6])
		return 0;
	source = inaddr_sock_make(&outbound->addr[is_ipv6], 0);
	/* ip(7): one of 28,000 ports for each destination, not for all together. */
	open_set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

void
open_report_errors(int fd, bool is_ipv6)
{
	if (is_ipv6)
		open_set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	else
		open_set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
}

int
open_tcp(const union inaddr_sock *to, const struct ipc_outbound *outbound)
{
	autofd int fd = make_tcp(to->any.sa_family);

	if (fd == -1)
		return -1;
	if (open_bind_outbound(fd, outbound, to->any.sa_family == AF_INET6) == -1)
		return -1;
	if (connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1 &&
	    errno != EINPROGRESS)
		return -1;
	return take_fd(&fd);
}

int
open_dns(const union inaddr_sock *to, const struct ipc_outbound *outbound)
{
	autofd int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* connect(2) chooses a port at random (net/ipv4/udp.c, udp_lib_get_port). */
	if (fd == -1 ||
	    open_bind_outbound(fd, outbound, to->any.sa_family == AF_INET6) == -1 ||
	    connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1)
		return -1;
	return take_fd(&fd);
}

int
open_listening_tcp(const struct inaddr *addr, uint16_t port)
{
	const union inaddr_sock host = inaddr_sock_make(addr, port);
	autofd int fd = make_tcp(host.any.sa_family);

	if (fd == -1)
		return -1;
	/* IPv4 peers have forwards of their own, whatever net.ipv6.bindv6only is. */
	if (addr->is_ipv6)
		open_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* Without it, tcp(7) keeps a port for a minute after its connections, and the port
	 * of a listener that is being closed until the worker has closed it too. */
	open_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, &host.any, inaddr_sock_len(&host.any)) == -1 ||
	    listen(fd, OPEN_BACKLOG) == -1)
		return -1;
	return take_fd(&fd);
}

void
open_make_useless(int fd, uint8_t proto, const struct inaddr *addr, uint16_t port)
{
	const struct inaddr itself =
	    inaddr_is_unspecified(addr) ? inaddr_loopback(addr->is_ipv6) : *addr;
	const union inaddr_sock own = inaddr_sock_make(&itself, port);

	/* tcp(7) does not say it: a listening socket is closed, and its peers are reset
	 * (net/ipv4/af_inet.c, inet_shutdown). udp(7): a connected socket receives only from
	 * its peer, which is this socket itself. */
	if (proto == IPPROTO_TCP)
		shutdown(fd, SHUT_RD);
	else
		(void)connect(fd, &own.any, inaddr_sock_len(&own.any));
}

static void
end_tcp(int fd, bool is_reset)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct linger linger = { 0 };
	socklen_t len = sizeof(linger);

	/* Cannot fail on a socket. */
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	/* connect(2): dissolves the association; the peer gets a reset, and the worker's next read
	 * fails with ECONNRESET (net/ipv4/tcp.c, tcp_disconnect). */
	if (is_reset || linger.l_onoff)
		(void)connect(fd, &none, sizeof(none));
	else
		shutdown(fd, SHUT_RDWR);
}

static void
end_udp(int fd)
{
	union inaddr_sock own;
	socklen_t len = sizeof(own);

	/* A send fails with EPIPE from now on (net/core/sock.c, sock_alloc_send_pskb). For poll(2) the
	 * socket stays open: the worker must not wake up for it again and again. */
	shutdown(fd, SHUT_WR);
	/* udp(7): a connected socket receives from its peer alone, which is the socket itself. */
	if (getsockname(fd, &own.any, &len) == 0)
		(void)connect(fd, &own.any, len);
}

void
open_end(int fd, uint8_t proto, bool is_reset)
{
	if (proto == IPPROTO_TCP)
		end_tcp(fd, is_reset);
	else if (proto == IPPROTO_UDP)
		end_udp(fd);
	else /* A ping socket gets nothing but answers. */
		shutdown(fd, SHUT_WR);
}
