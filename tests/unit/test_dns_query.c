/* SPDX-License-Identifier: BSD-2-Clause */
/* Queries of the guest: each rule on their form, and queries that slirpd builds. */
#include "dns_fixture.h"

static struct dns_query query;

static enum dns_query_outcome
read_message(void)
{
	uint8_t *exact = message_copy();
	enum dns_query_outcome outcome = dns_query_read(&query, exact, message.len);

	free(exact);
	return outcome;
}

static void
begin_query(const char *name, uint16_t type)
{
	begin(0x1234, DNS_RECURSION_DESIRED);
	question(name, type, DNS_CLASS_IN);
}

/* Adds OPT; fields take the place of the TTL. */
static void
opt(uint16_t udp_size, uint32_t fields, const void *options, size_t len)
{
	dns_write8(&message, 0);
	dns_write16(&message, DNS_OPT);
	dns_write16(&message, udp_size);
	dns_write32(&message, fields);
	dns_write16(&message, (uint16_t)len);
	dns_write_bytes(&message, options, len);
	count(ADDITIONAL);
}

static void
test_query_is_read(void **state)
{
	(void)state;
	begin_query("WWW.Example.ORG", DNS_HTTPS);
	assert_int_equal(read_message(), DNS_QUERY_OK);
	assert_int_equal(query.id, 0x1234);
	assert_int_equal(query.flags, DNS_RECURSION_DESIRED);
	assert_int_equal(query.type, DNS_HTTPS);
	assert_string_equal(query.name, "www.example.org");
	assert_false(query.has_edns);
	assert_int_equal(query.udp_size, 512);
	/* The answer repeats the guest's case: resolvers compare it. */
	assert_int_equal(query.question_len, 17 + 4);
	assert_memory_equal(query.question, "\3WWW\7Example\3ORG\0", 17);
}

static void
test_flags_of_the_query_are_kept_or_dropped(void **state)
{
	const uint16_t authentic_data = 0x0020, reserved = 0x0040;

	(void)state;
	begin(1,
	    DNS_RECURSION_DESIRED | DNS_CHECKING_DISABLED | authentic_data | reserved |
		DNS_AUTHORITATIVE | DNS_RECURSION_AVAILABLE);
	question("a", DNS_A, DNS_CLASS_IN);
	assert_int_equal(read_message(), DNS_QUERY_OK);
	assert_int_equal(query.flags, DNS_RECURSION_DESIRED | DNS_CHECKING_DISABLED);
}

static void
test_answers_and_scraps_are_ignored(void **state)
{
	(void)state;
	begin(1, DNS_RESPONSE);
	question("a", DNS_A, DNS_CLASS_IN);
	assert_int_equal(read_message(), DNS_QUERY_IGNORED);
	begin_query("a", DNS_A);
	for (message.len = 1; message.len < DNS_HEADER_LEN; message.len++)
		assert_int_equal(read_message(), DNS_QUERY_IGNORED);
}

static void
test_every_truncation_is_a_format_error(void **state)
{
	size_t whole;

	(void)state;
	begin_query("www.example", DNS_A);
	opt(1232, 0, "\0\12\0\3abc", 7);
	whole = message.len;
	assert_int_equal(read_message(), DNS_QUERY_OK);
	for (message.len = DNS_HEADER_LEN; message.len < whole; message.len++)
		assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	message.len = whole;
	dns_write8(&message, 0);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
}

static void
test_other_opcodes_and_classes_are_not_implemented(void **state)
{
	const uint16_t chaos = 3, any = 255;

	(void)state;
	for (uint16_t opcode = 1; opcode < 16; opcode++) {
		begin(1, (uint16_t)(opcode << 11));
		question("a", DNS_A, DNS_CLASS_IN);
		assert_int_equal(read_message(), DNS_QUERY_NOTIMP);
		assert_int_equal(query.flags, opcode << 11);
	}
	begin(1, 0);
	question("version.bind", DNS_TXT, chaos);
	assert_int_equal(read_message(), DNS_QUERY_NOTIMP);
	begin(1, 0);
	question("a", DNS_A, any);
	assert_int_equal(read_message(), DNS_QUERY_NOTIMP);
}

