/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes answers of name servers. */
#include "resolver/dns/answer.h"

#include <string.h>

#include "base/bytes.h"
#include "resolver/dns/rdata.h"

/* Many more than DNS_RECORDS_MAX, so that no honest answer is refused. Each step of the chain
 * looks at all of them, so that a hostile message of 64 KiB has to have an end. */
#define SECTION_RECORDS_MAX 512

/* A record as it is in the message. */
struct record {
	char owner[DNS_NAME_SIZE];
	uint16_t type; /* 0 if the owner has bytes that no name of a host has */
	uint16_t class;
	uint32_t ttl;           /* OPT has other fields in its place */
	struct dns_reader data; /* ends with the record: pointers lead backwards only */
};

/* A message that belongs to the question, in which sections are found. */
struct reply {
	struct dns_reader answers; /* at the first record */
	uint16_t n_answers;
	uint16_t n_authorities;
	uint16_t n_additional;
	uint16_t flags;
	uint16_t rcode;
	bool has_ns;
	bool has_soa; /* of a zone that has the end of the chain */
};

void
dns_answer_init(struct dns_answer *answer, const char *name, uint16_t type)
{
	*answer = (struct dns_answer){ .type = type, .ttl_s = DNS_TTL_MAX_S };
	memcpy(answer->name, name, strlen(name) + 1);
}

const char *
dns_answer_end(const struct dns_answer *answer)
{
	return answer->n_cnames > 0 ? answer->cnames[answer->n_cnames - 1].target
				    : answer->name;
}

struct inaddr
dns_answer_addr(const struct dns_answer *answer, unsigned int i)
{
	return inaddr_from_bytes(answer->data + answer->records[i].at,
	    answer->type == DNS_AAAA);
}

/* Takes the len bytes behind data_len as a record, if no other has the same. */
static void
keep_record(struct dns_answer *answer, size_t len)
{
	const uint8_t *data = answer->data + answer->data_len;

	for (unsigned int i = 0; i < answer->n_records; i++) {
		const struct dns_record *other = &answer->records[i];

		if (other->len == len && memcmp(answer->data + other->at, data, len) == 0)
			return;
	}
	answer->records[answer->n_records++] = (struct dns_record){
		.at = answer->data_len,
		.len = (uint16_t)len,
	};
	answer->data_len = (uint16_t)(answer->data_len + len);
}

static uint32_t
lower_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

bool
dns_answer_add_addr(struct dns_answer *answer, const struct inaddr *addr, uint32_t ttl_s)
{
	size_t len = addr->is_ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);

	if (answer->n_records == DNS_RECORDS_MAX)
		return false;
	memcpy(answer->data + answer->data_len, addr->bytes, len);
	keep_record(answer, len);
	answer->ttl_s = lower_of(answer->ttl_s, ttl_s);
	return true;
}

/* RFC 2181 8: a TTL with the highest bit set is 0. */
static uint32_t
ttl_of(const struct record *record)
{
	return record->ttl <= INT32_MAX ? record->ttl : 0;
}

/* Returns false if it is malformed. */
static bool
read_record(struct dns_reader *reader, struct record *record)
{
	bool is_plain = dns_read_name(reader, DNS_COMPRESSED, record->owner);
	uint16_t data_len;

	record->type = dns_read16(reader);
	if (!is_plain)
		record->type = 0;
	record->class = dns_read16(reader);
	record->ttl = dns_read32(reader);
	data_len = dns_read16(reader);
	record->data = *reader;
	record->data.len = reader->at + data_len;
	dns_read_bytes(reader, data_len);
	return !reader->is_bad;
}

/* Whether the record says something about the name. */
static bool
is_about(const struct record *record, const char *name, uint16_t type)
{
	return record->type == type && record->class == DNS_CLASS_IN &&
	    strcmp(record->owner, name) == 0;
}

/* Appends the CNAME of the chain's end, if the message has one. Returns false if the message
 * cannot be used. */
static bool
follow_cname(struct dns_answer *answer, const struct reply *reply, bool *has_followed)
{
	struct dns_reader reader = reply->answers;
	struct dns_cname *cname = &answer->cnames[answer->n_cnames];
	struct record record;

	*has_followed = false;
	for (unsigned int i = 0; i < reply->n_answers; i++) {
		read_record(&reader, &record);
		if (!is_about(&record, dns_answer_end(answer), DNS_CNAME))
			continue;
		if (answer->n_cnames == DNS_CNAMES_MAX ||
		    !dns_read_name(&record.data, DNS_COMPRESSED, cname->target) ||
		    record.data.at != record.data.len || cname->target[0] == '\0')
			return false;
		cname->ttl_s = lower_of(ttl_of(&record), DNS_TTL_MAX_S);
		answer->n_cnames++;
		*has_followed = true;
		break;
	}
	return true;
}

