/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages that are made and changed at random, the same in each run. */
#pragma once

#include "dns_fixture.h"

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64: each run has the same messages. */
static inline uint32_t
random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

/* Changes bytes of the message from `from` on: most keep its form, and few change lengths. */
static inline void
mutate(size_t from)
{
	static const uint8_t odd_bytes[] = { 0, 1, 12, 63, 64, 0x80, 0xc0, 0xff };
	uint32_t n = random_below(4);

	for (uint32_t i = 0; i < n && message.len > from; i++) {
		size_t at = from + random_below((uint32_t)(message.len - from));
		uint8_t *byte = &message_bytes[at];

		switch (random_below(6)) {
		case 0:
			*byte = (uint8_t)random_below(256);
			break;
		case 1:
			*byte = odd_bytes[random_below(sizeof(odd_bytes))];
			break;
		case 2:
			*byte ^= (uint8_t)(1 << random_below(8));
			break;
		case 3:
			*byte = (uint8_t)(*byte + 1);
			break;
		case 4:
			if (random_below(4) == 0)
				message.len = at;
			break;
		case 5:
			message_bytes[5 + 2 * random_below(4)] ^=
			    (uint8_t)random_below(2);
			break;
		}
	}
}

static const uint16_t types[] = { DNS_A, DNS_AAAA, DNS_CNAME, DNS_SRV, DNS_MX, DNS_TXT,
	DNS_PTR, DNS_NS, DNS_SOA, DNS_CAA };

/* The chain of a message leads from one to the next. */
static const char *const names[] = { "www.example.test", "b.test", "c.test", "d.e.test",
	"example.test", "" };
#define N_NAMES (sizeof(names) / sizeof(*names))

/* Writes the name: plain, with a pointer, or in upper case. */
static inline void
write_name(uint32_t i)
{
	static const uint8_t pointers[][2] = { { 0xc0, 12 }, { 0xc0, 16 }, { 0xc0, 24 } };
	size_t at = message.len;

	if (i == 0 && random_below(2) == 0)
		dns_write_bytes(&message, pointers[0], 2);
	else if (i == 4 && random_below(2) == 0)
		dns_write_bytes(&message, pointers[1], 2);
	else if (i == 1 && random_below(2) == 0)
		dns_write_bytes(&message, "\1b\300\30", 4);
	else
		dns_write_name(&message, names[i]);
	for (; random_below(4) == 0 && at < message.len; at++)
		message_bytes[at] ^=
		    message_bytes[at] >= 'a' && message_bytes[at] <= 'z' ? 0x20 : 0;
}

static inline void
random_owner(void)
{
	write_name(random_below(N_NAMES));
}

static inline void
random_data(uint16_t type)
{
	size_t at = message.len;

	dns_write16(&message, 0);
	switch (type) {
	case DNS_A:
		dns_write32(&message, 0xc0000200 + random_below(3));
		break;
	case DNS_AAAA:
		dns_write_bytes(&message, "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0", 15);
		dns_write8(&message, (uint8_t)random_below(3));
		break;
	case DNS_SOA:
		random_owner();
		random_owner();
		dns_write_bytes(&message, "0123456789abcdef\0\0\0\74", 20);
		break;
	case DNS_SRV:
		dns_write32(&message, 7);
		/* fall through */
	case DNS_MX:
		dns_write16(&message, 7);
		random_owner();
		break;
	case DNS_TXT:
		dns_write_bytes(&message, "\3abc\1d", 6);
		break;
	case DNS_CAA:
		dns_write_bytes(&message, "\0\5issueca.test", 14);
		break;
	default:
		random_owner();
	}
	store_be16(message_bytes + at, (uint16_t)(message.len - at - 2));
}

static inline void
begin_record(uint32_t owner, uint16_t type)
{
	write_name(owner);
	dns_write16(&message, type);
	dns_write16(&message, DNS_CLASS_IN);
	dns_write32(&message, random_below(5000));
}

static inline void
random_record(enum section section, uint32_t owner, uint16_t type)
{
	begin_record(owner, type);
	random_data(type);
	count(section);
}

/* Makes an answer to a random question, which is stored in *ask. */
static inline void
random_answer(struct dns_ask *ask)
{
	uint16_t type = types[random_below(sizeof(types) / sizeof(*types))];
	uint16_t flags = random_below(8) == 0 ? DNS_NXDOMAIN : DNS_NOERROR;
	uint32_t n_links = random_below(4), n;

	dns_ask_build(ask, names[0], type, 1, NULL, true);
	begin_answer(ask, RESPONSE_FLAGS | flags);
	for (uint32_t i = 0; i < n_links; i++) {
		size_t at;

		begin_record(i, DNS_CNAME);
		at = message.len;
		dns_write16(&message, 0);
		write_name(i + 1);
		store_be16(message_bytes + at, (uint16_t)(message.len - at - 2));
		count(ANSWERS);
	}
	n = random_below(4);
	for (uint32_t i = 0; i < n; i++)
		random_record(ANSWERS,
		    random_below(4) == 0 ? random_below(N_NAMES) : n_links, type);
	if (random_below(4) == 0)
		random_record(ANSWERS, random_below(N_NAMES), DNS_CNAME);
	n = random_below(3);
	for (uint32_t i = 0; i < n; i++)
		random_record(AUTHORITIES, random_below(N_NAMES),
		    random_below(2) == 0 ? DNS_SOA : DNS_NS);
	if (random_below(2) == 0)
		record(ADDITIONAL, "", DNS_OPT, 0, NULL, 0);
	mutate(random_below(4) == 0 ? 4 : ask->question_end);
}

static inline void
random_query(void)
{
	begin((uint16_t)random_below(65536), DNS_RECURSION_DESIRED);
	question(names[random_below(N_NAMES)], types[random_below(3)], DNS_CLASS_IN);
	if (random_below(2) == 0)
		record(ADDITIONAL, "", DNS_OPT, 0, "\0\12\0\3abc\0\10\0\4\0\1\0\0",
		    random_below(2) == 0 ? 15 : 0);
	if (random_below(16) == 0)
		question("b.test", DNS_A, DNS_CLASS_IN);
	if (random_below(16) == 0)
		random_record(ADDITIONAL, 0, DNS_A);
	mutate(2);
}
