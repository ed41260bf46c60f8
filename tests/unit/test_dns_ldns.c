/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder beside that of ldns (NLnet Labs), which only this test is linked with. Messages are
 * made and changed at random. Both decoders accept the same of them, and find the same chain and
 * records. These differences are meant:
 *
 * - Records that do not count are not looked into. So the test hides them from ldns, by another
 *   type.
 * - ldns follows pointers forward and into the header.
 * - ldns ignores bytes behind the last field of a record, and takes fields from behind its end.
 * - ldns takes any length of a tag of CAA, records without data, loops of CNAME records, and any
 *   byte in a name.
 * - ldns takes queries with several questions, with records, and with bytes behind their end.
 */
#include "dns_random.h"

#include <ldns/ldns.h>

/* Some two seconds. */
#define N_MESSAGES 100000

static struct dns_ask ask;

/* Of a record that ldns shall not look into. */
#define OTHER_TYPE 0xff00

/* A record of a message. */
struct walked {
	char owner[DNS_NAME_SIZE];
	uint16_t type; /* 0 if the owner has odd bytes */
	size_t owner_at;
	size_t type_at;
	size_t data_at;
	size_t data_len;
};

#define N_WALKED_MAX 64

/* The records up to the first that is malformed, which is in the place behind them. */
static struct walked walked[N_WALKED_MAX + 1];
static unsigned int n_walked;

static void
walk_records(const uint8_t *bytes, size_t len)
{
	struct dns_reader reader = { .bytes = bytes, .len = len, .at = ask.question_end };

	for (n_walked = 0; n_walked < N_WALKED_MAX; n_walked++) {
		struct walked *walk = &walked[n_walked];
		size_t owner_at = reader.at;
		bool is_plain = dns_read_name(&reader, DNS_COMPRESSED, walk->owner);
		uint16_t class;

		walk->owner_at = owner_at;
		walk->type_at = reader.at;
		walk->type = dns_read16(&reader);
		class = dns_read16(&reader);
		dns_read32(&reader);
		walk->data_len = dns_read16(&reader);
		walk->data_at = reader.at;
		if (dns_read_bytes(&reader, walk->data_len) == NULL)
			break;
		if (!is_plain || class != DNS_CLASS_IN)
			walk->type = 0;
	}
}

/* Whether the data ends where its length says, and its tag has an allowed length. ldns looks at the
 * fields alone. */
static bool
has_right_data(const struct walked *walk, const uint8_t *bytes, size_t len)
{
	struct dns_reader reader = { .bytes = bytes, .len = len, .at = walk->data_at };
	char name[DNS_NAME_SIZE];

	switch (walk->type) {
	case DNS_A:
		return walk->data_len == 4;
	case DNS_AAAA:
		return walk->data_len == 16;
	case DNS_TXT:
		return walk->data_len > 0;
	case DNS_CAA:
		return walk->data_len > 2 && bytes[walk->data_at + 1] > 0 &&
		    bytes[walk->data_at + 1] < 16;
	case DNS_SRV:
		dns_read_bytes(&reader, 6);
		break;
	case DNS_MX:
		dns_read_bytes(&reader, 2);
		break;
	case DNS_SOA:
		dns_read_name(&reader, DNS_COMPRESSED, name);
		dns_read_name(&reader, DNS_COMPRESSED, name);
		dns_read_bytes(&reader, 20);
		return !reader.is_bad && reader.at == walk->data_at + walk->data_len;
	}
	dns_read_name(&reader, DNS_COMPRESSED, name);
	return !reader.is_bad && reader.at == walk->data_at + walk->data_len;
}

/* The name in the form of dns_read_name(). Returns false if it has odd bytes. */
static bool
name_of(const ldns_rdf *rdf, char text[DNS_NAME_SIZE])
{
	struct dns_reader reader = { .bytes = ldns_rdf_data(rdf),
		.len = ldns_rdf_size(rdf) };

	return dns_read_name(&reader, DNS_PLAIN, text);
}

/* What the decoder should say, from ldns's view of the message. */
struct model {
	struct dns_answer answer; /* without data */
	const ldns_rr *records[DNS_RECORDS_MAX];
	bool is_bad;
};

static struct model model;

static bool
owns(const ldns_rr *rr, const char *name, uint16_t type)
{
	char owner[DNS_NAME_SIZE];

	return ldns_rr_get_type(rr) == type &&
	    ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
	    name_of(ldns_rr_owner(rr), owner) && strcmp(owner, name) == 0;
}

static bool
model_follow(const ldns_rr_list *list)
{
	struct dns_answer *answer = &model.answer;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		struct dns_cname *cname = &answer->cnames[answer->n_cnames];

		if (!owns(rr, dns_answer_end(answer), DNS_CNAME))
			continue;
		if (answer->n_cnames == DNS_CNAMES_MAX || ldns_rr_rd_count(rr) == 0 ||
		    !name_of(ldns_rr_rdf(rr, 0), cname->target) ||
		    cname->target[0] == '\0') {
			model.is_bad = true;
			return false;
		}
		answer->n_cnames++;
		return true;
	}
	return false;
}