/* Takes the records of the wanted type at the chain's end. Returns false if one of them is
 * malformed. */
static bool
take_records(struct dns_answer *answer, const struct reply *reply)
{
	struct dns_reader reader = reply->answers;
	struct record record;

	for (unsigned int i = 0; i < reply->n_answers; i++) {
		struct dns_writer writer = {
			.bytes = answer->data,
			.size = sizeof(answer->data),
			.len = answer->data_len,
		};

		read_record(&reader, &record);
		if (!is_about(&record, dns_answer_end(answer), answer->type))
			continue;
		switch (dns_rdata_copy(answer->type, &record.data, &writer)) {
		case DNS_RDATA_BAD:
			return false;
		case DNS_RDATA_DROPPED:
			continue;
		case DNS_RDATA_OK:
			break;
		}
		answer->ttl_s = lower_of(answer->ttl_s, ttl_of(&record));
		if (!writer.is_full && answer->n_records < DNS_RECORDS_MAX)
			keep_record(answer, writer.len - answer->data_len);
	}
	return true;
}

/* Whether the name is the zone's, or below it. */
static bool
is_in_zone(const char *name, const char *zone)
{
	size_t name_len = strlen(name), zone_len = strlen(zone);

	if (zone_len == 0)
		return true;
	return name_len >= zone_len && strcmp(name + name_len - zone_len, zone) == 0 &&
	    (name_len == zone_len || name[name_len - zone_len - 1] == '.');
}

/* RFC 2308 5: the lower of the TTL and the last field of SOA. */
static bool
take_negative_ttl(struct dns_answer *answer, const struct record *soa)
{
	const size_t last_field_len = 4;
	size_t len = soa->data.len - soa->data.at;
	uint32_t ttl_s;

	/* Two names of one byte, and five fields. */
	if (len < 2 + 5 * last_field_len)
		return false;
	ttl_s = load_be32(soa->data.bytes + soa->data.len - last_field_len);
	ttl_s = lower_of(ttl_s, ttl_of(soa));
	answer->negative_ttl_s = lower_of(ttl_s, DNS_NEGATIVE_TTL_MAX_S);
	return true;
}

/* Reads the sections behind the answers, which are at reader. */
static bool
read_rest(struct dns_answer *answer, struct reply *reply, struct dns_reader reader)
{
	struct record record;

	for (unsigned int i = 0; i < reply->n_authorities; i++) {
		if (!read_record(&reader, &record))
			return false;
		if (record.type == DNS_NS)
			reply->has_ns = true;
		if (record.type == DNS_SOA && record.class == DNS_CLASS_IN &&
		    is_in_zone(dns_answer_end(answer), record.owner)) {
			reply->has_soa = true;
			if (!take_negative_ttl(answer, &record))
				return false;
		}
	}
	for (unsigned int i = 0; i < reply->n_additional; i++) {
		if (!read_record(&reader, &record))
			return false;
		/* RFC 6891 6.1.3: the high bits of the error. */
		if (record.type == DNS_OPT)
			reply->rcode |= (uint16_t)(record.ttl >> 24 << 4);
	}
	return true;
}

/* Whether the message is the answer to ask: DNS_ANSWER_OK if so. */
static enum dns_answer_outcome
check_question(const struct dns_ask *ask, const uint8_t *bytes, size_t len,
    struct reply *reply)
{
	const size_t name_len = ask->question_end - DNS_HEADER_LEN - 4;
	struct dns_reader reader = { .bytes = bytes, .len = len };
	char folded[DNS_WIRE_NAME_MAX], asked[DNS_WIRE_NAME_MAX];
	uint16_t id = dns_read16(&reader), n_questions;

