/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of name servers: the question, the chain, the records that count, and bad messages. */
#include "dns_fixture.h"

#include <stdio.h>

static struct dns_ask ask;
static struct dns_answer answer;
static uint16_t rcode;

static enum dns_answer_outcome
read_message(void)
{
	uint8_t *exact = message_copy();
	enum dns_answer_outcome outcome;

	outcome = dns_answer_read(&answer, &ask, exact, message.len, &rcode);
	free(exact);
	return outcome;
}

/* Asks for the name, with every second letter in upper case. */
static void
begin_reply(const char *name, uint16_t type, uint16_t flags)
{
	uint8_t bits[DNS_CASE_BITS_LEN];

	memset(bits, 0x55, sizeof(bits));
	dns_ask_build(&ask, name, type, 0x4321, bits, true);
	begin_answer(&ask, flags);
}

static void
test_addresses_are_read(void **state)
{
	(void)state;
	begin_reply("api.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "api.test", 60, "192.0.2.1");
	record_addr(ANSWERS, "API.Test", 30, "192.0.2.2");
	record_addr(ANSWERS, "api.test", 90, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(rcode, DNS_NOERROR);
	assert_int_equal(answer.type, DNS_A);
	assert_string_equal(answer.name, "api.test");
	assert_int_equal(answer.n_records, 2);
	expect_addr(&answer, 0, "192.0.2.1");
	expect_addr(&answer, 1, "192.0.2.2");
	assert_int_equal(answer.ttl_s, 30);
	assert_int_equal(answer.n_cnames, 0);

	begin_reply("api.test", DNS_AAAA, RESPONSE_FLAGS);
	record_addr(ANSWERS, "api.test", 60, "2001:db8::1");
	record_addr(ANSWERS, "api.test", 60, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 1);
	expect_addr(&answer, 0, "2001:db8::1");
}

static void
test_chain_is_followed_in_any_order(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "c.test", 60, "192.0.2.3");
	record_name(ANSWERS, "b.test", DNS_CNAME, 20, "C.test");
	record_name(ANSWERS, "a.test", DNS_CNAME, 7200, "b.test");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_cnames, 2);
	assert_string_equal(answer.cnames[0].target, "b.test");
	assert_int_equal(answer.cnames[0].ttl_s, DNS_TTL_MAX_S);
	assert_string_equal(answer.cnames[1].target, "c.test");
	assert_int_equal(answer.cnames[1].ttl_s, 20);
	assert_string_equal(dns_answer_end(&answer), "c.test");
	assert_int_equal(answer.n_records, 1);
}

static void
test_question_for_a_cname_is_not_followed(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_CNAME, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 20, "b.test");
	record_name(ANSWERS, "b.test", DNS_CNAME, 20, "c.test");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_cnames, 0);
	assert_int_equal(answer.n_records, 1);
	assert_int_equal(answer.records[0].len, 8);
	assert_memory_equal(answer.data, "\1b\4test\0", 8);
}

static void
test_records_beside_the_chain_do_not_count(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "bank.test", 60, "192.0.2.9");
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.test");
	/* A name that has a CNAME has no other record (RFC 1034 3.6.2). */
	record_addr(ANSWERS, "a.test", 60, "192.0.2.8");
	record_addr(ANSWERS, "b.test", 60, "192.0.2.1");
	record_addr(AUTHORITIES, "b.test", 60, "192.0.2.7");
	record_addr(ADDITIONAL, "b.test", 60, "192.0.2.6");
	record_addr(ADDITIONAL, "bank.test", 60, "192.0.2.5");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 1);
	expect_addr(&answer, 0, "192.0.2.1");
}

static void
test_record_of_another_class_does_not_count(void **state)
{
	size_t at;

	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	at = message.len + 8 + 2;
	record_addr(ANSWERS, "a.test", 60, "192.0.2.1");
	store_be16(message_bytes + at, 3);
	record_addr(ANSWERS, "a.test", 60, "192.0.2.2");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 1);
	expect_addr(&answer, 0, "192.0.2.2");
}

