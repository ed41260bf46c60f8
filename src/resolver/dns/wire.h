/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of DNS messages (RFC 1035 4.1), read and written within bounds.
 *
 * This folder decodes queries of the guest and answers of name servers, and makes both anew:
 * no byte of one side reaches the other side unread. Nothing here has a socket, reads a clock
 * or allocates. Integers are in host byte order unless a name ends in _be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dnsname.h"

/* RFC 1035 4.1.1. */
#define DNS_HEADER_LEN 12
#define DNS_RESPONSE 0x8000
#define DNS_OPCODE 0x7800
#define DNS_AUTHORITATIVE 0x0400
#define DNS_TRUNCATED 0x0200
#define DNS_RECURSION_DESIRED 0x0100
#define DNS_RECURSION_AVAILABLE 0x0080
#define DNS_CHECKING_DISABLED 0x0010 /* RFC 4035 3.2.2 */
#define DNS_RCODE 0x000f

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16, /* RFC 6891 6.1.3 */
};

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,  /* RFC 2782 */
	DNS_OPT = 41,  /* RFC 6891 */
	DNS_SVCB = 64, /* RFC 9460, as the next */
	DNS_HTTPS = 65,
	DNS_CAA = 257, /* RFC 8659 */
};

#define DNS_CLASS_IN 1

/* RFC 1035 2.3.4: of a name in a message, with the zero at its end. */
#define DNS_WIRE_NAME_MAX 255
/* A name, type and class. */
#define DNS_QUESTION_MAX (DNS_WIRE_NAME_MAX + 4)
/* A canonical name with its NUL. "" is the root. */
#define DNS_NAME_SIZE (DNSNAME_LEN_MAX + 1)

/* RFC 1035 4.2.1: a message over UDP that everybody can take. */
#define DNS_UDP_SIZE_MIN 512
/* Fits every path without fragments (RFC 9715). */
#define DNS_UDP_SIZE 1232

struct dns_reader {
	const uint8_t *bytes;
	size_t len;
	size_t at;
	bool is_bad; /* a field did not fit: all later ones are zeros */
};

struct dns_writer {
	uint8_t *bytes;
	size_t size;
	size_t len;
	bool is_full; /* a field did not fit: nothing is written any more */
};

uint8_t dns_read8(struct dns_reader *reader);
uint16_t dns_read16(struct dns_reader *reader);
uint32_t dns_read32(struct dns_reader *reader);

/* Returns the next n bytes, which belong to the message, or NULL. */
const uint8_t *dns_read_bytes(struct dns_reader *reader, size_t n);

/* Where a name may be compressed (RFC 1035 4.1.4). */
enum dns_compression { DNS_PLAIN, DNS_COMPRESSED };

/*
 * Reads a name in its canonical form: lower case, labels with dots between. Returns false with
 * an empty text if the name is malformed, and reader->is_bad is set then, or if it has bytes
 * that no name of a host has (base/dnsname.h).
 *
 * A pointer must lead to a place before all that was read of the name. So no pointers form a
 * loop.
 */
bool dns_read_name(struct dns_reader *reader, enum dns_compression compression,
    char text[DNS_NAME_SIZE]);

void dns_write8(struct dns_writer *writer, uint8_t value);
void dns_write16(struct dns_writer *writer, uint16_t value);
void dns_write32(struct dns_writer *writer, uint32_t value);
void dns_write_bytes(struct dns_writer *writer, const void *bytes, size_t len);

/* Writes a canonical name, not compressed. */
void dns_write_name(struct dns_writer *writer, const char *text);
