/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts addresses out of answers that a name must not lead to. */
#include "resolver/dns/filter.h"

#include "resolver/dns/svcb.h"

bool
dns_filter_keeps(const struct dns_filter *filter, const struct inaddr *addr)
{
	return policy_name_may_lead_to(policy_classify(filter->place, addr),
	    filter->may_be_private);
}

/* Hints of an answer's records, together. */
struct hints {
	const struct dns_filter *filter;
	unsigned int n_kept;
};

/* No more than can be pinned. */
static bool
keep_hint(void *context, const struct inaddr *addr)
{
	struct hints *hints = context;

	if (hints->n_kept == DNS_RECORDS_MAX || !dns_filter_keeps(hints->filter, addr))
		return false;
	hints->n_kept++;
	return true;
}

/* Cuts what may not stay out of the record. Returns false if the record goes as a whole. */
static bool
filter_record(struct hints *hints, struct dns_answer *answer, unsigned int i,
    uint32_t *n_cut)
{
	struct dns_record *record = &answer->records[i];
	struct inaddr addr;

	switch (answer->type) {
	case DNS_A:
	case DNS_AAAA:
		addr = dns_answer_addr(answer, i);
		if (dns_filter_keeps(hints->filter, &addr))
			return true;
		(*n_cut)++;
		return false;
	case DNS_SVCB:
	case DNS_HTTPS:
		record->len = (uint16_t)dns_svcb_filter(answer->data + record->at,
		    record->len, keep_hint, hints, n_cut);
		return record->len > 0;
	default:
		return true;
	}
}

uint32_t
dns_filter_answer(const struct dns_filter *filter, struct dns_answer *answer)
{
	struct hints hints = { .filter = filter };
	unsigned int n_kept = 0;
	uint32_t n_cut = 0;

	for (unsigned int i = 0; i < answer->n_records; i++) {
		if (filter_record(&hints, answer, i, &n_cut))
			answer->records[n_kept++] = answer->records[i];
	}
	answer->n_records = (uint8_t)n_kept;
	return n_cut;
}

size_t
dns_filter_addrs(const struct dns_answer *answer, struct inaddr addrs[DNS_RECORDS_MAX])
{
	size_t n = 0;

	for (unsigned int i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];

		if (answer->type == DNS_A || answer->type == DNS_AAAA)
			addrs[n++] = dns_answer_addr(answer, i);
		else if (answer->type == DNS_SVCB || answer->type == DNS_HTTPS)
			n = dns_svcb_hints(answer->data + record->at, record->len, addrs,
			    n, DNS_RECORDS_MAX);
	}
	return n;
}
