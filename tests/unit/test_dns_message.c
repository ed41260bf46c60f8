/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages that are passed on: which questions pass, and what belongs to them. */
#include "resolver/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A question for a.Test, type A, number 0x1234, with OPT behind it. */
static const uint8_t query[] = { 0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1, 1, 'a',
	4, 'T', 'e', 's', 't', 0, 0, 1, 0, 1, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0 };
#define QUESTION_END 24

static uint8_t bytes[sizeof(query) + 1];
static struct message_question question;

static int
set_up(void **state)
{
	(void)state;
	memcpy(bytes, query, sizeof(query));
	return 0;
}

static void
expect_bad(size_t len, enum dns_rcode rcode, size_t end)
{
	assert_int_equal(message_read_question(bytes, len, &question), MESSAGE_BAD);
	assert_int_equal(question.rcode, rcode);
	assert_int_equal(question.end, end);
}

static void
test_question_passes(void **state)
{
	(void)state;
	assert_int_equal(message_read_question(bytes, sizeof(query), &question),
	    MESSAGE_QUESTION);
	assert_int_equal(question.end, QUESTION_END);
	/* Any bytes may be in a name, and any type and class be asked for. */
	bytes[13] = 0xff;
	bytes[20] = bytes[22] = 0xfe;
	assert_int_equal(message_read_question(bytes, QUESTION_END, &question),
	    MESSAGE_QUESTION);
}

static void
test_each_cut_is_refused_or_ignored(void **state)
{
	(void)state;
	for (size_t len = 0; len < DNS_HEADER_LEN; len++)
		assert_int_equal(message_read_question(bytes, len, &question),
		    MESSAGE_IGNORED);
	for (size_t len = DNS_HEADER_LEN; len < QUESTION_END; len++)
		expect_bad(len, DNS_FORMERR, DNS_HEADER_LEN);
}

/* An answer to an answer could be answered again, for ever. */
static void
test_answer_is_ignored(void **state)
{
	(void)state;
	bytes[2] |= 0x80;
	assert_int_equal(message_read_question(bytes, sizeof(query), &question),
	    MESSAGE_IGNORED);
}

static void
test_other_than_one_standard_query_is_refused(void **state)
{
	(void)state;
	bytes[2] |= 5 << 3; /* UPDATE */
	expect_bad(sizeof(query), DNS_NOTIMP, DNS_HEADER_LEN);
	set_up(NULL);
	bytes[5] = 2;
	expect_bad(sizeof(query), DNS_FORMERR, DNS_HEADER_LEN);
	bytes[5] = 0;
	expect_bad(sizeof(query), DNS_FORMERR, DNS_HEADER_LEN);
	set_up(NULL);
	bytes[7] = 1;
	expect_bad(sizeof(query), DNS_FORMERR, DNS_HEADER_LEN);
	for (uint8_t type = 251; type <= 252; type++) {
		set_up(NULL);
		bytes[21] = type;
		expect_bad(sizeof(query), DNS_NOTIMP, QUESTION_END);
	}
}

static void
test_name_is_neither_compressed_nor_too_long(void **state)
{
	uint8_t message[DNS_HEADER_LEN + 300] = { [5] = 1 };

	(void)state;
	/* A pointer to itself. */
	bytes[12] = 0xc0;
	bytes[13] = 12;
	expect_bad(sizeof(query), DNS_FORMERR, DNS_HEADER_LEN);
	/* 127 labels of a byte and the root: 255 bytes. */
	for (size_t i = 0; i < 127; i++)
		message[DNS_HEADER_LEN + 2 * i] = 1;
	assert_int_equal(message_read_question(message, DNS_HEADER_LEN + 259, &question),
	    MESSAGE_QUESTION);
	assert_int_equal(question.end, DNS_HEADER_LEN + 259);
	message[DNS_HEADER_LEN + 254] = 1;
	assert_int_equal(message_read_question(message, sizeof(message), &question),
	    MESSAGE_BAD);
}