static void
test_one_question_and_nothing_else(void **state)
{
	static const enum section sections[] = { ANSWERS, AUTHORITIES, ADDITIONAL };

	(void)state;
	begin(1, 0);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	begin_query("a", DNS_A);
	question("b", DNS_A, DNS_CLASS_IN);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	for (size_t i = 0; i < 3; i++) {
		begin_query("a", DNS_A);
		record_addr(sections[i], "a", 1, "192.0.2.1");
		assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	}
	for (size_t i = 0; i < 3; i++) {
		begin_query("a", DNS_A);
		count(sections[i]);
		assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	}
	/* A signature of the whole message (RFC 8945). */
	begin_query("a", DNS_A);
	record(ADDITIONAL, "", 250, 0, NULL, 0);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	begin(1, DNS_TRUNCATED);
	question("a", DNS_A, DNS_CLASS_IN);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
}

static void
test_edns_is_read(void **state)
{
	const uint32_t dnssec_ok = 0x8000, version1 = 0x10000;

	(void)state;
	begin_query("a", DNS_A);
	opt(4096, dnssec_ok, "\0\12\0\10\1\2\3\4\5\6\7\10\0\10\0\4\0\1\0\0", 20);
	assert_int_equal(read_message(), DNS_QUERY_OK);
	assert_true(query.has_edns);
	assert_int_equal(query.udp_size, 4096);

	begin_query("a", DNS_A);
	opt(100, 0, NULL, 0);
	assert_int_equal(read_message(), DNS_QUERY_OK);
	assert_int_equal(query.udp_size, 512);

	begin_query("a", DNS_A);
	opt(1232, version1, NULL, 0);
	assert_int_equal(read_message(), DNS_QUERY_BADVERS);
	assert_true(query.has_edns);
}

static void
test_malformed_edns(void **state)
{
	static const char *const options[] = { "\0", "\0\12", "\0\12\0", "\0\12\0\1",
		"\0\12\0\0\0" };
	static const size_t lens[] = { 1, 2, 3, 4, 5 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		begin_query("a", DNS_A);
		opt(1232, 0, options[i], lens[i]);
		assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	}
	/* RFC 6891 6.1.1: one OPT, of the root. */
	begin_query("a", DNS_A);
	opt(1232, 0, NULL, 0);
	opt(1232, 0, NULL, 0);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
	begin_query("a", DNS_A);
	record(ADDITIONAL, "a", DNS_OPT, 0, NULL, 0);
	assert_int_equal(read_message(), DNS_QUERY_FORMERR);
}

/* A query with these bytes as its name. */
static enum dns_query_outcome
read_name(const void *bytes, size_t len)
{
	begin(1, 0);
	count(QUESTIONS);
	dns_write_bytes(&message, bytes, len);
	dns_write16(&message, DNS_A);
	dns_write16(&message, DNS_CLASS_IN);
	return read_message();
}

static void
test_names_that_no_host_has(void **state)
{
	static const char *const numbers[] = { "1", "a.1", "1.2.3.4", "10.0.0.300" };
	char label[] = "\3a?b\4test";

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		const char *allowed =
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789-_";

		label[2] = (char)byte;
		assert_int_equal(read_name(label, sizeof(label)),
		    byte != 0 && strchr(allowed, byte) != NULL ? DNS_QUERY_OK
							       : DNS_QUERY_BAD_NAME);
		assert_int_equal(query.question_len, sizeof(label) + 4);
		if (byte == '.')
			assert_string_equal(query.name, "");
	}
	assert_int_equal(read_name("", 1), DNS_QUERY_BAD_NAME);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		begin_query(numbers[i], DNS_A);
		assert_int_equal(read_message(), DNS_QUERY_BAD_NAME);
		assert_string_equal(query.name, "");
		assert_int_equal(query.question_len, strlen(numbers[i]) + 6);
	}
	/* Also if the message is refused for something else. */
	begin(1, 0);
	question("a.1", DNS_A, DNS_CLASS_IN + 2);
	assert_int_equal(read_message(), DNS_QUERY_NOTIMP);
	assert_string_equal(query.name, "");
}

static void
test_malformed_names(void **state)
{
	uint8_t name[260];

	(void)state;
	/* Pointers, into the header, to itself, forward, and to the name before it. */
	assert_int_equal(read_name("\300\0", 2), DNS_QUERY_FORMERR);
	assert_int_equal(read_name("\300\14", 2), DNS_QUERY_FORMERR);
	assert_int_equal(read_name("\1a\300\14", 4), DNS_QUERY_FORMERR);
	assert_int_equal(read_name("\1a\300\377", 4), DNS_QUERY_FORMERR);
	/* The two kinds of labels that do not exist (RFC 6891 5), and a label of 64 bytes. */
	memset(name, 'a', sizeof(name));
	name[0] = 64;
	name[65] = 0;
	assert_int_equal(read_name(name, 66), DNS_QUERY_FORMERR);
	name[0] = 0x80;
	assert_int_equal(read_name(name, 66), DNS_QUERY_FORMERR);
	name[0] = 63;
	name[64] = 0;
	assert_int_equal(read_name(name, 65), DNS_QUERY_OK);
	/* 255 and 256 bytes. */
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < 256; i += 64)
		name[i] = 63;
	name[192] = 61;
	name[254] = 0;
	assert_int_equal(read_name(name, 255), DNS_QUERY_OK);
	assert_int_equal(strlen(query.name), 253);
	name[192] = 62;
	name[254] = 'a';
	name[255] = 0;
	assert_int_equal(read_name(name, 256), DNS_QUERY_FORMERR);
}

