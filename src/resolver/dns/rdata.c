/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies the data of records, type by type. */
#include "resolver/dns/rdata.h"

#include "resolver/dns/svcb.h"

/* RFC 8659 4.1: a tag has 1 to 15 letters and digits. */
#define CAA_TAG_MAX 15

/* The fields of a type, a letter each: see copy_field(). */
static const struct form {
	uint16_t type;
	const char *fields;
} forms[] = {
	{ DNS_A, "4" },
	{ DNS_NS, "n" },
	{ DNS_CNAME, "n" },
	{ DNS_SOA, "nn44444" },
	{ DNS_PTR, "n" },
	{ DNS_MX, "2n" },
	{ DNS_TXT, "t" },
	{ DNS_AAAA, "4444" },
	{ DNS_SRV, "222n" },
	{ DNS_SVCB, "s" },
	{ DNS_HTTPS, "s" },
	{ DNS_CAA, "c" },
};

static const struct form *
find_form(uint16_t type)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (forms[i].type == type)
			return &forms[i];
	}
	return NULL;
}

bool
dns_type_is_known(uint16_t type)
{
	return find_form(type) != NULL;
}

static enum dns_rdata_outcome
copy_name(struct dns_reader *reader, struct dns_writer *writer)
{
	char name[DNS_NAME_SIZE];

	if (!dns_read_name(reader, DNS_COMPRESSED, name))
		return DNS_RDATA_BAD;
	dns_write_name(writer, name);
	return DNS_RDATA_OK;
}

/* Strings up to the end, at least one (RFC 1035 3.3.14). */
static void
copy_text(struct dns_reader *reader, struct dns_writer *writer)
{
	do {
		uint8_t len = dns_read8(reader);
		const uint8_t *bytes = dns_read_bytes(reader, len);

		dns_write8(writer, len);
		if (bytes != NULL)
			dns_write_bytes(writer, bytes, len);
	} while (!reader->is_bad && reader->at < reader->len);
}

static void
copy_caa(struct dns_reader *reader, struct dns_writer *writer)
{
	uint8_t flags = dns_read8(reader), tag_len = dns_read8(reader);
	size_t len = reader->len - reader->at;
	const uint8_t *bytes = dns_read_bytes(reader, len);

	if (tag_len == 0 || tag_len > CAA_TAG_MAX || tag_len > len)
		reader->is_bad = true;
	if (reader->is_bad)
		return;
	dns_write8(writer, flags);
	dns_write8(writer, tag_len);
	dns_write_bytes(writer, bytes, len);
}

static enum dns_rdata_outcome
copy_field(char field, struct dns_reader *reader, struct dns_writer *writer)
{
	switch (field) {
	case '2':
		dns_write16(writer, dns_read16(reader));
		break;
	case '4':
		dns_write32(writer, dns_read32(reader));
		break;
	case 'n':
		return copy_name(reader, writer);
	case 't':
		copy_text(reader, writer);
		break;
	case 's':
		return dns_svcb_copy(reader, writer);
	case 'c':
		copy_caa(reader, writer);
		break;
	}
	return DNS_RDATA_OK;
}

enum dns_rdata_outcome
dns_rdata_copy(uint16_t type, struct dns_reader *reader, struct dns_writer *writer)
{
	const struct dns_writer before = *writer;
	const struct form *form = find_form(type);
	enum dns_rdata_outcome outcome = DNS_RDATA_OK;

	/* In mode audit, the guest asks for any type. */
	if (form == NULL)
		return DNS_RDATA_DROPPED;
	for (const char *field = form->fields; *field != '\0'; field++) {
		outcome = copy_field(*field, reader, writer);
		if (outcome != DNS_RDATA_OK)
			break;
	}
	/* A record that is dropped is not read to its end. */
	if (reader->is_bad || (outcome == DNS_RDATA_OK && reader->at != reader->len))
		outcome = DNS_RDATA_BAD;
	if (outcome != DNS_RDATA_OK)
		*writer = before;
	return outcome;
}
