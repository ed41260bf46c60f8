/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of name servers, kept until their time is over. A full cache forgets the oldest. Times
 * are milliseconds of CLOCK_MONOTONIC.
 *
 * Answers are kept as they came: the filter (resolver/dns/filter.h) judges them anew each time,
 * since the host's addresses change.
 */
#pragma once

#include "resolver/dns/answer.h"

/* The names that a container asks for are some hundreds. */
#define DNS_CACHE_SIZE 4096

/* An answer with 32 IPv6 addresses and a chain has less. A larger one is not kept. */
#define DNS_CACHE_BYTES_MAX 1024

/* How long a question that no server answers is not asked again (RFC 9520 3.2: at least 1 s). */
#define DNS_CACHE_FAILURE_MS 5000

/* Chains have two entries if the cache is full. */
#define DNS_CACHE_N_BUCKETS 2048

struct dns_cache_entry {
	uint64_t stored_ms;
	uint64_t expires_ms;
	uint16_t next; /* of the bucket: number + 1; 0: none */
	uint16_t len;  /* 0: not in use */
	uint16_t key_len;
	uint8_t is_failure;
	uint8_t bytes[DNS_CACHE_BYTES_MAX]; /* the key, then the answer */
};

/* Some 4 MiB, of which pages are memory when they are first used. */
struct dns_cache {
	uint64_t secret[2]; /* so that a guest cannot fill one bucket */
	uint16_t oldest;    /* the entry that is taken next */
	uint16_t buckets[DNS_CACHE_N_BUCKETS];
	struct dns_cache_entry entries[DNS_CACHE_SIZE];
};

enum dns_cache_outcome {
	DNS_CACHE_MISSED,
	DNS_CACHE_HIT,
	DNS_CACHE_FAILED, /* no server has answered a moment ago */
};

/* secret is random. */
void dns_cache_init(struct dns_cache *cache, const uint64_t secret[2]);

/* Keeps the answer for the lowest TTL in it. An answer with a TTL of 0, or of which no TTL is
 * known, is not kept. */
void dns_cache_put(struct dns_cache *cache, const struct dns_answer *answer,
    uint64_t now_ms);

/* Keeps that no server answers the question. */
void dns_cache_put_failure(struct dns_cache *cache, const char *name, uint16_t type,
    uint64_t now_ms);

/* Looks for the answer to a question. If it is there, *answer has the TTLs that are left. */
enum dns_cache_outcome dns_cache_get(const struct dns_cache *cache, const char *name,
    uint16_t type, uint64_t now_ms, struct dns_answer *answer);

/* Forgets all: the name servers or the policy are others. */
void dns_cache_flush(struct dns_cache *cache);
