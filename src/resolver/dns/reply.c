/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds answers to the guest. */
#include "resolver/dns/reply.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* Offsets into the header. */
#define FLAGS_OFFSET 2
#define N_ANSWERS_OFFSET 6

#define EDE_OPTION 15 /* RFC 8914 */

#define OPT_LEN 11
#define EDE_LEN 6

static_assert(DNS_HEADER_LEN + DNS_QUESTION_MAX + OPT_LEN + EDE_LEN + DNS_EDE_TEXT_MAX <=
	DNS_UDP_SIZE_MIN,
    "a reply without an answer always fits");

/* The low 14 bits of a pointer (RFC 1035 4.1.4). */
static_assert(DNS_REPLY_MAX <= 0x3fff, "a pointer leads to each byte");

static size_t
ede_text_len(const struct dns_reply *reply)
{
	return reply->ede_text != NULL ? strnlen(reply->ede_text, DNS_EDE_TEXT_MAX) : 0;
}

static size_t
opt_len(const struct dns_query *query, const struct dns_reply *reply)
{
	if (!query->has_edns)
		return 0;
	return reply->ede == DNS_EDE_NONE ? OPT_LEN
					  : OPT_LEN + EDE_LEN + ede_text_len(reply);
}

static void
write_opt(struct dns_writer *writer, const struct dns_query *query,
    const struct dns_reply *reply)
{
	size_t text_len = ede_text_len(reply);

	if (!query->has_edns)
		return;
	dns_write8(writer, 0);
	dns_write16(writer, DNS_OPT);
	dns_write16(writer, DNS_UDP_SIZE);
	/* RFC 6891 6.1.3: the high bits of the error. */
	dns_write32(writer, (uint32_t)reply->rcode >> 4 << 24);
	if (reply->ede == DNS_EDE_NONE) {
		dns_write16(writer, 0);
		return;
	}
	dns_write16(writer, (uint16_t)(EDE_LEN + text_len));
	dns_write16(writer, EDE_OPTION);
	dns_write16(writer, (uint16_t)(2 + text_len));
	dns_write16(writer, (uint16_t)reply->ede);
	dns_write_bytes(writer, reply->ede_text, text_len);
}

/* Writes a record up to its data. The owner is a name that precedes it in the message. */
static void
write_record_head(struct dns_writer *writer, size_t owner_at, uint16_t type,
    uint32_t ttl_s)
{
	dns_write16(writer, (uint16_t)(0xc000 | owner_at));
	dns_write16(writer, type);
	dns_write16(writer, DNS_CLASS_IN);
	dns_write32(writer, ttl_s);
}

/* Writes the chain. Returns where the name is to which it leads. */
static size_t
write_cnames(struct dns_writer *writer, const struct dns_answer *answer)
{
	size_t owner_at = DNS_HEADER_LEN;

	for (unsigned int i = 0; i < answer->n_cnames; i++) {
		const struct dns_cname *cname = &answer->cnames[i];

		write_record_head(writer, owner_at, DNS_CNAME, cname->ttl_s);
		/* As labels, a name has a length more than dots, and the zero. */
		dns_write16(writer, (uint16_t)(strlen(cname->target) + 2));
		owner_at = writer->len;
		dns_write_name(writer, cname->target);
	}
	return owner_at;
}

static void
write_answer(struct dns_writer *writer, const struct dns_answer *answer)
{
	size_t owner_at = write_cnames(writer, answer);

	for (unsigned int i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];

		write_record_head(writer, owner_at, answer->type, answer->ttl_s);
		dns_write16(writer, record->len);
		dns_write_bytes(writer, answer->data + record->at, record->len);
	}
	if (!writer->is_full)
		store_be16(writer->bytes + N_ANSWERS_OFFSET,
		    (uint16_t)(answer->n_cnames + answer->n_records));
}

static enum dns_rcode
rcode_of(const struct dns_reply *reply)
{
	if (reply->answer == NULL)
		return reply->rcode;
	return reply->answer->is_nxdomain ? DNS_NXDOMAIN : DNS_NOERROR;
}

size_t
dns_reply_write(const struct dns_query *query, const struct dns_reply *reply,
    uint8_t *bytes, size_t size)
{
	struct dns_writer writer = { .bytes = bytes,
		.size = size - opt_len(query, reply) };
	uint16_t flags = query->flags | DNS_RESPONSE | DNS_RECURSION_AVAILABLE;
	size_t question_end;

	dns_write16(&writer, query->id);
	dns_write16(&writer, (uint16_t)(flags | (rcode_of(reply) & DNS_RCODE)));
	dns_write16(&writer, query->question_len > 0);
	dns_write32(&writer, 0);
	dns_write16(&writer, query->has_edns);
	dns_write_bytes(&writer, query->question, query->question_len);
	question_end = writer.len;
	if (reply->answer != NULL)
		write_answer(&writer, reply->answer);
	if (writer.is_full || reply->is_truncated) {
		store_be16(bytes + FLAGS_OFFSET,
		    load_be16(bytes + FLAGS_OFFSET) | DNS_TRUNCATED);
		writer.len = question_end;
		writer.is_full = false;
	}
	writer.size = size;
	write_opt(&writer, query, reply);
	return writer.len;
}