/* Names in the data of records that count have no odd bytes. */
static bool
has_good_names(const ldns_rr *rr)
{
	char name[DNS_NAME_SIZE];

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME && !name_of(rdf, name))
			return false;
	}
	return true;
}

static void
model_read(const ldns_pkt *pkt)
{
	const ldns_rr_list *list = ldns_pkt_answer(pkt);

	model.is_bad = false;
	dns_answer_init(&model.answer, ask.name, ask.type);
	while (ask.type != DNS_CNAME && model_follow(list))
		;
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		unsigned int k;

		if (ldns_pkt_get_rcode(pkt) != LDNS_RCODE_NOERROR ||
		    !owns(rr, dns_answer_end(&model.answer), ask.type))
			continue;
		if (!has_good_names(rr))
			model.is_bad = true;
		for (k = 0; k < model.answer.n_records; k++) {
			if (ldns_rr_compare(model.records[k], rr) == 0)
				break;
		}
		if (k == model.answer.n_records)
			model.records[model.answer.n_records++] = rr;
	}
}

/* ldns's data of a record in the form of dns_rdata_copy(). */
static size_t
data_of(const ldns_rr *rr, uint8_t *bytes)
{
	size_t len = 0;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		size_t rdf_len = ldns_rdf_size(rdf);

		memcpy(bytes + len, ldns_rdf_data(rdf), rdf_len);
		if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME)
			dnsname_fold((char *)bytes + len, rdf_len);
		len += rdf_len;
	}
	return len;
}

static void
expect_as_ldns(const struct dns_answer *answer)
{
	static uint8_t bytes[UINT16_MAX];

	assert_int_equal(answer->n_cnames, model.answer.n_cnames);
	for (unsigned int i = 0; i < answer->n_cnames; i++)
		assert_string_equal(answer->cnames[i].target,
		    model.answer.cnames[i].target);
	assert_int_equal(answer->n_records, model.answer.n_records);
	for (unsigned int i = 0; i < answer->n_records; i++) {
		size_t len = data_of(model.records[i], bytes);

		assert_int_equal(answer->records[i].len, len);
		assert_memory_equal(answer->data + answer->records[i].at, bytes, len);
	}
}

/* What the decoder looks into, and what it refuses though ldns does not. */
struct view {
	char end[DNS_NAME_SIZE]; /* of the chain */
	bool counts[N_WALKED_MAX];
	bool has_odd_length;
	bool has_odd_pointer;
};

static struct view view;

/* Follows the first CNAME of the chain's end. */
static bool
view_follow(const uint8_t *bytes, size_t len, unsigned int n_answers)
{
	for (unsigned int i = 0; i < n_answers; i++) {
		struct dns_reader data = {
			.bytes = bytes,
			.len = len,
			.at = walked[i].data_at,
		};

		if (walked[i].type == DNS_CNAME &&
		    strcmp(walked[i].owner, view.end) == 0) {
			view.counts[i] = true;
			return dns_read_name(&data, DNS_COMPRESSED, view.end);
		}
	}
	return false;
}

/* Whether a pointer of the name leads forward or into the header. */
static bool
has_odd_pointer(const uint8_t *bytes, size_t len, size_t at)
{
	size_t begin = at;

	while (at + 1 < len && bytes[at] != 0 && bytes[at] <= DNSNAME_LABEL_MAX)
		at += 1 + (size_t)bytes[at];
	if (at + 1 >= len || bytes[at] < 0xc0)
		return false;
	at = load_be16(bytes + at) & 0x3fff;
	return at >= begin || at < DNS_HEADER_LEN || has_odd_pointer(bytes, len, at);
}

static void
view_look(const uint8_t *bytes, size_t len)
{
	unsigned int n_answers = load_be16(bytes + ANSWERS);
	bool is_error = (bytes[3] & DNS_RCODE) != 0;

	view = (struct view){ 0 };
	strcpy(view.end, ask.name);
	walk_records(bytes, len);
	if (n_answers > n_walked)
		n_answers = n_walked;
	for (unsigned int i = 0; ask.type != DNS_CNAME && i <= DNS_CNAMES_MAX; i++) {
		if (!view_follow(bytes, len, n_answers))
			break;
	}
	for (unsigned int i = 0; i < n_answers && !is_error; i++) {
		if (walked[i].type == ask.type && strcmp(walked[i].owner, view.end) == 0)
			view.counts[i] = true;
	}
	view.has_odd_pointer = has_odd_pointer(bytes, len, walked[n_walked].owner_at);
	for (unsigned int i = 0; i < n_walked; i++) {
		if (view.counts[i] && !has_right_data(&walked[i], bytes, len))
			view.has_odd_length = true;
		/* Of a negative answer, whose time is read. */
		if (walked[i].type == DNS_SOA && walked[i].data_len < 22)
			view.has_odd_length = true;
	}
}

/* Changes the type of the records that do not count. */
static void
hide_others(uint8_t *bytes)
{
	for (unsigned int i = 0; i < n_walked; i++) {
		if (!view.counts[i])
			store_be16(bytes + walked[i].type_at, OTHER_TYPE);
	}
}

