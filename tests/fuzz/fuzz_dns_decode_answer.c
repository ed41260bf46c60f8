/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any message of a name server as an answer: nothing outside of it is read. What is built of it
 * for the guest decodes to the same. After the filter, no address is in it that the filter cuts,
 * and neither ech. The connector takes the addresses, whether they were filtered or not.
 *
 * Input: a byte that chooses the type, and whether the name may be private; the header without its id; the message behind the
 * question for "www.example.test".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/validate.h"
#include "resolver/dns/filter.h"
#include "resolver/dns/reply.h"

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

static const uint16_t types[] = { DNS_A, DNS_AAAA, DNS_CNAME, DNS_HTTPS, DNS_SVCB,
	DNS_SRV, DNS_MX, DNS_TXT, DNS_PTR, DNS_NS, DNS_SOA, DNS_CAA };

#define N_TYPES (sizeof(types) / sizeof(*types))

#define ECH 5
#define IPV4HINT 4
#define IPV6HINT 6

/* Of the guest's network: 0.0.0.0, and ::/64. */
static const struct policy_place place = { .netmask_be = INADDR_BROADCAST };
static struct dns_filter filter = { .place = &place };

static void
check_addr(const uint8_t *bytes, bool is_ipv6)
{
	const struct inaddr addr = inaddr_from_bytes(bytes, is_ipv6);

	promise(dns_filter_keeps(&filter, &addr));
}

/* Reads the data of HTTPS without the code under test. */
static void
check_service(const uint8_t *data, size_t len)
{
	size_t at = 2;

	while (data[at] != 0)
		at += 1 + (size_t)data[at];
	for (at++; at < len;) {
		uint16_t key, value_len;

		promise(len - at >= 4);
		key = load_be16(data + at);
		value_len = load_be16(data + at + 2);
		at += 4;
		promise(len - at >= value_len && key != ECH && key <= IPV6HINT);
		for (size_t i = 0; key == IPV4HINT && i < value_len; i += 4)
			check_addr(data + at + i, false);
		for (size_t i = 0; key == IPV6HINT && i < value_len; i += 16)
			check_addr(data + at + i, true);
		at += value_len;
	}
	promise(at == len);
}

static void
check_filtered(const struct dns_answer *answer)
{
	for (unsigned int i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];

		switch (answer->type) {
		case DNS_A:
		case DNS_AAAA:
			check_addr(answer->data + record->at, answer->type == DNS_AAAA);
			break;
		case DNS_HTTPS:
		case DNS_SVCB:
			check_service(answer->data + record->at, record->len);
			break;
		}
	}
}

static void
check_same(const struct dns_answer *a, const struct dns_answer *b)
{
	promise(a->type == b->type && strcmp(a->name, b->name) == 0);
	promise(a->is_nxdomain == b->is_nxdomain);
	promise(a->n_cnames == b->n_cnames && a->n_records == b->n_records);
	promise(a->n_records == 0 || a->ttl_s == b->ttl_s);
	for (unsigned int i = 0; i < a->n_cnames; i++) {
		promise(a->cnames[i].ttl_s == b->cnames[i].ttl_s);
		promise(strcmp(a->cnames[i].target, b->cnames[i].target) == 0);
	}
	for (unsigned int i = 0; i < a->n_records; i++) {
		const struct dns_record *one = &a->records[i], *other = &b->records[i];

		promise(one->len == other->len);
		promise(memcmp(a->data + one->at, b->data + other->at, one->len) == 0);
	}
}

/* Builds the reply of the answer, and reads it as one of a name server. */
static void
check_reply(const struct dns_answer *answer, struct dns_answer *again)
{
	const struct dns_reply reply = { .answer = answer, .ede = DNS_EDE_FORGED_ANSWER };
	uint8_t *bytes = malloc(DNS_REPLY_MAX);
	enum dns_answer_outcome outcome;
	struct dns_query query;
	struct dns_ask ask;
	uint16_t rcode;
	size_t len;

	if (bytes == NULL)
		abort();
	dns_ask_build(&ask, answer->name, answer->type, 1, NULL, true);
	promise(dns_query_read(&query, ask.bytes, ask.len) == DNS_QUERY_OK);
	len = dns_reply_write(&query, &reply, bytes, DNS_REPLY_MAX);
	outcome = dns_answer_read(again, &ask, bytes, len, &rcode);
	promise(outcome == DNS_ANSWER_OK ||
	    (outcome == DNS_ANSWER_UNFINISHED && answer->n_cnames > 0 &&
		answer->n_records == 0));
	promise(
	    dns_reply_write(&query, &reply, bytes, DNS_UDP_SIZE_MIN) <= DNS_UDP_SIZE_MIN);
	free(bytes);
}

static void
check_pins(const struct dns_answer *answer)
{
	struct ipc_dns_pin pin = { .ttl_s = answer->ttl_s };
	size_t n = dns_filter_addrs(answer, pin.addrs);
	const char *why;

	pin.n_addrs = (uint8_t)n;
	memcpy(pin.name, answer->name, strlen(answer->name));
	promise(n == 0 || ipc_validate_dns_pin(&pin, &why) == 0);
}

static void
check_answer(struct dns_answer *answer)
{
	static struct dns_answer again;

	check_pins(answer);
	promise(
	    answer->n_cnames <= DNS_CNAMES_MAX && answer->n_records <= DNS_RECORDS_MAX);
	promise(answer->ttl_s <= DNS_TTL_MAX_S);
	promise(answer->negative_ttl_s <= DNS_NEGATIVE_TTL_MAX_S);
	check_reply(answer, &again);
	check_same(answer, &again);
	dns_filter_answer(&filter, answer);
	check_filtered(answer);
	check_pins(answer);
	check_reply(answer, &again);
	check_filtered(&again);
	promise(dns_filter_answer(&filter, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer answer;
	struct dns_ask ask;
	enum dns_answer_outcome outcome;
	const size_t head_len = DNS_HEADER_LEN - 2;
	size_t question_len, len;
	uint16_t rcode;
	uint8_t *bytes;

	if (size < 1 + head_len)
		return 0;
	dns_ask_build(&ask, "www.example.test", types[data[0] % N_TYPES], 1, NULL, true);
	question_len = ask.question_end - DNS_HEADER_LEN;
	len = size - 1 + 2 + question_len;
	bytes = malloc(len);
	if (bytes == NULL)
		abort();
	memcpy(bytes, ask.bytes, ask.question_end);
	memcpy(bytes + 2, data + 1, head_len);
	memcpy(bytes + ask.question_end, data + 1 + head_len, size - 1 - head_len);
	filter.may_be_private = data[0] >= 0x80;
	outcome = dns_answer_read(&answer, &ask, bytes, len, &rcode);
	if (outcome == DNS_ANSWER_OK || outcome == DNS_ANSWER_UNFINISHED)
		check_answer(&answer);
	free(bytes);
	return 0;
}