static void
test_unfinished_chain_is_asked_further(void **state)
{
	static struct dns_answer first;

	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.test");
	assert_int_equal(read_message(), DNS_ANSWER_UNFINISHED);
	assert_string_equal(dns_answer_end(&answer), "b.test");
	first = answer;

	begin_reply("b.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "b.test", DNS_CNAME, 50, "c.test");
	record_addr(ANSWERS, "c.test", 40, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_true(dns_answer_join(&first, &answer));
	assert_string_equal(first.name, "a.test");
	assert_int_equal(first.n_cnames, 2);
	assert_string_equal(dns_answer_end(&first), "c.test");
	assert_int_equal(first.ttl_s, 40);
	expect_addr(&first, 0, "192.0.2.1");

	first.n_cnames = DNS_CNAMES_MAX - 1;
	assert_true(dns_answer_join(&first, &answer));
	assert_int_equal(first.n_cnames, DNS_CNAMES_MAX);
	assert_false(dns_answer_join(&first, &answer));
}

/* A chain of n names, and an address at its end. */
static void
chain(unsigned int n)
{
	char owner[32], target[32];

	begin_reply("n0.test", DNS_A, RESPONSE_FLAGS);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(owner, sizeof(owner), "n%u.test", i);
		snprintf(target, sizeof(target), "n%u.test", i + 1);
		record_name(ANSWERS, owner, DNS_CNAME, 60, target);
	}
	snprintf(owner, sizeof(owner), "n%u.test", n);
	record_addr(ANSWERS, owner, 60, "192.0.2.1");
}

static void
test_chain_has_an_end(void **state)
{
	(void)state;
	chain(DNS_CNAMES_MAX);
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_cnames, DNS_CNAMES_MAX);
	chain(DNS_CNAMES_MAX + 1);
	assert_int_equal(read_message(), DNS_ANSWER_BAD);

	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.test");
	record_name(ANSWERS, "b.test", DNS_CNAME, 60, "a.test");
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "a.test");
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
}

static void
test_chain_over_names_that_no_host_has(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(ANSWERS, "a.test", DNS_CNAME, 60, "\3b\0c\4test", 10);
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(ANSWERS, "a.test", DNS_CNAME, 60, "", 1);
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
	/* Beside the chain they do no harm. The one in authority is not the root. */
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "b c.test", 60, "192.0.2.1");
	record_soa("b c.test", 60, 60);
	record_addr(ADDITIONAL, "b c.test", 60, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 0);
	assert_int_equal(answer.negative_ttl_s, 0);
}

static void
test_many_addresses(void **state)
{
	char text[32];

	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	for (int i = 0; i < 512; i++) {
		snprintf(text, sizeof(text), "192.0.%d.%d", i / 256, i % 256);
		record_addr(ANSWERS, "a.test", i == 511 ? 7 : 60, text);
	}
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, DNS_RECORDS_MAX);
	expect_addr(&answer, 31, "192.0.0.31");
	assert_int_equal(answer.ttl_s, 7);
	record_addr(ANSWERS, "a.test", 60, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
}

static void
test_much_data(void **state)
{
	static uint8_t text[256] = { 255 };

	(void)state;
	begin_reply("a.test", DNS_TXT, RESPONSE_FLAGS);
	for (int i = 0; i < DNS_RECORDS_MAX; i++) {
		text[1] = (uint8_t)i;
		record(ANSWERS, "a.test", DNS_TXT, 60, text, sizeof(text));
	}
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, DNS_DATA_SIZE / sizeof(text));
	assert_int_equal(answer.data_len, DNS_DATA_SIZE);
}

static void
test_ttl_limits(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "a.test", 7 * 24 * 3600, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.ttl_s, 3600);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "a.test", 0x80000001, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.ttl_s, 0);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "a.test", INT32_MAX, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.ttl_s, 3600);
}