static void
test_size_of_queries(void **state)
{
	static uint8_t padding[DNS_QUERY_MAX];
	const size_t around = DNS_HEADER_LEN + 3 + 4 + 11 + 4;

	(void)state;
	for (size_t surplus = 0; surplus < 2; surplus++) {
		size_t len = DNS_QUERY_MAX - around + surplus;

		begin_query("a", DNS_A);
		store_be16(padding, 12); /* RFC 7830 */
		store_be16(padding + 2, (uint16_t)len);
		opt(1232, 0, padding, len + 4);
		assert_int_equal(message.len, DNS_QUERY_MAX + surplus);
		assert_int_equal(read_message(),
		    surplus ? DNS_QUERY_FORMERR : DNS_QUERY_OK);
	}
}

static void
test_ask_is_a_query(void **state)
{
	static uint8_t ones[DNS_CASE_BITS_LEN];
	uint8_t alternate[DNS_CASE_BITS_LEN];
	struct dns_ask ask;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	memset(alternate, 0x55, sizeof(alternate));
	dns_ask_build(&ask, "pypi.org", DNS_AAAA, 0xbeef, ones, true);
	assert_int_equal(ask.len, 12 + 10 + 4 + 11);
	assert_memory_equal(ask.bytes,
	    "\xbe\xef\1\0\0\1\0\0\0\0\0\1\4PYPI\3ORG\0\0\34\0\1", 26);
	assert_memory_equal(ask.bytes + 26, "\0\0\51\4\320\0\0\0\0\0\0", 11);
	assert_int_equal(ask.question_end, 26);
	assert_int_equal(dns_query_read(&query, ask.bytes, ask.len), DNS_QUERY_OK);
	assert_string_equal(query.name, "pypi.org");
	assert_int_equal(query.udp_size, DNS_UDP_SIZE);

	dns_ask_build(&ask, "pypi.org", DNS_A, 1, alternate, false);
	assert_int_equal(ask.len, 26);
	assert_memory_equal(ask.bytes + 12, "\4pYpI\3OrG\0", 10);
	assert_int_equal(dns_query_read(&query, ask.bytes, ask.len), DNS_QUERY_OK);
	assert_false(query.has_edns);

	dns_ask_build(&ask, "az-09_.org", DNS_A, 1, ones, false);
	assert_memory_equal(ask.bytes + 12, "\6AZ-09_\3ORG\0", 12);
	dns_ask_build(&ask, "pypi.org", DNS_A, 1, NULL, false);
	assert_memory_equal(ask.bytes + 12, "\4pypi\3org\0", 10);
}

static void
test_longest_ask_fits(void **state)
{
	char name[DNS_NAME_SIZE];
	struct dns_ask ask;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	dns_ask_build(&ask, name, DNS_A, 1, NULL, true);
	assert_int_equal(ask.len, sizeof(ask.bytes));
	assert_int_equal(dns_query_read(&query, ask.bytes, ask.len), DNS_QUERY_OK);
	assert_string_equal(query.name, name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_is_read),
		cmocka_unit_test(test_flags_of_the_query_are_kept_or_dropped),
		cmocka_unit_test(test_answers_and_scraps_are_ignored),
		cmocka_unit_test(test_every_truncation_is_a_format_error),
		cmocka_unit_test(test_other_opcodes_and_classes_are_not_implemented),
		cmocka_unit_test(test_one_question_and_nothing_else),
		cmocka_unit_test(test_edns_is_read),
		cmocka_unit_test(test_malformed_edns),
		cmocka_unit_test(test_names_that_no_host_has),
		cmocka_unit_test(test_malformed_names),
		cmocka_unit_test(test_size_of_queries),
		cmocka_unit_test(test_ask_is_a_query),
		cmocka_unit_test(test_longest_ask_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
