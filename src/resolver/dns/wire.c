/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes the fields of DNS messages. */
#include "resolver/dns/wire.h"

#include <string.h>

#include "base/bytes.h"

/* The two high bits of a label's length (RFC 1035 4.1.4). */
#define POINTER 0xc0
#define POINTER_OFFSET 0x3fff

/* A name has at most 127 labels, and a pointer behind each is enough. */
#define POINTERS_MAX 127

const uint8_t *
dns_read_bytes(struct dns_reader *reader, size_t n)
{
	const uint8_t *bytes = reader->bytes + reader->at;

	if (reader->is_bad || n > reader->len || reader->at > reader->len - n) {
		reader->is_bad = true;
		return NULL;
	}
	reader->at += n;
	return bytes;
}

uint8_t
dns_read8(struct dns_reader *reader)
{
	const uint8_t *bytes = dns_read_bytes(reader, 1);

	return bytes != NULL ? *bytes : 0;
}

uint16_t
dns_read16(struct dns_reader *reader)
{
	const uint8_t *bytes = dns_read_bytes(reader, 2);

	return bytes != NULL ? load_be16(bytes) : 0;
}

uint32_t
dns_read32(struct dns_reader *reader)
{
	const uint8_t *bytes = dns_read_bytes(reader, 4);

	return bytes != NULL ? load_be32(bytes) : 0;
}

/* A name that is being read. */
struct name_walk {
	struct dns_reader from;
	size_t segment;  /* where the labels begin that are being read */
	size_t end;      /* behind the first pointer; 0: none yet */
	size_t wire_len; /* of the labels so far */
	unsigned int n_pointers;
	char *text;
	size_t text_len;
	bool has_odd_bytes;
};

static void
take_pointer(struct name_walk *walk, uint8_t first_byte)
{
	size_t target =
	    ((size_t)first_byte << 8 | dns_read8(&walk->from)) & POINTER_OFFSET;

	if (target >= walk->segment || target < DNS_HEADER_LEN ||
	    walk->n_pointers++ >= POINTERS_MAX)
		walk->from.is_bad = true;
	if (walk->end == 0)
		walk->end = walk->from.at;
	walk->from.at = walk->segment = target;
}

static void
take_label(struct name_walk *walk, size_t label_len)
{
	const uint8_t *bytes = dns_read_bytes(&walk->from, label_len);

	walk->wire_len += 1 + label_len;
	/* The zero at the end counts as well. */
	if (bytes == NULL || walk->wire_len >= DNS_WIRE_NAME_MAX) {
		walk->from.is_bad = true;
		return;
	}
	if (walk->text_len > 0)
		walk->text[walk->text_len++] = '.';
	memcpy(walk->text + walk->text_len, bytes, label_len);
	dnsname_fold(walk->text + walk->text_len, label_len);
	/* memchr(3) and not strchr(3): a NUL is not among them. */
	for (size_t i = 0; i < label_len; i++) {
		if (memchr(DNSNAME_BYTES, walk->text[walk->text_len + i],
			sizeof(DNSNAME_BYTES) - 1) == NULL)
			walk->has_odd_bytes = true;
	}
	walk->text_len += label_len;
}

bool
dns_read_name(struct dns_reader *reader, enum dns_compression compression,
    char text[DNS_NAME_SIZE])
{
	struct name_walk walk = { .from = *reader, .segment = reader->at, .text = text };
	uint8_t label_len;

	while ((label_len = dns_read8(&walk.from)) != 0) {
		if (label_len <= DNSNAME_LABEL_MAX)
			take_label(&walk, label_len);
		else if (compression == DNS_COMPRESSED &&
		    (label_len & POINTER) == POINTER)
			take_pointer(&walk, label_len);
		else
			walk.from.is_bad = true;
		if (walk.from.is_bad)
			break;
	}
	reader->is_bad = walk.from.is_bad;
	reader->at = walk.end != 0 ? walk.end : walk.from.at;
	if (reader->is_bad || walk.has_odd_bytes)
		walk.text_len = 0;
	text[walk.text_len] = '\0';
	return !reader->is_bad && !walk.has_odd_bytes;
}

static uint8_t *
room_for(struct dns_writer *writer, size_t n)
{
	uint8_t *bytes = writer->bytes + writer->len;

	if (writer->is_full || n > writer->size - writer->len) {
		writer->is_full = true;
		return NULL;
	}
	writer->len += n;
	return bytes;
}

void
dns_write8(struct dns_writer *writer, uint8_t value)
{
	uint8_t *bytes = room_for(writer, 1);

	if (bytes != NULL)
		*bytes = value;
}

void
dns_write16(struct dns_writer *writer, uint16_t value)
{
	uint8_t *bytes = room_for(writer, 2);

	if (bytes != NULL)
		store_be16(bytes, value);
}

void
dns_write32(struct dns_writer *writer, uint32_t value)
{
	uint8_t *bytes = room_for(writer, 4);

	if (bytes != NULL)
		store_be32(bytes, value);
}

void
dns_write_bytes(struct dns_writer *writer, const void *bytes, size_t len)
{
	uint8_t *to = room_for(writer, len);

	if (to != NULL && len > 0)
		memcpy(to, bytes, len);
}

void
dns_write_name(struct dns_writer *writer, const char *text)
{
	while (*text != '\0') {
		size_t label_len = strcspn(text, ".");

		dns_write8(writer, (uint8_t)label_len);
		dns_write_bytes(writer, text, label_len);
		text += label_len;
		text += *text == '.';
	}
	dns_write8(writer, 0);
}
