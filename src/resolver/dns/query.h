/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes queries of the guest, and builds queries for name servers. */
#pragma once

#include "resolver/dns/wire.h"

/* A name of 255 bytes with EDNS, a cookie and padding (RFC 8467) has some 600 bytes. */
#define DNS_QUERY_MAX 1024

enum dns_query_outcome {
	DNS_QUERY_OK,
	/* Not a query: an answer to it could be answered again, for ever. */
	DNS_QUERY_IGNORED,
	DNS_QUERY_FORMERR,
	DNS_QUERY_NOTIMP,  /* another opcode or class */
	DNS_QUERY_BADVERS, /* a later version of EDNS */
	/* Well formed, but no host has the name (base/dnsname.h): the root, a name with other bytes,
	 * or one whose last label is a number. */
	DNS_QUERY_BAD_NAME,
};

struct dns_query {
	uint16_t id;
	uint16_t flags; /* those that the answer repeats */
	uint16_t type;  /* any number, also none of enum dns_type */
	bool has_edns;
	/* The size of the answer that the guest takes over UDP: 512 to 65535 bytes. */
	uint16_t udp_size;
	char name[DNS_NAME_SIZE]; /* dnsname_check() accepts it; else "" */
	/* The question as it came: the answer repeats it with the same case. Its length is 0 if
	 * there is no question that can be read. */
	uint16_t question_len;
	uint8_t question[DNS_QUESTION_MAX];
};

/*
 * Decodes a message of the guest. All of *query is set unless the outcome is
 * DNS_QUERY_IGNORED, so that the answer can be built.
 *
 * Exactly one question, nothing but OPT (RFC 6891) beside it, and no byte behind. DO and the
 * options of EDNS are dropped: cookies and client subnets (RFC 7873, RFC 7871) are between the
 * guest and slirpd.
 */
enum dns_query_outcome dns_query_read(struct dns_query *query, const uint8_t *bytes,
    size_t len);

/* A query for a name server. */
struct dns_ask {
	size_t len;
	size_t question_end;
	uint8_t
	    bytes[DNS_HEADER_LEN + DNS_QUESTION_MAX + 11]; /* 11: OPT without options */
	uint16_t type;
	char name[DNS_NAME_SIZE];
};

/* A random bit for each byte of a name. */
#define DNS_CASE_BITS_LEN 32

/*
 * Builds a query for a canonical name. id and case_bits are random: who forges an answer has to
 * guess them. A set bit makes a letter upper case (draft-vixie-dnsext-dns0x20); case_bits is
 * NULL for a server that does not repeat the case. Some servers answer FORMERR to EDNS.
 */
void dns_ask_build(struct dns_ask *ask, const char *name, uint16_t type, uint16_t id,
    const uint8_t case_bits[DNS_CASE_BITS_LEN], bool has_edns);
