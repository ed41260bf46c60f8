/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to the guest: their bytes, what is left out if there is no room, and why. */
#include "dns_fixture.h"

#include "resolver/dns/reply.h"

#include <stdio.h>

static struct dns_query query;
static struct dns_answer answer;
static uint8_t out[DNS_REPLY_MAX];
static size_t out_len;

/* A query in the guest's case. */
static void
ask(const char *name, uint16_t type, bool has_edns)
{
	begin(0x1234, DNS_RECURSION_DESIRED | DNS_CHECKING_DISABLED);
	question(name, type, DNS_CLASS_IN);
	if (has_edns)
		record(ADDITIONAL, "", DNS_OPT, 0, NULL, 0);
	/* record() writes class IN, a size of 1. */
	assert_int_equal(dns_query_read(&query, message_bytes, message.len),
	    DNS_QUERY_OK);
	dns_answer_init(&answer, query.name, type);
}

static void
add(const char *text, uint32_t ttl_s)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	assert_true(dns_answer_add_addr(&answer, &addr, ttl_s));
}

static void
add_cname(const char *target, uint32_t ttl_s)
{
	struct dns_cname *cname = &answer.cnames[answer.n_cnames++];

	cname->ttl_s = ttl_s;
	memcpy(cname->target, target, strlen(target) + 1);
}

static void
write_reply(const struct dns_reply *reply, size_t size)
{
	uint8_t *exact = malloc(size);

	assert_non_null(exact);
	out_len = dns_reply_write(&query, reply, exact, size);
	assert_in_range(out_len, DNS_HEADER_LEN, size);
	memcpy(out, exact, out_len);
	free(exact);
}

static void
write_answer(size_t size)
{
	const struct dns_reply reply = { .answer = &answer, .ede = DNS_EDE_NONE };

	write_reply(&reply, size);
}

#define expect_out(bytes) \
	do { \
		assert_int_equal(out_len, sizeof(bytes) - 1); \
		assert_memory_equal(out, bytes, out_len); \
	} while (0)

static void
test_answer_with_a_chain(void **state)
{
	(void)state;
	ask("Api.Test", DNS_A, false);
	add_cname("b.test", 20);
	add_cname("c.test", 30);
	add("192.0.2.1", 60);
	add("192.0.2.2", 50);
	write_answer(512);
	/* QR, RD, RA, CD; the question as it came; owners are pointers. */
	expect_out("\x12\x34\x81\x90\0\1\0\4\0\0\0\0\3Api\4Test\0\0\1\0\1"
		   "\300\14\0\5\0\1\0\0\0\24\0\10\1b\4test\0"
		   "\300\46\0\5\0\1\0\0\0\36\0\10\1c\4test\0"
		   "\300\72\0\1\0\1\0\0\0\62\0\4\300\0\2\1"
		   "\300\72\0\1\0\1\0\0\0\62\0\4\300\0\2\2");
}

static void
test_edns_is_answered(void **state)
{
	(void)state;
	ask("a", DNS_AAAA, true);
	add("2001:db8::1", 1);
	write_answer(512);
	expect_out("\x12\x34\x81\x90\0\1\0\1\0\0\0\1\1a\0\0\34\0\1"
		   "\300\14\0\34\0\1\0\0\0\1\0\20 \1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"
		   "\0\0\51\4\320\0\0\0\0\0\0");
}

static void
test_negative_answers(void **state)
{
	(void)state;
	ask("a", DNS_A, false);
	write_answer(512);
	expect_out("\x12\x34\x81\x90\0\1\0\0\0\0\0\0\1a\0\0\1\0\1");
	answer.is_nxdomain = true;
	write_answer(512);
	expect_out("\x12\x34\x81\x93\0\1\0\0\0\0\0\0\1a\0\0\1\0\1");
}