	reply->flags = dns_read16(&reader);
	reply->rcode = reply->flags & DNS_RCODE;
	n_questions = dns_read16(&reader);
	reply->n_answers = dns_read16(&reader);
	reply->n_authorities = dns_read16(&reader);
	reply->n_additional = dns_read16(&reader);
	if (reader.is_bad || id != load_be16(ask->bytes) ||
	    !(reply->flags & DNS_RESPONSE) || reply->flags & DNS_OPCODE)
		return DNS_ANSWER_FOREIGN;
	/* A server that refuses a message may leave the question out, as BIND does. */
	if (n_questions == 0 && reply->rcode != DNS_NOERROR &&
	    reply->rcode != DNS_NXDOMAIN)
		return DNS_ANSWER_FAILED;
	if (n_questions != 1 || len < ask->question_end ||
	    memcmp(bytes + ask->question_end - 4, ask->bytes + ask->question_end - 4,
		4) != 0)
		return DNS_ANSWER_FOREIGN;
	memcpy(folded, bytes + DNS_HEADER_LEN, name_len);
	memcpy(asked, ask->bytes + DNS_HEADER_LEN, name_len);
	reader.at = ask->question_end;
	reply->answers = reader;
	if (memcmp(folded, asked, name_len) == 0)
		return DNS_ANSWER_OK;
	dnsname_fold(folded, name_len);
	dnsname_fold(asked, name_len);
	return memcmp(folded, asked, name_len) == 0 ? DNS_ANSWER_OTHER_CASE
						    : DNS_ANSWER_FOREIGN;
}

/* Decodes the sections of a message that belongs to the question. Returns false if the message
 * cannot be used. */
static bool
read_sections(struct dns_answer *answer, struct reply *reply)
{
	struct dns_reader reader = reply->answers;
	struct record record;
	bool has_followed = answer->type != DNS_CNAME;

	if (reply->n_answers > SECTION_RECORDS_MAX)
		return false;
	for (unsigned int i = 0; i < reply->n_answers; i++) {
		if (!read_record(&reader, &record))
			return false;
	}
	while (has_followed) {
		if (!follow_cname(answer, reply, &has_followed))
			return false;
	}
	if (!read_rest(answer, reply, reader))
		return false;
	/* RFC 6604 3: the error is that of the chain's end, which then has no records. */
	return reply->rcode != DNS_NOERROR || take_records(answer, reply);
}

enum dns_answer_outcome
dns_answer_read(struct dns_answer *answer, const struct dns_ask *ask,
    const uint8_t *bytes, size_t len, uint16_t *rcode)
{
	struct reply reply = { 0 };
	enum dns_answer_outcome outcome = check_question(ask, bytes, len, &reply);

	*rcode = DNS_SERVFAIL;
	if (outcome == DNS_ANSWER_FAILED)
		*rcode = reply.rcode;
	if (outcome != DNS_ANSWER_OK)
		return outcome;
	if (reply.flags & DNS_TRUNCATED)
		return DNS_ANSWER_TRUNCATED;
	dns_answer_init(answer, ask->name, ask->type);
	if (!read_sections(answer, &reply))
		return DNS_ANSWER_BAD;
	*rcode = reply.rcode;
	if (reply.rcode == DNS_NXDOMAIN) {
		answer->is_nxdomain = true;
		return DNS_ANSWER_OK;
	}
	if (reply.rcode != DNS_NOERROR)
		return DNS_ANSWER_FAILED;
	if (answer->n_records > 0 || reply.has_soa)
		return DNS_ANSWER_OK;
	if (answer->n_cnames > 0)
		return DNS_ANSWER_UNFINISHED;
	/* RFC 2308 2.2: name servers without SOA are a hint to ask them. */
	return reply.has_ns && !(reply.flags & DNS_AUTHORITATIVE) ? DNS_ANSWER_FAILED
								  : DNS_ANSWER_OK;
}

bool
dns_answer_join(struct dns_answer *answer, const struct dns_answer *rest)
{
	const unsigned int n_cnames = answer->n_cnames;

	if (n_cnames + rest->n_cnames > DNS_CNAMES_MAX)
		return false;
	memcpy(answer->cnames + n_cnames, rest->cnames,
	    rest->n_cnames * sizeof(*rest->cnames));
	answer->n_cnames = (uint8_t)(n_cnames + rest->n_cnames);
	answer->is_nxdomain = rest->is_nxdomain;
	answer->ttl_s = rest->ttl_s;
	answer->negative_ttl_s = rest->negative_ttl_s;
	answer->n_records = rest->n_records;
	memcpy(answer->records, rest->records, sizeof(rest->records));
	answer->data_len = rest->data_len;
	memcpy(answer->data, rest->data, rest->data_len);
	return true;
}
