/* SPDX-License-Identifier: BSD-2-Clause */
/* The address of a socket, of either family. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static inline socklen_t
address_len(const struct sockaddr *addr)
{
	return addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);
}

/* bytes has only the address, 16 or 4 bytes; port is in host byte order. */
static inline union address
address_make(bool is_ipv6, const uint8_t *bytes, uint16_t port)
{
	union address addr = { 0 };

	if (is_ipv6) {
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
		memcpy(&addr.in6.sin6_addr, bytes, sizeof(addr.in6.sin6_addr));
	} else {
		addr.in.sin_family = AF_INET;
		addr.in.sin_port = htons(port);
		memcpy(&addr.in.sin_addr, bytes, sizeof(addr.in.sin_addr));
	}
	return addr;
}

/* In host byte order. */
static inline uint16_t
address_port(const union address *addr)
{
	return ntohs(
	    addr->any.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port);
}

/* Both come from address_make(), or from the kernel (IPv6: without a scope). */
static inline bool
address_is_equal(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		    a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		    memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
			sizeof(a->in6.sin6_addr)) == 0;
	return a->in.sin_port == b->in.sin_port &&
	    a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}