static void
test_refusal_has_a_reason(void **state)
{
	struct dns_reply reply = {
		.rcode = DNS_NXDOMAIN,
		.ede = DNS_EDE_BLOCKED,
		.ede_text = "ci.policy:3",
	};

	(void)state;
	ask("a", DNS_A, true);
	write_reply(&reply, 512);
	expect_out("\x12\x34\x81\x93\0\1\0\0\0\0\0\1\1a\0\0\1\0\1"
		   "\0\0\51\4\320\0\0\0\0\0\21\0\17\0\15\0\17ci.policy:3");
	reply.ede_text = NULL;
	reply.ede = DNS_EDE_NETWORK_ERROR;
	reply.rcode = DNS_SERVFAIL;
	write_reply(&reply, 512);
	expect_out("\x12\x34\x81\x92\0\1\0\0\0\0\0\1\1a\0\0\1\0\1"
		   "\0\0\51\4\320\0\0\0\0\0\6\0\17\0\2\0\27");
	/* RFC 8914 3: only to those that send EDNS. */
	query.has_edns = false;
	write_reply(&reply, 512);
	expect_out("\x12\x34\x81\x92\0\1\0\0\0\0\0\0\1a\0\0\1\0\1");
}

static void
test_errors_without_a_question(void **state)
{
	const struct dns_reply not_implemented = {
		.rcode = DNS_NOTIMP,
		.ede = DNS_EDE_NONE,
	};
	const struct dns_reply bad_version = {
		.rcode = DNS_BADVERS,
		.ede = DNS_EDE_NONE,
	};

	(void)state;
	assert_int_equal(dns_query_read(&query,
			     (const uint8_t *)"\1\2\50\0\0\1\0\0\0\0\0\0rubbish", 19),
	    DNS_QUERY_NOTIMP);
	write_reply(&not_implemented, 512);
	expect_out("\1\2\250\204\0\0\0\0\0\0\0\0");
	ask("a", DNS_A, true);
	write_reply(&bad_version, 512);
	expect_out("\x12\x34\x81\x90\0\1\0\0\0\0\0\1\1a\0\0\1\0\1"
		   "\0\0\51\4\320\1\0\0\0\0\0");
}

static void
test_answer_that_does_not_fit(void **state)
{
	char text[32];
	size_t whole;

	(void)state;
	ask("a", DNS_A, true);
	for (int i = 0; i < DNS_RECORDS_MAX; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		add(text, 60);
	}
	write_answer(DNS_REPLY_MAX);
	whole = out_len;
	assert_int_equal(whole, 12 + 7 + 32 * 16 + 11);
	write_answer(whole);
	assert_int_equal(out_len, whole);
	assert_int_equal(out[2] & 2, 0);
	write_answer(whole - 1);
	expect_out(
	    "\x12\x34\x83\x90\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\0");
}

/* The longest of everything. */
static void
test_longest_replies(void **state)
{
	char name[DNS_NAME_SIZE], text[DNS_EDE_TEXT_MAX + 10];
	struct dns_reply reply = { .ede = DNS_EDE_BLOCKED, .ede_text = text };

	(void)state;
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(name, 'x', sizeof(name));
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	ask(name, DNS_TXT, true);
	reply.rcode = DNS_REFUSED;
	write_reply(&reply, 512);
	assert_int_equal(out_len, 12 + 259 + 11 + 6 + DNS_EDE_TEXT_MAX);
	assert_int_equal(out[2] & 2, 0);

	for (int i = 0; i < DNS_CNAMES_MAX; i++)
		add_cname(name, 1);
	for (int i = 0; i < DNS_RECORDS_MAX; i++) {
		answer.records[i].at = (uint16_t)(i * 96);
		answer.records[i].len = 96;
	}
	answer.n_records = DNS_RECORDS_MAX;
	answer.data_len = DNS_DATA_SIZE;
	reply.answer = &answer;
	write_reply(&reply, DNS_REPLY_MAX);
	assert_int_equal(out_len, DNS_REPLY_MAX);
	assert_int_equal(out[2] & 2, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_with_a_chain),
		cmocka_unit_test(test_edns_is_answered),
		cmocka_unit_test(test_negative_answers),
		cmocka_unit_test(test_refusal_has_a_reason),
		cmocka_unit_test(test_errors_without_a_question),
		cmocka_unit_test(test_answer_that_does_not_fit),
		cmocka_unit_test(test_longest_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
