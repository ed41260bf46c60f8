/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a guest may ask. */
#include "resolver/dns/limits.h"

#include <string.h>

#include "base/siphash.h"

static void
forget_names(struct dns_limits *limits)
{
	limits->n_names = 0;
	memset(limits->n_of_wildcard, 0, sizeof(limits->n_of_wildcard));
	memset(limits->slots, 0, sizeof(limits->slots));
}

void
dns_limits_init(struct dns_limits *limits, const uint64_t secret[2])
{
	limits->queries = (struct ratelimit){
		.burst = DNS_QUERIES_BURST,
		.interval_ms = DNS_QUERIES_INTERVAL_MS,
	};
	memcpy(limits->secret, secret, sizeof(limits->secret));
}

bool
dns_limits_allow_query(struct dns_limits *limits, uint64_t now_ms)
{
	return ratelimit_allow(&limits->queries, now_ms);
}

/* A name counts once for each wildcard. The hash is never 0. */
static uint64_t
hash_of(const struct dns_limits *limits, uint16_t wildcard, const char *name, size_t len)
{
	struct siphash hash;
	uint64_t result;

	siphash_begin(&hash, limits->secret);
	siphash_add(&hash, &wildcard, sizeof(wildcard));
	siphash_add(&hash, name, len);
	result = siphash_end(&hash);
	return result != 0 ? result : 1;
}

bool
dns_limits_allow_name(struct dns_limits *limits, uint16_t wildcard, const char *name,
    size_t len, uint64_t now_ms)
{
	uint64_t hash = hash_of(limits, wildcard, name, len);
	size_t slot = hash % DNS_NAME_SLOTS;

	if (now_ms >= limits->period_end_ms) {
		if (limits->n_names > 0)
			forget_names(limits);
		limits->period_end_ms = now_ms + DNS_NAMES_PERIOD_MS;
	}
	for (; limits->slots[slot] != 0; slot = (slot + 1) % DNS_NAME_SLOTS) {
		if (limits->slots[slot] == hash)
			return true;
	}
	if (limits->n_of_wildcard[wildcard] >= DNS_NAMES_PER_WILDCARD ||
	    limits->n_names >= DNS_NAMES_MAX)
		return false;
	limits->slots[slot] = hash;
	limits->n_of_wildcard[wildcard]++;
	limits->n_names++;
	return true;
}
