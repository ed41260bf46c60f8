/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds answers to the guest. */
#pragma once

#include "resolver/dns/answer.h"

/* Why an answer is not the one that the guest wanted (RFC 8914 5.2). */
enum dns_ede {
	DNS_EDE_NONE = -1,
	DNS_EDE_FORGED_ANSWER = 4, /* parts of the answer were cut out */
	DNS_EDE_BLOCKED = 15,      /* by the operator's policy; the text names the rule */
	DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
	DNS_EDE_NETWORK_ERROR = 23,
};

/* Names a rule: longer than "FILE:LINE" of any policy. The rest of a longer text is cut off. */
#define DNS_EDE_TEXT_MAX 128

/* The largest answer: the question, a chain, and records with their data. OPT is at its end. */
#define DNS_REPLY_MAX \
	(DNS_HEADER_LEN + DNS_QUESTION_MAX + DNS_CNAMES_MAX * (12 + DNS_WIRE_NAME_MAX) + \
	    DNS_RECORDS_MAX * 12 + DNS_DATA_SIZE + 11 + 6 + DNS_EDE_TEXT_MAX)

struct dns_reply {
	enum dns_rcode rcode;            /* of a reply without an answer */
	const struct dns_answer *answer; /* NULL: none */
	bool is_truncated;               /* without an answer: the guest asks over TCP */
	enum dns_ede ede;
	const char *ede_text; /* NULL: none */
};

/*
 * Builds the reply to a query. Returns its length, which is at most size; size is at least
 * DNS_UDP_SIZE_MIN. An answer that does not fit is left out, and the reply is marked as
 * truncated, so that the guest asks over TCP. EDE is left out if the query has no EDNS.
 */
size_t dns_reply_write(const struct dns_query *query, const struct dns_reply *reply,
    uint8_t *bytes, size_t size);
