/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of name servers, kept until their time is over. */
#include "resolver/dns/cache.h"

#include <string.h>

#include "base/clock.h"
#include "base/siphash.h"

/* The type, and the name with its NUL. */
#define KEY_MAX (sizeof(uint16_t) + DNS_NAME_SIZE)

struct key {
	uint8_t bytes[KEY_MAX];
	uint16_t len;
};

static struct key
make_key(const char *name, uint16_t type)
{
	size_t name_size = strlen(name) + 1;
	struct key key = { .len = (uint16_t)(sizeof(type) + name_size) };

	memcpy(key.bytes, &type, sizeof(type));
	memcpy(key.bytes + sizeof(type), name, name_size);
	return key;
}

static size_t
bucket_of(const struct dns_cache *cache, const void *key, size_t len)
{
	return siphash(cache->secret, key, len) % DNS_CACHE_N_BUCKETS;
}

void
dns_cache_init(struct dns_cache *cache, const uint64_t secret[2])
{
	memcpy(cache->secret, secret, sizeof(cache->secret));
	dns_cache_flush(cache);
}

void
dns_cache_flush(struct dns_cache *cache)
{
	memset(cache->buckets, 0, sizeof(cache->buckets));
	/* Entries come into use one after the other. The pages behind them stay untouched. */
	for (unsigned int i = 0; i < DNS_CACHE_SIZE && cache->entries[i].len != 0; i++)
		cache->entries[i].len = 0;
	cache->oldest = 0;
}

/* The number of the key's entry + 1; 0 if there is none. */
static uint16_t
find(const struct dns_cache *cache, const struct key *key)
{
	uint16_t number = cache->buckets[bucket_of(cache, key->bytes, key->len)];

	while (number != 0) {
		const struct dns_cache_entry *entry = &cache->entries[number - 1];

		if (entry->key_len == key->len &&
		    memcmp(entry->bytes, key->bytes, key->len) == 0)
			break;
		number = entry->next;
	}
	return number;
}

/* Takes the entry out of its bucket. */
static void
unlink_entry(struct dns_cache *cache, uint16_t number)
{
	const struct dns_cache_entry *entry = &cache->entries[number - 1];
	uint16_t *link = &cache->buckets[bucket_of(cache, entry->bytes, entry->key_len)];

	while (*link != number)
		link = &cache->entries[*link - 1].next;
	*link = entry->next;
}

/* Stores the len bytes, of which the key is the first, in the entry of the key or in the oldest
 * one. */
static struct dns_cache_entry *
store(struct dns_cache *cache, const struct key *key, const uint8_t *bytes, size_t len)
{
	uint16_t *bucket = &cache->buckets[bucket_of(cache, key->bytes, key->len)];
	uint16_t number = find(cache, key);
	struct dns_cache_entry *entry;

	if (number == 0) {
		number = cache->oldest + 1;
		cache->oldest = number % DNS_CACHE_SIZE;
		entry = &cache->entries[number - 1];
		if (entry->len != 0)
			unlink_entry(cache, number);
		entry->next = *bucket;
		*bucket = number;
	}
	entry = &cache->entries[number - 1];
	memcpy(entry->bytes, bytes, len);
	entry->len = (uint16_t)len;
	entry->key_len = key->len;
	return entry;
}

static uint32_t
lower_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
life_of(const struct dns_answer *answer)
{
	uint32_t life_s = answer->n_records > 0 ? answer->ttl_s : answer->negative_ttl_s;

	for (unsigned int i = 0; i < answer->n_cnames; i++)
		life_s = lower_of(life_s, answer->cnames[i].ttl_s);
	return life_s;
}

static void
pack(struct dns_writer *writer, const struct dns_answer *answer)
{
	dns_write32(writer, answer->ttl_s);
	dns_write32(writer, answer->negative_ttl_s);
	dns_write8(writer, answer->is_nxdomain);
	dns_write8(writer, answer->n_cnames);
	dns_write8(writer, answer->n_records);
	for (unsigned int i = 0; i < answer->n_cnames; i++) {
		const struct dns_cname *cname = &answer->cnames[i];
		size_t target_len = strlen(cname->target);

		dns_write32(writer, cname->ttl_s);
		dns_write8(writer, (uint8_t)target_len);
		dns_write_bytes(writer, cname->target, target_len);
	}
	for (unsigned int i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];

		dns_write16(writer, record->len);
		dns_write_bytes(writer, answer->data + record->at, record->len);
	}
}