static void
expect_negative(bool is_nxdomain, uint32_t ttl_s)
{
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 0);
	assert_int_equal(answer.is_nxdomain, is_nxdomain);
	assert_int_equal(answer.negative_ttl_s, ttl_s);
}

static void
test_negative_answers(void **state)
{
	(void)state;
	begin_reply("a.b.test", DNS_A, RESPONSE_FLAGS | DNS_NXDOMAIN);
	record_soa("b.test", 100, 50);
	expect_negative(true, 50);
	begin_reply("a.b.test", DNS_A, RESPONSE_FLAGS);
	record_soa("a.b.test", 20, 50);
	expect_negative(false, 20);
	begin_reply("a.b.test", DNS_A, RESPONSE_FLAGS);
	record_soa("", 86400, 86400);
	expect_negative(false, 300);
	begin_reply("a.b.test", DNS_A, RESPONSE_FLAGS);
	record_soa("test", 0x80000000, 5);
	expect_negative(false, 0);
	/* SOA of other zones: below the name, and of one whose end looks alike. */
	begin_reply("a.b.test", DNS_A, RESPONSE_FLAGS | DNS_NXDOMAIN);
	record_soa("x.a.b.test", 60, 60);
	expect_negative(true, 0);
	begin_reply("ab.test", DNS_A, RESPONSE_FLAGS | DNS_NXDOMAIN);
	record_soa("b.test", 60, 60);
	expect_negative(true, 0);
	/* dnsmasq sends none from its cache. */
	begin_reply("a.b.test", DNS_A, RESPONSE_FLAGS);
	expect_negative(false, 0);
}

static void
test_negative_answer_at_the_end_of_a_chain(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS | DNS_NXDOMAIN);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.other");
	record_addr(ANSWERS, "b.other", 60, "192.0.2.1");
	record_soa("other", 60, 60);
	expect_negative(true, 60);
	assert_int_equal(answer.n_cnames, 1);

	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.other");
	record_soa("other", 60, 60);
	expect_negative(false, 60);
	/* A zone that has the question, and not the chain's end, says nothing of the latter. */
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.other");
	record_soa("test", 60, 60);
	assert_int_equal(read_message(), DNS_ANSWER_UNFINISHED);
}

static void
test_referral_is_a_failure(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(AUTHORITIES, "test", DNS_NS, 60, "ns.test");
	assert_int_equal(read_message(), DNS_ANSWER_FAILED);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS | DNS_AUTHORITATIVE);
	record_name(AUTHORITIES, "test", DNS_NS, 60, "ns.test");
	expect_negative(false, 0);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(AUTHORITIES, "test", DNS_NS, 60, "ns.test");
	record_soa("test", 60, 60);
	expect_negative(false, 60);
}

static void
test_errors_of_the_server(void **state)
{
	(void)state;
	for (uint16_t error = 1; error < 16; error++) {
		if (error == DNS_NXDOMAIN)
			continue;
		begin_reply("a.test", DNS_A, (uint16_t)(RESPONSE_FLAGS | error));
		assert_int_equal(read_message(), DNS_ANSWER_FAILED);
		assert_int_equal(rcode, error);
		/* Without the question. */
		message.len = DNS_HEADER_LEN;
		store_be16(message_bytes + QUESTIONS, 0);
		assert_int_equal(read_message(), DNS_ANSWER_FAILED);
		assert_int_equal(rcode, error);
	}
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(ADDITIONAL, "", DNS_OPT, 1U << 24, NULL, 0);
	assert_int_equal(read_message(), DNS_ANSWER_FAILED);
	assert_int_equal(rcode, DNS_BADVERS);
}

