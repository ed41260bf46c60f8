/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts addresses out of answers that a name must not lead to: so nobody who owns a name can
 * lead the guest into the host's networks (DNS rebinding). */
#pragma once

#include "model/policy/class.h"
#include "resolver/dns/answer.h"

struct dns_filter {
	const struct policy_place *place; /* the host's addresses in it come and go */
	bool may_be_private;              /* the rule has the option `private` */
};

/* Whether the address may stay. An IPv6 address with an IPv4 address inside has the classes of the
 * latter; an IPv4-mapped one is for no name. */
bool dns_filter_keeps(const struct dns_filter *filter, const struct inaddr *addr);

/*
 * Cuts the addresses that may not stay, also out of the hints of SVCB and HTTPS records. Returns
 * their number. Hints beyond DNS_RECORDS_MAX of an answer are cut too. If records are left of a type with addresses, the guest gets the rest; if none
 * is left, the answer is that of a denied name.
 */
uint32_t dns_filter_answer(const struct dns_filter *filter, struct dns_answer *answer);

/* The addresses in a filtered answer, of its records or in their hints. Returns their number. */
size_t dns_filter_addrs(const struct dns_answer *answer,
    struct inaddr addrs[DNS_RECORDS_MAX]);
