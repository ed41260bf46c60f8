/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts addresses out of answers that a name must not lead to: so nobody who owns a name can
 * lead the guest into the host's networks (DNS rebinding). */
#pragma once

#include "resolver/dns/answer.h"

enum dns_addr_kind {
	DNS_ADDR_INTERNET,
	DNS_ADDR_PRIVATE, /* only for names of rules with the option `private` */
	/* Loopback, link-local, metadata, the host, the gateway, and all else: for no name. */
	DNS_ADDR_NEVER,
};

/* The host's own addresses come and go, so that context changes in time. */
struct dns_filter {
	enum dns_addr_kind (*kind)(const void *context, const struct inaddr *addr);
	const void *context;
	bool may_be_private;
};

/*
 * Whether the address may stay. An IPv6 address that stands for an IPv4 address is judged by the
 * latter: IPv4-mapped, NAT64 (RFC 6052, the well-known prefix) and 6to4 (RFC 3056).
 */
bool dns_filter_keeps(const struct dns_filter *filter, const struct inaddr *addr);

/*
 * Cuts the addresses that may not stay, also out of the hints of SVCB and HTTPS records. Returns
 * their number. If records are left of a type with addresses, the guest gets the rest; if none
 * is left, the answer is that of a denied name.
 */
uint32_t dns_filter_answer(const struct dns_filter *filter, struct dns_answer *answer);