static ldns_pkt *
read_with_ldns(const uint8_t *bytes, size_t len)
{
	ldns_pkt *pkt = NULL;

	return ldns_wire2pkt(&pkt, bytes, len) == LDNS_STATUS_OK ? pkt : NULL;
}

struct tally {
	unsigned int n_both;
	unsigned int n_neither;
	unsigned int n_meant;
	unsigned int n_other; /* errors of the server, and messages that are ignored */
};

/* Compares the decoders on the message, which changes. */
static void
compare_answer(uint8_t *bytes, struct tally *tally)
{
	static struct dns_answer answer;
	uint16_t rcode;
	enum dns_answer_outcome outcome =
	    dns_answer_read(&answer, &ask, bytes, message.len, &rcode);
	bool is_taken = outcome == DNS_ANSWER_OK || outcome == DNS_ANSWER_UNFINISHED;
	ldns_pkt *pkt;

	if (!is_taken && outcome != DNS_ANSWER_BAD) {
		tally->n_other++;
		return;
	}
	view_look(bytes, message.len);
	hide_others(bytes);
	pkt = read_with_ldns(bytes, message.len);
	/* A pointer may have led to a type that was changed. */
	if (pkt == NULL && is_taken)
		pkt = read_with_ldns(message_bytes, message.len);
	if (pkt == NULL) {
		assert_false(is_taken);
		tally->n_neither++;
		return;
	}
	model_read(pkt);
	if (is_taken) {
		expect_as_ldns(&answer);
		tally->n_both++;
	} else {
		assert_true(view.has_odd_length || view.has_odd_pointer || model.is_bad);
		tally->n_meant++;
	}
	ldns_pkt_free(pkt);
}

static void
test_answers(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	for (int i = 0; i < N_MESSAGES; i++) {
		uint8_t *exact;

		random_answer(&ask);
		exact = message_copy();
		compare_answer(exact, &tally);
		free(exact);
	}
	/* So that the messages stay neither all good nor all bad. */
	assert_true(tally.n_both > N_MESSAGES / 3);
	assert_true(tally.n_neither > N_MESSAGES / 10);
	assert_in_range(tally.n_meant, N_MESSAGES / 1000, N_MESSAGES / 20);
	assert_in_range(tally.n_other, 1, N_MESSAGES / 5);
}

/* Whether only ldns takes the query. */
static bool
is_query_meant(const uint8_t *bytes, size_t len)
{
	struct dns_reader reader = { .bytes = bytes, .len = len, .at = DNS_HEADER_LEN };
	uint16_t flags = load_be16(bytes + 2),
		 n_additional = load_be16(bytes + ADDITIONAL);
	char name[DNS_NAME_SIZE];

	if (flags & DNS_TRUNCATED || load_be16(bytes + QUESTIONS) != 1 ||
	    load_be32(bytes + ANSWERS) != 0 || n_additional > 1 ||
	    has_odd_pointer(bytes, len, DNS_HEADER_LEN))
		return true;
	dns_read_name(&reader, DNS_PLAIN, name);
	dns_read32(&reader);
	if (n_additional == 0)
		return reader.at != len;
	/* Another record than OPT, and options that are malformed, are the end of the message. */
	return load_be32(bytes + reader.at) != DNS_OPT << 8 || len - reader.at != 11;
}

static void
compare_query(const uint8_t *bytes, struct tally *tally)
{
	struct dns_query query;
	enum dns_query_outcome outcome = dns_query_read(&query, bytes, message.len);
	ldns_pkt *pkt = read_with_ldns(bytes, message.len);
	char name[DNS_NAME_SIZE];
	const ldns_rr *rr;
	bool is_host;

	if (pkt == NULL) {
		assert_true(outcome != DNS_QUERY_OK && outcome != DNS_QUERY_BAD_NAME);
		tally->n_neither++;
		return;
	}
	switch (outcome) {
	case DNS_QUERY_OK:
	case DNS_QUERY_BAD_NAME:
		rr = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
		assert_int_equal(query.id, ldns_pkt_id(pkt));
		assert_int_equal(query.type, ldns_rr_get_type(rr));
		name_of(ldns_rr_owner(rr), name);
		is_host = dnsname_check(name, strlen(name)) == DNSNAME_OK;
		assert_int_equal(is_host, outcome == DNS_QUERY_OK);
		assert_string_equal(query.name, is_host ? name : "");
		tally->n_both++;
		break;
	case DNS_QUERY_FORMERR:
		assert_true(is_query_meant(bytes, message.len));
		tally->n_meant++;
		break;
	default:
		tally->n_other++;
	}
	ldns_pkt_free(pkt);
}

static void
test_queries(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	for (int i = 0; i < N_MESSAGES; i++) {
		uint8_t *exact;

		random_query();
		exact = message_copy();
		compare_query(exact, &tally);
		free(exact);
	}
	assert_true(tally.n_both > N_MESSAGES / 3);
	assert_true(tally.n_neither > N_MESSAGES / 20);
	assert_in_range(tally.n_meant, N_MESSAGES / 100, N_MESSAGES / 3);
	assert_in_range(tally.n_other, 1, N_MESSAGES / 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
