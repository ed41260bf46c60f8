/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts addresses out of answers that a name must not lead to. */
#include "resolver/dns/filter.h"

#include <string.h>

#include "resolver/dns/svcb.h"

/* Prefixes of IPv6 addresses that stand for an IPv4 address, and where it is in them. */
static const struct embedding {
	uint8_t prefix[12];
	uint8_t prefix_len;
	uint8_t at;
} embeddings[] = {
	{ { [10] = 0xff, [11] = 0xff }, 12, 12 }, /* ::ffff:0:0/96 */
	{ { 0x00, 0x64, 0xff, 0x9b }, 12, 12 },   /* 64:ff9b::/96 */
	{ { 0x20, 0x02 }, 2, 2 },                 /* 2002::/16 */
};

static struct inaddr
without_embedding(const struct inaddr *addr)
{
	for (size_t i = 0; i < sizeof(embeddings) / sizeof(*embeddings); i++) {
		const struct embedding *embedding = &embeddings[i];

		if (addr->is_ipv6 &&
		    memcmp(addr->bytes, embedding->prefix, embedding->prefix_len) == 0)
			return inaddr_from_bytes(addr->bytes + embedding->at, false);
	}
	return *addr;
}

bool
dns_filter_keeps(const struct dns_filter *filter, const struct inaddr *addr)
{
	const struct inaddr inner = without_embedding(addr);

	switch (filter->kind(filter->context, &inner)) {
	case DNS_ADDR_INTERNET:
		return true;
	case DNS_ADDR_PRIVATE:
		return filter->may_be_private;
	case DNS_ADDR_NEVER:
		break;
	}
	return false;
}

static bool
keep_hint(const void *context, const struct inaddr *addr)
{
	return dns_filter_keeps(context, addr);
}

/* Cuts what may not stay out of the record. Returns false if the record goes as a whole. */
static bool
filter_record(const struct dns_filter *filter, struct dns_answer *answer, unsigned int i,
    uint32_t *n_cut)
{
	struct dns_record *record = &answer->records[i];
	struct inaddr addr;

	switch (answer->type) {
	case DNS_A:
	case DNS_AAAA:
		addr = dns_answer_addr(answer, i);
		if (dns_filter_keeps(filter, &addr))
			return true;
		(*n_cut)++;
		return false;
	case DNS_SVCB:
	case DNS_HTTPS:
		record->len = (uint16_t)dns_svcb_filter(answer->data + record->at,
		    record->len, keep_hint, filter, n_cut);
		return record->len > 0;
	default:
		return true;
	}
}

uint32_t
dns_filter_answer(const struct dns_filter *filter, struct dns_answer *answer)
{
	unsigned int n_kept = 0;
	uint32_t n_cut = 0;

	for (unsigned int i = 0; i < answer->n_records; i++) {
		if (filter_record(filter, answer, i, &n_cut))
			answer->records[n_kept++] = answer->records[i];
	}
	answer->n_records = (uint8_t)n_kept;
	return n_cut;
}
