/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds DNS messages for tests, record by record, also malformed ones. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "resolver/dns/answer.h"

/* Offsets of the counts in the header. */
enum section { QUESTIONS = 4, ANSWERS = 6, AUTHORITIES = 8, ADDITIONAL = 10 };

#define RESPONSE_FLAGS (DNS_RESPONSE | DNS_RECURSION_DESIRED | DNS_RECURSION_AVAILABLE)

static uint8_t message_bytes[UINT16_MAX];
static struct dns_writer message;

static inline void
begin(uint16_t id, uint16_t flags)
{
	message = (struct dns_writer){
		.bytes = message_bytes,
		.size = sizeof(message_bytes),
	};
	memset(message_bytes, 0, DNS_HEADER_LEN);
	dns_write16(&message, id);
	dns_write16(&message, flags);
	message.len = DNS_HEADER_LEN;
}

static inline void
count(enum section section)
{
	store_be16(message_bytes + section,
	    (uint16_t)(load_be16(message_bytes + section) + 1));
}

static inline void
question(const char *name, uint16_t type, uint16_t class)
{
	dns_write_name(&message, name);
	dns_write16(&message, type);
	dns_write16(&message, class);
	count(QUESTIONS);
}

/* The head of an answer of a name server. */
static inline void
begin_answer(const struct dns_ask *ask, uint16_t flags)
{
	begin(load_be16(ask->bytes), flags);
	dns_write_bytes(&message, ask->bytes + DNS_HEADER_LEN,
	    ask->question_end - DNS_HEADER_LEN);
	count(QUESTIONS);
}

static inline void
record(enum section section, const char *owner, uint16_t type, uint32_t ttl_s,
    const void *data, size_t len)
{
	dns_write_name(&message, owner);
	dns_write16(&message, type);
	dns_write16(&message, DNS_CLASS_IN);
	dns_write32(&message, ttl_s);
	dns_write16(&message, (uint16_t)len);
	dns_write_bytes(&message, data, len);
	count(section);
}

static inline void
record_name(enum section section, const char *owner, uint16_t type, uint32_t ttl_s,
    const char *name)
{
	uint8_t bytes[DNS_WIRE_NAME_MAX];
	struct dns_writer data = { .bytes = bytes, .size = sizeof(bytes) };

	dns_write_name(&data, name);
	record(section, owner, type, ttl_s, bytes, data.len);
}

static inline void
record_addr(enum section section, const char *owner, uint32_t ttl_s, const char *text)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	record(section, owner, addr.is_ipv6 ? DNS_AAAA : DNS_A, ttl_s, addr.bytes,
	    addr.is_ipv6 ? 16 : 4);
}

static inline void
record_soa(const char *zone, uint32_t ttl_s, uint32_t minimum_s)
{
	uint8_t data[22] = { 0 };

	store_be32(data + 18, minimum_s);
	record(AUTHORITIES, zone, DNS_SOA, ttl_s, data, sizeof(data));
}

/* The message in a block of its own size, so that a sanitizer sees every byte too far. */
static inline uint8_t *
message_copy(void)
{
	uint8_t *exact = malloc(message.len);

	assert_false(message.is_full);
	assert_non_null(exact);
	memcpy(exact, message_bytes, message.len);
	return exact;
}

static inline void
expect_addr(const struct dns_answer *answer, unsigned int i, const char *text)
{
	const struct inaddr addr = dns_answer_addr(answer, i);
	char buf[INET6_ADDRSTRLEN];

	assert_in_range(i, 0, answer->n_records - 1);
	assert_string_equal(inaddr_format(&addr, buf), text);
}
