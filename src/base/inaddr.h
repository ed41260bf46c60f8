/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An address of either family, and an address with a port as sockets take it. A value
 * that can have one family only is an in_addr_t in network byte order (`_be` in its name)
 * or a struct in6_addr, with inet_pton(3) and inet_ntop(3).
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* Equal addresses have equal bytes. Messages contain it: no padding, and a flag that a
 * receiver can check. IPv4 is not stored as ::ffff:a.b.c.d, because a user may give this
 * IPv6 address, and reads it again in lists. */
struct inaddr {
	uint8_t bytes[16]; /* network order; IPv4 in the first four, then zeros */
	uint8_t is_ipv6;   /* 0 or 1 */
};

union inaddr_sock {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Parses dotted decimal (four parts, no leading zeros) or RFC 4291 section 2.2 (no zone
 * "%eth0"), the whole string. Leaves *addr unchanged on failure. */
bool inaddr_parse(const char *text, struct inaddr *addr);

/* Returns buf. */
const char *inaddr_format(const struct inaddr *addr, char buf[INET6_ADDRSTRLEN]);

/* False and zeros if the socket's address has another family. Drops the scope. */
bool inaddr_from_sockaddr(struct inaddr *addr, const struct sockaddr *sockaddr);

/* Clears all bits after the first n_bits. */
void inaddr_clear_after(struct inaddr *addr, unsigned int n_bits);

/* port is in host byte order. */
union inaddr_sock inaddr_sock_make(const struct inaddr *addr, uint16_t port);

/* Both come from inaddr_sock_make(), or from the kernel. Compares address, port, scope. */
bool inaddr_sock_is_equal(const union inaddr_sock *a, const union inaddr_sock *b);

static inline struct inaddr
inaddr_from4(in_addr_t addr_be)
{
	struct inaddr addr = { 0 };

	memcpy(addr.bytes, &addr_be, sizeof(addr_be));
	return addr;
}

static inline struct inaddr
inaddr_from6(const struct in6_addr *addr6)
{
	struct inaddr addr = { .is_ipv6 = 1 };

	memcpy(addr.bytes, addr6, sizeof(*addr6));
	return addr;
}

/* bytes are 4 of IPv4 or 16 of IPv6, in network order. */
static inline struct inaddr
inaddr_from_bytes(const uint8_t *bytes, bool is_ipv6)
{
	struct inaddr addr = { .is_ipv6 = is_ipv6 };

	memcpy(addr.bytes, bytes,
	    is_ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr));
	return addr;
}

/* addr is of IPv4. */
static inline in_addr_t
inaddr_to4(const struct inaddr *addr)
{
	in_addr_t addr_be;

	memcpy(&addr_be, addr->bytes, sizeof(addr_be));
	return addr_be;
}

/* 32 or 128. */
static inline unsigned int
inaddr_n_bits(const struct inaddr *addr)
{
	return addr->is_ipv6 ? 128 : 32;
}

/* 127.0.0.1 or ::1. */
static inline struct inaddr
inaddr_loopback(bool is_ipv6)
{
	return is_ipv6 ? inaddr_from6(&in6addr_loopback)
		       : inaddr_from4(htonl(INADDR_LOOPBACK));
}

static inline bool
inaddr_is_equal(const struct inaddr *a, const struct inaddr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* 0.0.0.0 or ::. */
static inline bool
inaddr_is_unspecified(const struct inaddr *addr)
{
	const struct inaddr any = { .is_ipv6 = addr->is_ipv6 };

	return inaddr_is_equal(addr, &any);
}

static inline bool
inaddr_is_multicast(const struct inaddr *addr)
{
	return addr->is_ipv6 ? addr->bytes[0] == 0xff
			     : IN_MULTICAST(ntohl(inaddr_to4(addr)));
}

/* fe80::/10. */
static inline bool
inaddr_is_link_local6(const struct inaddr *addr)
{
	return addr->is_ipv6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

static inline bool
inaddr_is_broadcast(const struct inaddr *addr)
{
	return !addr->is_ipv6 && inaddr_to4(addr) == INADDR_BROADCAST;
}

/* Whether it is the address of one host, so that the sender of a datagram can be answered. The kernel
 * also delivers datagrams from the unspecified address: a host without an address sends them. */
static inline bool
inaddr_is_of_a_host(const struct inaddr *addr)
{
	return !inaddr_is_unspecified(addr) && !inaddr_is_multicast(addr) &&
	    !inaddr_is_broadcast(addr);
}

static inline socklen_t
inaddr_sock_len(const struct sockaddr *sock)
{
	return sock->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);
}

/* In host byte order. */
static inline uint16_t
inaddr_sock_port(const union inaddr_sock *sock)
{
	return ntohs(
	    sock->any.sa_family == AF_INET6 ? sock->in6.sin6_port : sock->in.sin_port);
}
