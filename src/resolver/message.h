/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages that are passed on as they are: only header and question are read (RFC 1035 4.1).
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/dns/wire.h"

/* RFC 1035 4.2.2: a length of two bytes precedes a message over TCP. */
#define MESSAGE_MAX UINT16_MAX
#define MESSAGE_PREFIX_LEN 2

enum message_kind {
	MESSAGE_QUESTION, /* to be asked */
	MESSAGE_BAD,      /* to be answered with the error `rcode` */
	MESSAGE_IGNORED,  /* not a question: an answer to it could be answered again */
};

struct message_question {
	enum dns_rcode rcode;
	/* Where the question ends; DNS_HEADER_LEN if there is none that can be read. */
	size_t end;
};

/* Reads a message of the guest. Only standard queries (RFC 1035 4.1.1, opcode 0) with one
 * question pass, and no zone transfers: their answers are many messages (RFC 5936 2.2). */
enum message_kind message_read_question(const uint8_t *bytes, size_t len,
    struct message_question *question);

/* Whether the message of a server belongs to the question that was asked with these bytes: the
 * number, and each byte of the question, are the same. A server that refuses a question may
 * leave it out (RFC 1035 4.1.1 says nothing on it; BIND and dnsmasq do). */
bool message_is_answer(const uint8_t *bytes, size_t len, const uint8_t *asked,
    size_t question_end);

/* Whether another server may know better: SERVFAIL, NOTIMP, REFUSED, as in glibc (resolv/
 * res_send.c), and FORMERR without the question. bytes is an answer. */
bool message_is_failure(const uint8_t *bytes);

/* Makes the answer to the question in bytes that has this error and no data. Returns its
 * length, which is not above question_end. out may be bytes. */
size_t message_make_error(const uint8_t *bytes, size_t question_end, enum dns_rcode rcode,
    uint8_t *out);

/* Makes an answer that does not fit into one that fits: the header of bytes with the question
 * alone, marked as cut short (RFC 1035 4.1.1, TC), so that the guest asks over TCP. Returns its
 * length. */
size_t message_cut(uint8_t *bytes, size_t question_end);

/* The number of the message (RFC 1035 4.1.1, ID). */
uint16_t message_id(const uint8_t *bytes);
void message_set_id(uint8_t *bytes, uint16_t id);