static void
test_answer_has_number_and_each_byte_of_the_question(void **state)
{
	(void)state;
	bytes[2] |= 0x80;
	assert_true(message_is_answer(bytes, sizeof(query), query, QUESTION_END));
	assert_true(message_is_answer(bytes, QUESTION_END, query, QUESTION_END));
	for (size_t len = 0; len < QUESTION_END; len++)
		assert_false(message_is_answer(bytes, len, query, QUESTION_END));
	for (size_t i = DNS_HEADER_LEN; i < QUESTION_END; i++) {
		bytes[i] ^= 0x20;
		assert_false(
		    message_is_answer(bytes, sizeof(query), query, QUESTION_END));
		bytes[i] ^= 0x20;
	}
	bytes[1] ^= 1;
	assert_false(message_is_answer(bytes, sizeof(query), query, QUESTION_END));
	/* A question, and an answer to two. */
	assert_false(message_is_answer(query, sizeof(query), query, QUESTION_END));
	set_up(NULL);
	bytes[2] |= 0x80;
	bytes[5] = 2;
	assert_false(message_is_answer(bytes, sizeof(query), query, QUESTION_END));
}

static void
test_answer_without_question_is_an_error_alone(void **state)
{
	(void)state;
	bytes[2] |= 0x80;
	bytes[5] = 0;
	bytes[3] = DNS_FORMERR;
	assert_true(message_is_answer(bytes, DNS_HEADER_LEN, query, QUESTION_END));
	assert_true(message_is_failure(bytes));
	assert_false(message_is_answer(bytes, DNS_HEADER_LEN + 1, query, QUESTION_END));
	bytes[3] = DNS_NOERROR;
	assert_false(message_is_answer(bytes, DNS_HEADER_LEN, query, QUESTION_END));
}

static void
test_failures_are_those_that_another_server_may_not_have(void **state)
{
	static const bool is_failure
	    [16] = { [DNS_SERVFAIL] = true, [DNS_NOTIMP] = true, [DNS_REFUSED] = true };

	(void)state;
	for (uint8_t rcode = 0; rcode < 16; rcode++) {
		bytes[3] = rcode;
		assert_int_equal(message_is_failure(bytes), is_failure[rcode]);
	}
}

static void
test_error_repeats_the_question(void **state)
{
	static const uint8_t wanted[QUESTION_END] = { 0x12, 0x34, 0x81, 0x82, 0, 1, 0, 0,
		0, 0, 0, 0, 1, 'a', 4, 'T', 'e', 's', 't', 0, 0, 1, 0, 1 };
	uint8_t out[sizeof(query)];

	(void)state;
	assert_int_equal(message_make_error(query, QUESTION_END, DNS_SERVFAIL, out),
	    QUESTION_END);
	assert_memory_equal(out, wanted, QUESTION_END);
	/* In place, and without a question that could be read. */
	assert_int_equal(message_make_error(bytes, DNS_HEADER_LEN, DNS_FORMERR, bytes),
	    DNS_HEADER_LEN);
	assert_memory_equal(bytes, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0", DNS_HEADER_LEN);
}

static void
test_cut_answer_has_the_question_alone(void **state)
{
	(void)state;
	bytes[2] |= 0x80;
	bytes[7] = bytes[9] = 9;
	assert_int_equal(message_cut(bytes, QUESTION_END), QUESTION_END);
	assert_memory_equal(bytes, "\x12\x34\x83\0\0\1\0\0\0\0\0\0", DNS_HEADER_LEN);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_question_passes),
		TEST(test_each_cut_is_refused_or_ignored),
		TEST(test_answer_is_ignored),
		TEST(test_other_than_one_standard_query_is_refused),
		TEST(test_name_is_neither_compressed_nor_too_long),
		TEST(test_answer_has_number_and_each_byte_of_the_question),
		TEST(test_answer_without_question_is_an_error_alone),
		TEST(test_failures_are_those_that_another_server_may_not_have),
		TEST(test_error_repeats_the_question),
		TEST(test_cut_answer_has_the_question_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