static void
test_foreign_messages_are_ignored(void **state)
{
	uint8_t *type;

	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "a.test", 60, "192.0.2.1");
	message_bytes[1] ^= 1;
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	message_bytes[1] ^= 1;
	message_bytes[2] ^= 0x80;
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	message_bytes[2] ^= 0x80 | 0x10;
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	message_bytes[2] ^= 0x10;
	message_bytes[13] ^= 0x20;
	assert_int_equal(read_message(), DNS_ANSWER_OTHER_CASE);
	message_bytes[13] ^= 0x20 | 1;
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	message_bytes[13] ^= 1;
	/* AAAA, then class CHAOS. */
	type = message_bytes + DNS_HEADER_LEN + 8;
	type[1] = DNS_AAAA;
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	type[1] = DNS_A;
	type[3] = 3;
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	type[3] = DNS_CLASS_IN;
	store_be16(message_bytes + QUESTIONS, 2);
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	store_be16(message_bytes + QUESTIONS, 0);
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	store_be16(message_bytes + QUESTIONS, 1);
	assert_int_equal(read_message(), DNS_ANSWER_OK);
}

/* A type whose number is that of a letter is not folded: HTTPS is 65, 'A'. */
static void
test_type_is_not_folded(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_HTTPS, RESPONSE_FLAGS);
	message_bytes[DNS_HEADER_LEN + 8 + 1] = 'a';
	assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
}

static void
test_truncated_answer(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS | DNS_TRUNCATED);
	record_addr(ANSWERS, "a.test", 60, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_TRUNCATED);
	message.len -= 3;
	assert_int_equal(read_message(), DNS_ANSWER_TRUNCATED);
}

static void
test_every_cut_is_bad(void **state)
{
	size_t whole;

	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_name(ANSWERS, "a.test", DNS_CNAME, 60, "b.test");
	record_addr(ANSWERS, "b.test", 60, "192.0.2.1");
	record_soa("test", 60, 60);
	record(ADDITIONAL, "", DNS_OPT, 0, "\0\12\0\1x", 5);
	whole = message.len;
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	for (message.len = ask.question_end; message.len < whole; message.len++)
		assert_int_equal(read_message(), DNS_ANSWER_BAD);
	for (message.len = 1; message.len < ask.question_end; message.len++)
		assert_int_equal(read_message(), DNS_ANSWER_FOREIGN);
	/* Bytes behind the message reach nobody. */
	message.len = whole + 1;
	assert_int_equal(read_message(), DNS_ANSWER_OK);
}

/* An address whose owner has these bytes, behind a name at `name_at`. */
static enum dns_answer_outcome
read_owner(const void *owner, size_t len)
{
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	dns_write_bytes(&message, owner, len);
	dns_write_bytes(&message, "\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 14);
	count(ANSWERS);
	return read_message();
}

static void
test_pointers(void **state)
{
	/* The question is at 12: \1a at 12, \4test at 14; the first record is at 24. */
	(void)state;
	assert_int_equal(read_owner("\300\14", 2), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 1);
	assert_int_equal(read_owner("\1A\300\16", 4), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 1);
	/* A tail of the name is another name. */
	assert_int_equal(read_owner("\300\16", 2), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 0);
	/* To itself, to the next, forward, beyond the end, into the header. */
	assert_int_equal(read_owner("\300\30", 2), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\1a\300\30", 4), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\1a\300\32", 4), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\300\32\1a\0", 5), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\377\377", 2), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\300\0", 2), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\300\13", 2), DNS_ANSWER_BAD);
	/* Neither a pointer nor a length. */
	assert_int_equal(read_owner("\200\14", 2), DNS_ANSWER_BAD);
	assert_int_equal(read_owner("\100\14", 2), DNS_ANSWER_BAD);
}

