/* SPDX-License-Identifier: BSD-2-Clause */
/* Router advertisements and DHCPv6 of the guest's link, beside the real libslirp. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "ipc_samples.h"
#include "slirp-worker/engine/link/dhcp6.h"
#include "slirp-worker/engine/link/router_advert.h"
#include "slirp-worker/engine/link/stack.h"

#define ADVERT_LEN 110
#define SOLICITATION 133

/* With the usual network. The checksum is right, and is not here. */
static const uint8_t advert[ADVERT_LEN] = {
	0x33,
	0x33,
	0,
	0,
	0,
	1,
	0x52,
	0x56,
	0,
	0,
	0,
	2,
	0x86,
	0xdd, /* Ethernet */
	0x60,
	0,
	0,
	0,
	0,
	56,
	58,
	255, /* IPv6 */
	0xfe,
	0x80,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	2, /* from */
	0xff,
	0x02,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	1, /* to */
	134,
	0,
	0,
	0,
	64,
	0,
	0x07,
	0x08,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0, /* 1800 s */
	1,
	1,
	0x52,
	0x56,
	0,
	0,
	0,
	2, /* MAC */
	3,
	4,
	64,
	0xc0,
	0,
	1,
	0x51,
	0x80,
	0,
	0,
	0x38,
	0x40,
	0,
	0,
	0,
	0, /* prefix */
	0xfd,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
};

static const uint8_t name_server[] = {
	25,
	3,
	0,
	0,
	0,
	0,
	0x07,
	0x08, /* 1800 s */
	0xfd,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	3,
};

static const uint8_t server_id[] = { 0, 2, 0, 10, 0, 3, 0, 1, 0x52, 0x56, 0, 0, 0, 2 };
static const uint8_t client_id[] = { 0, 1, 0, 3, 'c', 'i', 'd' };
static const uint8_t dns[] = { 0, 23, 0, 16, 0xfd, [19] = 3 };
/* For a search list and the name server; first for another thing. */
static const uint8_t wants_dns[] = { 0, 8, 0, 2, 0, 0, 0, 6, 0, 4, 0, 24, 0, 23 };

static struct ipc_network network;
static uint8_t got[2000];
static size_t got_len;
static unsigned int n_got;

static int
begin(void **state)
{
	struct ipc_start start;

	ipc_sample_start(&start);
	network = start.network;
	n_got = 0;
	return loopback_closed(state);
}

static void
expect_advert(const uint8_t *frame_bytes, size_t len, bool has_name_server)
{
	uint8_t expected[ADVERT_LEN + sizeof(name_server)];

	assert_int_equal(len, ADVERT_LEN + (has_name_server ? sizeof(name_server) : 0));
	assert_true(frame_checksums_are_right(frame_bytes, len));
	memcpy(expected, advert, ADVERT_LEN);
	memcpy(expected + ADVERT_LEN, name_server, sizeof(name_server));
	if (has_name_server)
		expected[19] += sizeof(name_server);
	memcpy(expected + 56, frame_bytes + 56, 2);
	assert_memory_equal(frame_bytes, expected, len);
}

static void
test_advertisement_names_the_name_server_if_dns_is_enabled(void **state)
{
	uint8_t bytes[ROUTER_ADVERT_MAX];

	(void)state;
	expect_advert(bytes, router_advert_write(&network, bytes), true);
	network.enable_dns = false;
	expect_advert(bytes, router_advert_write(&network, bytes), false);
}

/* Asks with these options, in a block of exactly their size. Returns the answer's length. */
static size_t
ask(const void *options, size_t len)
{
	uint8_t *exact;

	frame_dhcp6(&frame, "fe80::100", "ff02::1:2", 11, options, len);
	expect_pass();
	exact = malloc(frame.len + 1);
	memcpy(exact + 1, frame.bytes, frame.len);
	got_len = dhcp6_answer(&network, exact + 1, &parsed, got);
	free(exact);
	return got_len;
}

static size_t
append(uint8_t *to, size_t at, const void *bytes, size_t len)
{
	memcpy(to + at, bytes, len);
	return at + len;
}

#define APPEND(to, at, bytes) append(to, at, bytes, sizeof(bytes))

/* The answer has these options behind the transaction of frame_dhcp6(). */
static void
expect_answer(const uint8_t *options, size_t len)
{
	static struct frame expected;
	uint8_t message[512] = { 7, 0xab, 0xcd, 0xef };

	append(message, 4, options, len);
	frame_udp(&expected, HOST6, 547, "fe80::100", 546, message, 4 + len);
	memcpy(expected.bytes, frame_guest_mac, 6);
	memcpy(expected.bytes + 6, advert + 6, 6);
	assert_int_equal(got_len, expected.len);
	assert_true(frame_checksums_are_right(got, got_len));
	assert_memory_equal(got, expected.bytes, got_len);
}

