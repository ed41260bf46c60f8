/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads headers and questions of DNS messages, and makes short answers. */
#include "resolver/message.h"

#include <string.h>

#include "base/bytes.h"

/* Offsets into the header. */
#define FLAGS 2
#define N_QUESTIONS 4
#define N_ANSWERS 6

/* RFC 1995 and RFC 5936: zone transfers. */
#define TYPE_IXFR 251
#define TYPE_AXFR 252

/* Reads the only question. Returns its end, or 0 if it is not well formed. */
static size_t
read_name_and_type(const uint8_t *bytes, size_t len, uint16_t *type)
{
	struct dns_reader reader = { .bytes = bytes, .len = len, .at = DNS_HEADER_LEN };
	char name[DNS_NAME_SIZE];

	/* Any bytes may be in the name. Names of a question are not compressed: none precedes
	 * them. */
	(void)dns_read_name(&reader, DNS_PLAIN, name);
	*type = dns_read16(&reader);
	(void)dns_read16(&reader);
	return reader.is_bad ? 0 : reader.at;
}

static enum dns_rcode
check_question(const uint8_t *bytes, size_t len, size_t *question_end)
{
	size_t end;
	uint16_t type;

	if (load_be16(bytes + FLAGS) & DNS_OPCODE)
		return DNS_NOTIMP;
	if (load_be16(bytes + N_QUESTIONS) != 1 || load_be16(bytes + N_ANSWERS) != 0)
		return DNS_FORMERR;
	end = read_name_and_type(bytes, len, &type);
	if (end == 0)
		return DNS_FORMERR;
	*question_end = end;
	return type == TYPE_AXFR || type == TYPE_IXFR ? DNS_NOTIMP : DNS_NOERROR;
}

enum message_kind
message_read_question(const uint8_t *bytes, size_t len, struct message_question *question)
{
	if (len < DNS_HEADER_LEN || load_be16(bytes + FLAGS) & DNS_RESPONSE)
		return MESSAGE_IGNORED;
	question->end = DNS_HEADER_LEN;
	question->rcode = check_question(bytes, len, &question->end);
	return question->rcode == DNS_NOERROR ? MESSAGE_QUESTION : MESSAGE_BAD;
}

static enum dns_rcode
rcode_of(const uint8_t *bytes)
{
	return load_be16(bytes + FLAGS) & DNS_RCODE;
}

bool
message_is_answer(const uint8_t *bytes, size_t len, const uint8_t *asked,
    size_t question_end)
{
	uint16_t flags;

	if (len < DNS_HEADER_LEN || message_id(bytes) != message_id(asked))
		return false;
	flags = load_be16(bytes + FLAGS);
	if (!(flags & DNS_RESPONSE) || flags & DNS_OPCODE)
		return false;
	if (load_be16(bytes + N_QUESTIONS) == 0)
		return len == DNS_HEADER_LEN && rcode_of(bytes) != DNS_NOERROR;
	return load_be16(bytes + N_QUESTIONS) == 1 && len >= question_end &&
	    memcmp(bytes + DNS_HEADER_LEN, asked + DNS_HEADER_LEN,
		question_end - DNS_HEADER_LEN) == 0;
}

bool
message_is_failure(const uint8_t *bytes)
{
	enum dns_rcode rcode = rcode_of(bytes);

	return rcode == DNS_SERVFAIL || rcode == DNS_NOTIMP || rcode == DNS_REFUSED ||
	    (rcode == DNS_FORMERR && load_be16(bytes + N_QUESTIONS) == 0);
}

size_t
message_make_error(const uint8_t *bytes, size_t question_end, enum dns_rcode rcode,
    uint8_t *out)
{
	uint16_t kept = load_be16(bytes + FLAGS) & (DNS_OPCODE | DNS_RECURSION_DESIRED);

	memmove(out, bytes, question_end);
	store_be16(out + FLAGS,
	    (uint16_t)(kept | DNS_RESPONSE | DNS_RECURSION_AVAILABLE | rcode));
	memset(out + N_QUESTIONS, 0, DNS_HEADER_LEN - N_QUESTIONS);
	store_be16(out + N_QUESTIONS, question_end > DNS_HEADER_LEN);
	return question_end;
}

size_t
message_cut(uint8_t *bytes, size_t question_end)
{
	store_be16(bytes + FLAGS, load_be16(bytes + FLAGS) | DNS_TRUNCATED);
	memset(bytes + N_ANSWERS, 0, DNS_HEADER_LEN - N_ANSWERS);
	return question_end;
}

uint16_t
message_id(const uint8_t *bytes)
{
	return load_be16(bytes);
}

void
message_set_id(uint8_t *bytes, uint16_t id)
{
	store_be16(bytes, id);
}
