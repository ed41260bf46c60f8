/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the kernel's routing socket (rtnetlink(7)) for --configure. Each waits for
 * its acknowledgement. Holds one socket in the guest's network namespace. */
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
	RTNL_REPLY_GARBAGE, /* the lengths contradict each other */
};

/* Looks for the acknowledgement of `sequence` in a datagram of the kernel. Pure. */
enum rtnl_reply rtnl_parse_reply(const void *datagram, size_t len, uint32_t sequence,
    int *error);

/* Each function returns 0, or -1 with errno set to the kernel's error. */

int rtnl_open(struct rtnl *rtnl);
void rtnl_close(struct rtnl *rtnl);

int rtnl_link_set_up(struct rtnl *rtnl, unsigned int ifindex);
int rtnl_link_set_mtu(struct rtnl *rtnl, unsigned int ifindex, uint32_t mtu_bytes);
int rtnl_link_set_mac(struct rtnl *rtnl, unsigned int ifindex, const uint8_t mac[6]);

/* Stops the kernel from making IPv6 addresses on this interface: they would go through
 * duplicate address detection. */
int rtnl_link_stop_autoconf6(struct rtnl *rtnl, unsigned int ifindex);

/* Adds the address, or changes its prefix. An IPv4 address also gets its broadcast
 * address. */
int rtnl_addr4_set(struct rtnl *rtnl, unsigned int ifindex, in_addr_t addr_be,
    unsigned int prefix_len);

/* Adds the address, valid at once: without duplicate address detection (RFC 4862
 * section 5.4, IFA_F_NODAD). */
int rtnl_addr6_set(struct rtnl *rtnl, unsigned int ifindex, const struct in6_addr *addr,
    unsigned int prefix_len);

/* Sets the default route; gateway has addr_len bytes, 4 or 16, in network order. */
int rtnl_default_route_set(struct rtnl *rtnl, unsigned int ifindex, const void *gateway,
    size_t addr_len);
