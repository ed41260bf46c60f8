/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes queries of the guest, and builds queries for name servers. */
#include "resolver/dns/query.h"

#include <string.h>

#include "base/bytes.h"

/* Fields of OPT that are in the place of a TTL (RFC 6891 6.1.3). */
#define OPT_VERSION 0x00ff0000

static void
read_question(struct dns_query *query, struct dns_reader *reader, uint16_t *class,
    bool *is_host)
{
	size_t begin = reader->at;

	dns_read_name(reader, DNS_PLAIN, query->name);
	/* Other processes get the name, and refuse one that is not canonical. */
	*is_host = dnsname_check(query->name, strlen(query->name)) == DNSNAME_OK;
	if (!*is_host)
		query->name[0] = '\0';
	query->type = dns_read16(reader);
	*class = dns_read16(reader);
	if (reader->is_bad)
		return;
	query->question_len = (uint16_t)(reader->at - begin);
	memcpy(query->question, reader->bytes + begin, query->question_len);
}

/* Returns the version of EDNS. */
static uint8_t
read_opt(struct dns_query *query, struct dns_reader *reader)
{
	uint8_t owner = dns_read8(reader);
	uint16_t type = dns_read16(reader);
	uint16_t udp_size = dns_read16(reader);
	uint32_t fields = dns_read32(reader);
	size_t end = dns_read16(reader);

	end += reader->at;
	if (owner != 0 || type != DNS_OPT)
		reader->is_bad = true;
	while (!reader->is_bad && reader->at < end) {
		dns_read16(reader); /* the option's code */
		dns_read_bytes(reader, dns_read16(reader));
	}
	if (reader->at != end)
		reader->is_bad = true;
	query->has_edns = true;
	/* RFC 6891 6.2.3: less than 512 means 512. */
	query->udp_size = udp_size > DNS_UDP_SIZE_MIN ? udp_size : DNS_UDP_SIZE_MIN;
	return (uint8_t)((fields & OPT_VERSION) >> 16);
}

enum dns_query_outcome
dns_query_read(struct dns_query *query, const uint8_t *bytes, size_t len)
{
	struct dns_reader reader = { .bytes = bytes, .len = len };
	uint16_t flags, n_questions, n_answers, n_authorities, n_additional, class = 0;
	uint8_t version = 0;
	bool is_host = false;

	*query = (struct dns_query){ .id = dns_read16(&reader) };
	flags = dns_read16(&reader);
	n_questions = dns_read16(&reader);
	n_answers = dns_read16(&reader);
	n_authorities = dns_read16(&reader);
	n_additional = dns_read16(&reader);
	if (reader.is_bad || flags & DNS_RESPONSE)
		return DNS_QUERY_IGNORED;
	query->flags =
	    flags & (DNS_OPCODE | DNS_RECURSION_DESIRED | DNS_CHECKING_DISABLED);
	query->udp_size = DNS_UDP_SIZE_MIN;
	/* The message of another opcode has another form. */
	if (flags & DNS_OPCODE)
		return DNS_QUERY_NOTIMP;
	if (len > DNS_QUERY_MAX || flags & DNS_TRUNCATED || n_questions != 1 ||
	    n_answers != 0 || n_authorities != 0 || n_additional > 1)
		return DNS_QUERY_FORMERR;
	read_question(query, &reader, &class, &is_host);
	if (n_additional == 1 && !reader.is_bad)
		version = read_opt(query, &reader);
	if (reader.is_bad || reader.at != len)
		return DNS_QUERY_FORMERR;
	if (version != 0)
		return DNS_QUERY_BADVERS;
	if (class != DNS_CLASS_IN)
		return DNS_QUERY_NOTIMP;
	return is_host ? DNS_QUERY_OK : DNS_QUERY_BAD_NAME;
}

static void
mix_case(uint8_t *name, size_t len, const uint8_t case_bits[DNS_CASE_BITS_LEN])
{
	/* A length of a label is at most 63, and so no letter. */
	for (size_t i = 0; i < len; i++) {
		if (name[i] >= 'a' && name[i] <= 'z' && case_bits[i / 8] >> i % 8 & 1)
			name[i] = (uint8_t)(name[i] - 'a' + 'A');
	}
}

void
dns_ask_build(struct dns_ask *ask, const char *name, uint16_t type, uint16_t id,
    const uint8_t case_bits[DNS_CASE_BITS_LEN], bool has_edns)
{
	struct dns_writer writer = { .bytes = ask->bytes, .size = sizeof(ask->bytes) };

	*ask = (struct dns_ask){ .type = type };
	memcpy(ask->name, name, strlen(name) + 1);
	dns_write16(&writer, id);
	dns_write16(&writer, DNS_RECURSION_DESIRED);
	dns_write16(&writer, 1);
	dns_write32(&writer, 0);
	dns_write16(&writer, has_edns);
	dns_write_name(&writer, name);
	if (case_bits != NULL)
		mix_case(ask->bytes + DNS_HEADER_LEN, writer.len - DNS_HEADER_LEN,
		    case_bits);
	dns_write16(&writer, type);
	dns_write16(&writer, DNS_CLASS_IN);
	ask->question_end = writer.len;
	if (has_edns) {
		dns_write8(&writer, 0);
		dns_write16(&writer, DNS_OPT);
		dns_write16(&writer, DNS_UDP_SIZE);
		dns_write32(&writer, 0);
		dns_write16(&writer, 0);
	}
	ask->len = writer.len;
}
