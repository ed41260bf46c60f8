/* SPDX-License-Identifier: BSD-2-Clause */
/* The classes of an address: IANA's registries (RFC 6890), and what a policy adds. */
#pragma once

#include "model/policy/policy.h"

/* A host with many containers has an address for each of their bridges. */
#define POLICY_HOST_ADDRS_MAX 1024

/* The facts that decide the classes host, gateway and nameserver. Class gateway has all addresses
 * of the guest's network but the name server's, because all lead to the host's loopback. */
struct policy_place {
	in_addr_t network_be;
	in_addr_t netmask_be;
	struct in6_addr prefix6; /* of a /64 */
	struct inaddr nameserver[2];
	bool has_nameserver[2]; /* by is_ipv6 */
	uint32_t n_host;
	struct inaddr
	    host[POLICY_HOST_ADDRS_MAX]; /* ascending, by policy_place_set_host() */
};

/* Replaces the addresses of the host by these n, at most POLICY_HOST_ADDRS_MAX, in any order. */
void policy_place_set_host(struct policy_place *place, const struct inaddr *addrs,
    uint32_t n);

/* Returns a set of 1 << enum ipc_policy_class, which always has `any`. */
uint32_t policy_classify(const struct policy_place *place, const struct inaddr *addr);

/* Whether a name may lead to an address of these classes: to the internet, and to class private if
 * the rule has the option. So nobody who owns a name can lead the guest into the host's networks
 * (DNS rebinding). */
bool policy_name_may_lead_to(uint32_t classes, bool may_be_private);

/* Whether an address of IPv6 has one of IPv4 inside to which routers translate: NAT64 (RFC 6052)
 * or 6to4 (RFC 3056). */
bool policy_embedded4(const struct inaddr *addr, struct inaddr *inside);
