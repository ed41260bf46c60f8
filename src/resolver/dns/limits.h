/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much a guest may ask. A query for a name below a wildcard reaches whoever owns the zone, so
 * that its labels can carry data out. The limits keep such a tunnel slow and noticed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ratelimit.h"

/* Different names below a wildcard in an hour. A browser meets some dozens. */
#define DNS_NAMES_PER_WILDCARD 500

/* Different names below all wildcards in an hour: enough for 65 that are at their limit. */
#define DNS_NAMES_MAX 32768

#define DNS_NAMES_PERIOD_MS UINT64_C(3600000)

/* Queries for name servers: a page asks for some dozens of names at once, and a crawler for some
 * each second. */
#define DNS_QUERIES_BURST 200
#define DNS_QUERIES_INTERVAL_MS 20

/* Wildcards are numbers of patterns in a policy. */
#define DNS_WILDCARDS_MAX 4096

/* Twice as many, so that searches are short. */
#define DNS_NAME_SLOTS 65536

struct dns_limits {
	struct ratelimit queries;
	uint64_t secret[2];
	uint64_t period_end_ms; /* of all wildcards; 0: no name yet */
	uint32_t n_names;
	uint16_t n_of_wildcard[DNS_WILDCARDS_MAX];
	uint64_t slots[DNS_NAME_SLOTS]; /* hashes; 0: not in use */
};

/* The rest of *limits is zeros: most of its pages are not touched before names come. secret is
 * random: a guest that knew it could find names that are taken for each other. */
void dns_limits_init(struct dns_limits *limits, const uint64_t secret[2]);

/* Whether a query may go to a name server now. Counts it. */
bool dns_limits_allow_query(struct dns_limits *limits, uint64_t now_ms);

/*
 * Whether a canonical name may be asked for that a wildcard alone allows. A name that was allowed
 * stays so until the hour is over. The hour begins with the first name, for all wildcards.
 */
bool dns_limits_allow_name(struct dns_limits *limits, uint16_t wildcard, const char *name,
    size_t len, uint64_t now_ms);