static uint32_t
left_of(uint32_t ttl_s, uint32_t age_s)
{
	return ttl_s > age_s ? ttl_s - age_s : 0;
}

/* The reverse of pack(). *answer is that of dns_answer_init(). */
static void
unpack(struct dns_reader *reader, uint32_t age_s, struct dns_answer *answer)
{
	answer->ttl_s = left_of(dns_read32(reader), age_s);
	answer->negative_ttl_s = left_of(dns_read32(reader), age_s);
	answer->is_nxdomain = dns_read8(reader);
	answer->n_cnames = dns_read8(reader);
	answer->n_records = dns_read8(reader);
	for (unsigned int i = 0; i < answer->n_cnames; i++) {
		struct dns_cname *cname = &answer->cnames[i];
		uint8_t target_len;

		cname->ttl_s = left_of(dns_read32(reader), age_s);
		target_len = dns_read8(reader);
		memcpy(cname->target, dns_read_bytes(reader, target_len), target_len);
	}
	for (unsigned int i = 0; i < answer->n_records; i++) {
		uint16_t len = dns_read16(reader);

		answer->records[i] = (struct dns_record){ answer->data_len, len };
		memcpy(answer->data + answer->data_len, dns_read_bytes(reader, len), len);
		answer->data_len = (uint16_t)(answer->data_len + len);
	}
}

void
dns_cache_put(struct dns_cache *cache, const struct dns_answer *answer, uint64_t now_ms)
{
	const struct key key = make_key(answer->name, answer->type);
	uint8_t bytes[DNS_CACHE_BYTES_MAX];
	struct dns_writer writer = { .bytes = bytes, .size = sizeof(bytes) };
	uint32_t life_s = life_of(answer);
	struct dns_cache_entry *entry;

	dns_write_bytes(&writer, key.bytes, key.len);
	pack(&writer, answer);
	if (writer.is_full || life_s == 0)
		return;
	entry = store(cache, &key, bytes, writer.len);
	entry->is_failure = false;
	entry->stored_ms = now_ms;
	entry->expires_ms = now_ms + (uint64_t)life_s * CLOCK_MS_PER_S;
}

void
dns_cache_put_failure(struct dns_cache *cache, const char *name, uint16_t type,
    uint64_t now_ms)
{
	const struct key key = make_key(name, type);
	struct dns_cache_entry *entry = store(cache, &key, key.bytes, key.len);

	entry->is_failure = true;
	entry->stored_ms = now_ms;
	entry->expires_ms = now_ms + DNS_CACHE_FAILURE_MS;
}

enum dns_cache_outcome
dns_cache_get(const struct dns_cache *cache, const char *name, uint16_t type,
    uint64_t now_ms, struct dns_answer *answer)
{
	const struct key key = make_key(name, type);
	uint16_t number = find(cache, &key);
	const struct dns_cache_entry *entry;
	struct dns_reader reader;
	uint64_t age_ms;

	if (number == 0)
		return DNS_CACHE_MISSED;
	entry = &cache->entries[number - 1];
	if (now_ms >= entry->expires_ms)
		return DNS_CACHE_MISSED;
	if (entry->is_failure)
		return DNS_CACHE_FAILED;
	dns_answer_init(answer, name, type);
	reader = (struct dns_reader){
		.bytes = entry->bytes,
		.len = entry->len,
		.at = entry->key_len,
	};
	/* Rounded up: the guest keeps no answer for longer than the server said. */
	age_ms = now_ms - entry->stored_ms;
	unpack(&reader, (uint32_t)((age_ms + CLOCK_MS_PER_S - 1) / CLOCK_MS_PER_S),
	    answer);
	return DNS_CACHE_HIT;
}