static void
test_many_pointers(void **state)
{
	/* Each pointer leads to the one before it: 127 are enough for every name. */
	for (unsigned int n = 127; n <= 128; n++) {
		uint8_t data[2 * 128];
		size_t at;

		(void)state;
		begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
		at = message.len + 8 + 10;
		for (unsigned int i = 0; i < n; i++) {
			size_t to = i == 0 ? DNS_HEADER_LEN : at + 2 * (i - 1);

			store_be16(data + (size_t)2 * i, (uint16_t)(0xc000 | to));
		}
		record(ANSWERS, "b.test", DNS_TXT, 60, data, (size_t)2 * (n - 1));
		dns_write_bytes(&message, data + 2 * (size_t)(n - 1), 2);
		dns_write_bytes(&message, "\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 14);
		count(ANSWERS);
		assert_int_equal(read_message(),
		    n == 127 ? DNS_ANSWER_OK : DNS_ANSWER_BAD);
		if (n == 127)
			assert_int_equal(answer.n_records, 1);
	}
}

static void
test_pointer_out_of_the_data(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(ANSWERS, "a.test", DNS_CNAME, 60, "\1b\300\16", 4);
	record_addr(ANSWERS, "b.test", 60, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_string_equal(dns_answer_end(&answer), "b.test");
	assert_int_equal(answer.n_records, 1);
	/* A name that ends behind the data, or before its end. */
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(ANSWERS, "a.test", DNS_CNAME, 60, "\1b", 2);
	record_addr(ANSWERS, "", 60, "192.0.2.1");
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(ANSWERS, "a.test", DNS_CNAME, 60, "\1b\300\16\0", 5);
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
}

static void
test_malformed_record_is_bad(void **state)
{
	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "a.test", 60, "192.0.2.1");
	record(ANSWERS, "a.test", DNS_A, 60, "abcde", 5);
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
	/* Of another name it is not looked at. */
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record_addr(ANSWERS, "a.test", 60, "192.0.2.1");
	record(ANSWERS, "b.test", DNS_A, 60, "abcde", 5);
	assert_int_equal(read_message(), DNS_ANSWER_OK);
	assert_int_equal(answer.n_records, 1);
}

static void
test_added_addresses_are_limited(void **state)
{
	struct inaddr addr = inaddr_loopback(false);

	(void)state;
	dns_answer_init(&answer, "a.test", DNS_A);
	for (uint8_t i = 0; i < DNS_RECORDS_MAX; i++) {
		addr.bytes[3] = i;
		assert_true(dns_answer_add_addr(&answer, &addr, 60));
	}
	addr.bytes[3] = DNS_RECORDS_MAX;
	assert_false(dns_answer_add_addr(&answer, &addr, 60));
}

static void
test_short_soa_is_bad(void **state)
{
	uint8_t data[22] = { 0 };

	(void)state;
	begin_reply("a.test", DNS_A, RESPONSE_FLAGS);
	record(AUTHORITIES, "test", DNS_SOA, 60, data, 21);
	assert_int_equal(read_message(), DNS_ANSWER_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read),
		cmocka_unit_test(test_chain_is_followed_in_any_order),
		cmocka_unit_test(test_question_for_a_cname_is_not_followed),
		cmocka_unit_test(test_records_beside_the_chain_do_not_count),
		cmocka_unit_test(test_record_of_another_class_does_not_count),
		cmocka_unit_test(test_unfinished_chain_is_asked_further),
		cmocka_unit_test(test_chain_has_an_end),
		cmocka_unit_test(test_chain_over_names_that_no_host_has),
		cmocka_unit_test(test_many_addresses),
		cmocka_unit_test(test_much_data),
		cmocka_unit_test(test_ttl_limits),
		cmocka_unit_test(test_negative_answers),
		cmocka_unit_test(test_negative_answer_at_the_end_of_a_chain),
		cmocka_unit_test(test_referral_is_a_failure),
		cmocka_unit_test(test_errors_of_the_server),
		cmocka_unit_test(test_foreign_messages_are_ignored),
		cmocka_unit_test(test_type_is_not_folded),
		cmocka_unit_test(test_truncated_answer),
		cmocka_unit_test(test_every_cut_is_bad),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_many_pointers),
		cmocka_unit_test(test_pointer_out_of_the_data),
		cmocka_unit_test(test_malformed_record_is_bad),
		cmocka_unit_test(test_added_addresses_are_limited),
		cmocka_unit_test(test_short_soa_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
