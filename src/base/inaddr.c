/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts addresses of either family between text, sockets and struct inaddr. */
#include "base/inaddr.h"

#include <arpa/inet.h>

bool
inaddr_parse(const char *text, struct inaddr *addr)
{
	struct in6_addr addr6;
	in_addr_t addr_be;

	if (inet_pton(AF_INET, text, &addr_be) == 1)
		*addr = inaddr_from4(addr_be);
	else if (inet_pton(AF_INET6, text, &addr6) == 1)
		*addr = inaddr_from6(&addr6);
	else
		return false;
	return true;
}

const char *
inaddr_format(const struct inaddr *addr, char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(addr->is_ipv6 ? AF_INET6 : AF_INET, addr->bytes, buf,
	    INET6_ADDRSTRLEN);
}

bool
inaddr_from_sockaddr(struct inaddr *addr, const struct sockaddr *sockaddr)
{
	*addr = (struct inaddr){ 0 };
	if (sockaddr->sa_family == AF_INET)
		*addr = inaddr_from4(((const struct sockaddr_in *)(const void *)sockaddr)
					 ->sin_addr.s_addr);
	else if (sockaddr->sa_family == AF_INET6)
		*addr = inaddr_from6(
		    &((const struct sockaddr_in6 *)(const void *)sockaddr)->sin6_addr);
	else
		return false;
	return true;
}

void
inaddr_clear_after(struct inaddr *addr, unsigned int n_bits)
{
	for (unsigned int i = n_bits / 8; i < sizeof(addr->bytes); i++) {
		unsigned int n_kept = i == n_bits / 8 ? n_bits % 8 : 0;

		addr->bytes[i] &= (uint8_t)(0xff00 >> n_kept);
	}
}

union inaddr_sock
inaddr_sock_make(const struct inaddr *addr, uint16_t port)
{
	union inaddr_sock sock = { 0 };

	if (addr->is_ipv6) {
		sock.in6.sin6_family = AF_INET6;
		sock.in6.sin6_port = htons(port);
		memcpy(&sock.in6.sin6_addr, addr->bytes, sizeof(sock.in6.sin6_addr));
	} else {
		sock.in.sin_family = AF_INET;
		sock.in.sin_port = htons(port);
		sock.in.sin_addr.s_addr = inaddr_to4(addr);
	}
	return sock;
}

bool
inaddr_sock_is_equal(const union inaddr_sock *a, const union inaddr_sock *b)
{
	struct inaddr addr_a, addr_b;

	return inaddr_from_sockaddr(&addr_a, &a->any) &&
	    inaddr_from_sockaddr(&addr_b, &b->any) && inaddr_is_equal(&addr_a, &addr_b) &&
	    inaddr_sock_port(a) == inaddr_sock_port(b) &&
	    (!addr_a.is_ipv6 || a->in6.sin6_scope_id == b->in6.sin6_scope_id);
}
