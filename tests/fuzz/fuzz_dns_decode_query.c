/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any message of the guest as a query: nothing outside of it is read, each reply fits and is
 * not a query again, and the query that a name server gets asks for the same. The connector takes a
 * report with the query's name.
 *
 * Input: the message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/validate.h"
#include "resolver/dns/reply.h"

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

static void
check_reply(const struct dns_query *query, enum dns_query_outcome outcome)
{
	const struct dns_reply reply = {
		.rcode = outcome == DNS_QUERY_BADVERS ? DNS_BADVERS : DNS_REFUSED,
		.ede = query->type & 1 ? DNS_EDE_BLOCKED : DNS_EDE_NONE,
		.ede_text = query->name,
	};
	uint8_t *bytes = malloc(DNS_UDP_SIZE_MIN);
	struct dns_query again;
	size_t len;

	if (bytes == NULL)
		abort();
	len = dns_reply_write(query, &reply, bytes, DNS_UDP_SIZE_MIN);
	promise(len >= DNS_HEADER_LEN && len <= DNS_UDP_SIZE_MIN);
	promise(load_be16(bytes) == query->id);
	promise((load_be16(bytes + 2) & DNS_TRUNCATED) == 0);
	promise(
	    memcmp(bytes + DNS_HEADER_LEN, query->question, query->question_len) == 0);
	promise(dns_query_read(&again, bytes, len) == DNS_QUERY_IGNORED);
	free(bytes);
}

static void
check_ask(const struct dns_query *query)
{
	uint8_t bits[DNS_CASE_BITS_LEN];
	struct dns_query again;
	struct dns_ask ask;

	memset(bits, query->id, sizeof(bits));
	for (unsigned int has_edns = 0; has_edns < 2; has_edns++) {
		dns_ask_build(&ask, query->name, query->type, query->id, bits, has_edns);
		promise(ask.len <= sizeof(ask.bytes) && ask.question_end <= ask.len);
		promise(dns_query_read(&again, ask.bytes, ask.len) == DNS_QUERY_OK);
		promise(again.id == query->id && again.type == query->type);
		promise(strcmp(again.name, query->name) == 0);
		promise(again.question_len == query->question_len);
		promise(again.has_edns == has_edns);
	}
}

/* The name goes to the connector, whatever the query's other fields are. */
static void
check_report(const struct dns_query *query)
{
	struct ipc_dns_refusal refusal = { .rule = IPC_DNS_NO_RULE };
	const char *why;

	memcpy(refusal.name, query->name, strlen(query->name));
	promise(ipc_validate_dns_refusal(&refusal, &why) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_query query;
	enum dns_query_outcome outcome = dns_query_read(&query, data, size);

	if (outcome == DNS_QUERY_IGNORED)
		return 0;
	promise(query.udp_size >= DNS_UDP_SIZE_MIN);
	promise(query.question_len <= sizeof(query.question));
	check_reply(&query, outcome);
	check_report(&query);
	promise(outcome != DNS_QUERY_OK || query.name[0] != '\0');
	if (outcome == DNS_QUERY_OK)
		check_ask(&query);
	return 0;
}
