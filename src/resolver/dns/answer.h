/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a name server says about a question: a chain of CNAME records from the question's name
 * to another name, and the records of the wanted type at its end. Nothing else of a message is
 * kept.
 */
#pragma once

#include "base/inaddr.h"
#include "resolver/dns/query.h"

/* The records of a chain are few in practice. Name servers follow 8 to 16. */
#define DNS_CNAMES_MAX 8

/* A connection needs one address. More than 32 say nothing but how large a service is. */
#define DNS_RECORDS_MAX 32

/* The data of records: 32 addresses have 512 bytes, long HTTPS records some 200 each. */
#define DNS_DATA_SIZE 3072

/* The guest keeps no answer for longer than its addresses are allowed. */
#define DNS_TTL_MAX_S 3600

/* A name that appears is usable five minutes later (RFC 2308 5 allows hours). */
#define DNS_NEGATIVE_TTL_MAX_S 300

struct dns_cname {
	uint32_t ttl_s;
	char target[DNS_NAME_SIZE];
};

/* Data in the form of dns_rdata_copy(). */
struct dns_record {
	uint16_t at; /* in `data` of the answer */
	uint16_t len;
};

struct dns_answer {
	uint16_t type;
	uint8_t is_nxdomain; /* the name at the end of the chain does not exist */
	uint8_t n_cnames;
	uint8_t n_records;
	uint32_t ttl_s;          /* of the records: one for all (RFC 2181 5.2) */
	uint32_t negative_ttl_s; /* if there are no records; 0: not known */
	struct dns_cname cnames[DNS_CNAMES_MAX];
	struct dns_record records[DNS_RECORDS_MAX];
	uint16_t data_len;
	char name[DNS_NAME_SIZE]; /* of the question, canonical */
	uint8_t data[DNS_DATA_SIZE];
};

enum dns_answer_outcome {
	/* Records, or that there are none. */
	DNS_ANSWER_OK,
	/* Not the answer to this query: to be ignored, since the right one may follow. */
	DNS_ANSWER_FOREIGN,
	/* The same, but only the case of the question differs. */
	DNS_ANSWER_OTHER_CASE,
	/* To be asked again over TCP (RFC 1035 4.2.1). */
	DNS_ANSWER_TRUNCATED,
	/* A chain that ends in a name of which nothing is said: dns_answer_end() has to be asked
	 * for. */
	DNS_ANSWER_UNFINISHED,
	/* Another server may know better: an error, or a hint to other servers. */
	DNS_ANSWER_FAILED,
	/* The same: malformed, or a chain that is too long or has names that no host has. */
	DNS_ANSWER_BAD,
};

/* An answer without any record. */
void dns_answer_init(struct dns_answer *answer, const char *name, uint16_t type);

/* Adds a record to an answer of the type A or AAAA. Returns false if there are
 * DNS_RECORDS_MAX. */
bool dns_answer_add_addr(struct dns_answer *answer, const struct inaddr *addr,
    uint32_t ttl_s);

/* The address of a record of an answer of the type A or AAAA. */
struct inaddr dns_answer_addr(const struct dns_answer *answer, unsigned int i);

/* The name that the chain leads to; the question's without a chain. */
const char *dns_answer_end(const struct dns_answer *answer);

/*
 * Decodes an answer to ask. *answer is set if the outcome is DNS_ANSWER_OK or
 * DNS_ANSWER_UNFINISHED. *rcode is that of the message, also if the outcome is
 * DNS_ANSWER_FAILED; else DNS_SERVFAIL.
 *
 * A record counts if it lies on the chain from the question. Records of additional and
 * authority sections are never used but the SOA whose zone has the chain's end, for the time of
 * a negative answer (RFC 2308 5).
 */
enum dns_answer_outcome dns_answer_read(struct dns_answer *answer,
    const struct dns_ask *ask, const uint8_t *bytes, size_t len, uint16_t *rcode);

/* Appends the answer to the question for dns_answer_end(answer). Returns false if the chain gets
 * too long. */
bool dns_answer_join(struct dns_answer *answer, const struct dns_answer *rest);
