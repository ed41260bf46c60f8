/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few requests to the kernel's routing socket that --configure needs
 * (rtnetlink(7)), each sent, and its acknowledgement awaited. Holds one socket in the
 * guest's network namespace.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct rtnl {
	int fd;            /* owned */
	uint32_t sequence; /* of the last request */
};

enum rtnl_reply {
	RTNL_REPLY_ACK,     /* *error is 0 or the errno of the request */
	RTNL_REPLY_OTHER,   /* well formed, but not the answer to this request */
	RTNL_REPLY_GARBAGE, /* lengths don't add up */
};

/* Looks for the acknowledgement of `sequence` in a datagram of the kernel's; pure. */
enum rtnl_reply rtnl_parse_reply(const void *datagram, size_t len, uint32_t sequence,
    int *error);

/* All of these return 0, or -1 with errno set to what the kernel said. */

int rtnl_open(struct rtnl *rtnl);
void rtnl_close(struct rtnl *rtnl);

int rtnl_link_set_up(struct rtnl *rtnl, unsigned int ifindex);
int rtnl_link_set_mtu(struct rtnl *rtnl, unsigned int ifindex, uint32_t mtu_bytes);
int rtnl_link_set_mac(struct rtnl *rtnl, unsigned int ifindex, const uint8_t mac[6]);

/* From now on the kernel makes no IPv6 address of its own on this interface, so that
 * none goes through duplicate address detection. */
int rtnl_link_stop_autoconf6(struct rtnl *rtnl, unsigned int ifindex);

/* Adds the address, or changes its prefix. IPv4 also gets its broadcast address. */
int rtnl_addr4_set(struct rtnl *rtnl, unsigned int ifindex, in_addr_t addr_be,
    unsigned int prefix_len);

/* Adds the address, valid at once: without duplicate address detection (RFC 4862
 * section 5.4, IFA_F_NODAD). */
int rtnl_addr6_set(struct rtnl *rtnl, unsigned int ifindex, const struct in6_addr *addr,
    unsigned int prefix_len);

/* Sets the default route; gateway has addr_len bytes, 4 or 16, in network order. */
int rtnl_default_route_set(struct rtnl *rtnl, unsigned int ifindex, const void *gateway,
    size_t addr_len);