static void
test_dhcp6_answers_what_is_asked(void **state)
{
	uint8_t options[200], answer[200];
	size_t len = 0, answer_len = 0;

	(void)state;
	ask(NULL, 0);
	expect_answer(server_id, sizeof(server_id));

	len = APPEND(options, len, client_id);
	answer_len = APPEND(answer, answer_len, client_id);
	answer_len = APPEND(answer, answer_len, server_id);
	ask(options, len);
	expect_answer(answer, answer_len);

	/* The server may be named. */
	len = APPEND(options, len, server_id);
	len = APPEND(options, len, wants_dns);
	ask(options, len);
	answer_len = APPEND(answer, answer_len, dns);
	expect_answer(answer, answer_len);
}

static void
test_dhcp6_names_no_name_server_without_dns(void **state)
{
	(void)state;
	network.enable_dns = false;
	ask(wants_dns, sizeof(wants_dns));
	expect_answer(server_id, sizeof(server_id));
}

static void
test_dhcp6_request_for_another_server_has_no_answer(void **state)
{
	uint8_t other[sizeof(server_id)];

	(void)state;
	memcpy(other, server_id, sizeof(other));
	assert_int_not_equal(ask(other, sizeof(other)), 0);
	other[sizeof(other) - 1]++;
	assert_int_equal(ask(other, sizeof(other)), 0);
	assert_int_equal(ask("\0\2\0\0", 4), 0);
}

static void
test_longest_dhcp6_answer_fits(void **state)
{
	uint8_t options[200] = { 0, 1, 0, 130 };
	size_t len = 4 + 130;

	(void)state;
	len = APPEND(options, len, wants_dns);
	assert_int_equal(ask(options, len), DHCP6_ANSWER_MAX);
}

static void
take_frame(void *ctx, const uint8_t *frame_bytes, size_t len)
{
	(void)ctx;
	assert_in_range(len, 1, sizeof(got));
	memcpy(got, frame_bytes, len);
	got_len = len;
	n_got++;
}

static void
fail_at_complaint(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static struct stack *
open_stack(void)
{
	const struct stack_host host = {
		.to_guest = take_frame,
		.complain = fail_at_complaint,
		.dhcp = &gate.dhcp,
	};
	struct stack *stack = stack_new(&network, &host);

	assert_non_null(stack);
	return stack;
}

static void
turn_at(struct stack *stack, uint64_t now_ms)
{
	stack_set_time(stack, (int64_t)now_ms * CLOCK_NS_PER_MS);
	stack_engine.finish(stack, now_ms);
}

static void
test_advertisements_come_in_time(void **state)
{
	struct stack *stack = open_stack();
	uint64_t due_ms = stack_engine.prepare(stack, clock_now_ms());

	(void)state;
	assert_in_range(due_ms, clock_now_ms() + ROUTER_ADVERT_INTERVAL_MS / 2,
	    clock_now_ms() + ROUTER_ADVERT_INTERVAL_MS);
	turn_at(stack, due_ms - 1);
	assert_int_equal(n_got, 0);
	for (unsigned int n = 1; n < 10; n++) {
		turn_at(stack, due_ms);
		assert_int_equal(n_got, n);
		expect_advert(got, got_len, true);
		assert_int_equal(stack_engine.prepare(stack, due_ms),
		    due_ms + ROUTER_ADVERT_INTERVAL_MS);
		due_ms += ROUTER_ADVERT_INTERVAL_MS;
	}
	stack_engine.free(stack);
}

static void
test_without_ipv6_there_is_no_advertisement(void **state)
{
	struct stack *stack;

	(void)state;
	network.enable_ipv6 = false;
	stack = open_stack();
	assert_true(stack_engine.prepare(stack, clock_now_ms()) == DEADLINE_NONE);
	turn_at(stack, clock_now_ms() + 10 * ROUTER_ADVERT_INTERVAL_MS);
	assert_int_equal(n_got, 0);
	stack_engine.free(stack);
}

/* libslirp would answer each of them too. */
static void
test_each_request_has_one_answer(void **state)
{
	struct stack *stack = open_stack();

	(void)state;
	frame_nd(&frame, "fe80::100", "ff02::2", SOLICITATION, NULL, NULL, 0);
	expect_pass();
	stack_input(stack, frame.bytes, &parsed);
	stack_go_on(stack);
	assert_int_equal(n_got, 1);
	expect_advert(got, got_len, true);
	frame_dhcp6(&frame, "fe80::100", "ff02::1:2", 11, NULL, 0);
	expect_pass();
	stack_input(stack, frame.bytes, &parsed);
	stack_go_on(stack);
	assert_int_equal(n_got, 2);
	expect_answer(server_id, sizeof(server_id));
	stack_engine.free(stack);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
		TEST(test_advertisement_names_the_name_server_if_dns_is_enabled),
		TEST(test_dhcp6_answers_what_is_asked),
		TEST(test_dhcp6_names_no_name_server_without_dns),
		TEST(test_dhcp6_request_for_another_server_has_no_answer),
		TEST(test_longest_dhcp6_answer_fits),
		TEST(test_advertisements_come_in_time),
		TEST(test_without_ipv6_there_is_no_advertisement),
		TEST(test_each_request_has_one_answer),
#undef TEST
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
