/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers to refused frames. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/gate/refusal.h"

#define N_OF(array) (sizeof(array) / sizeof(*(array)))

static uint8_t answer[REFUSAL_MAX_LEN];
static size_t answer_len;

static void
refuse(void)
{
	uint8_t *exact = malloc(frame.len);

	expect_verdict(GATE_REFUSE);
	memcpy(exact, frame.bytes, frame.len);
	memset(answer, 0xa5, sizeof(answer));
	answer_len = refusal_build(&parsed, exact, answer, sizeof(answer));
	free(exact);
	if (answer_len == 0)
		return;

	assert_memory_equal(answer, frame_guest_mac, 6);
	assert_memory_equal(answer + 6, frame_stack_mac, 6);
	assert_memory_equal(answer + 12, frame.bytes + 12, 2);
	assert_true(frame_checksums_are_right(answer, answer_len));
	if (parsed.ethertype == 0x0800) {
		assert_int_equal(answer[14], 0x45);
		assert_int_equal(load_be16(answer + 16), answer_len - 14);
		assert_memory_equal(answer + 14 + 12, frame.bytes + 14 + 16, 4);
		assert_memory_equal(answer + 14 + 16, frame.bytes + 14 + 12, 4);
		assert_int_equal(answer[14 + 1],
		    answer[14 + 9] == IPPROTO_ICMP ? 0xc0 : 0);
		assert_int_equal(load_be16(answer + 14 + 6), 0x4000);
		assert_int_equal(answer[14 + 8], 64);
	} else {
		assert_int_equal(answer[14], 0x60);
		assert_int_equal(load_be16(answer + 18), answer_len - 54);
		assert_memory_equal(answer + 14 + 8, frame.bytes + 14 + 24, 16);
		assert_memory_equal(answer + 14 + 24, frame.bytes + 14 + 8, 16);
		assert_int_equal(answer[14 + 7], 64);
	}
}

static void
check_reset(const char *guest, const char *host)
{
	size_t at = frame_l4_offset(&frame);
	const uint8_t *tcp = answer + (strchr(host, ':') != NULL ? 54 : 34);

	(void)guest;
	assert_int_equal(answer_len, (size_t)(tcp - answer) + 20);
	assert_memory_equal(tcp, frame.bytes + at + 2, 2);
	assert_memory_equal(tcp + 2, frame.bytes + at, 2);
	assert_int_equal(tcp[12], 0x50);
	assert_int_equal(load_be16(tcp + 18), 0);
}

static void
test_syn_is_reset(void **state)
{
	static const struct {
		uint8_t flags;
		uint32_t length; /* with SYN and FIN counted */
	} cases[] = { { 0x02, 1 }, { 0x03, 2 }, { 0xc2, 1 }, { 0x22, 1 }, { 0x0a, 1 } };
	static const char *const pairs[][2] = { { GUEST4, DNS4 }, { GUEST6, DNS6 } };

	(void)state;
	for (size_t p = 0; p < N_OF(pairs); p++) {
		const uint8_t *tcp =
		    answer + (strchr(pairs[p][0], ':') != NULL ? 54 : 34);

		for (size_t i = 0; i < N_OF(cases); i++) {
			frame_tcp(&frame, pairs[p][0], 1000, pairs[p][1], 22,
			    cases[i].flags);
			refuse();
			check_reset(pairs[p][0], pairs[p][1]);
			assert_int_equal(tcp[13], 0x14);
			assert_int_equal(load_be32(tcp + 4), 0);
			assert_int_equal(load_be32(tcp + 8),
			    0x01020304 + cases[i].length);
		}
	}
}

static void
test_syn_with_options_and_data_is_reset_behind_its_data(void **state)
{
	uint8_t tcp[24 + 10] = { 0x03, 0xe8, 0, 22, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
		0x60, 0x02, 1, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4, 'd', 'a', 't', 'a' };

	(void)state;
	frame_ip(&frame, GUEST4, DNS4, IPPROTO_TCP, tcp, sizeof(tcp));
	refuse();
	check_reset(GUEST4, DNS4);
	/* Sequence numbers wrap around: ffffffff + SYN + 10 bytes. */
	assert_int_equal(load_be32(answer + 34 + 8), 10);
}

static void
test_segment_with_ack_is_reset_at_its_ack(void **state)
{
	(void)state;
	frame_tcp(&frame, GUEST4, 1000, DNS4, 22, 0x18);
	refuse();
	check_reset(GUEST4, DNS4);
	assert_int_equal(answer[34 + 13], 0x04);
	assert_int_equal(load_be32(answer + 34 + 4), 0x0a0b0c0d);
	assert_int_equal(load_be32(answer + 34 + 8), 0);
	frame_tcp(&frame, GUEST6, 1000, DNS6, 22, 0x12);
	refuse();
	check_reset(GUEST6, DNS6);
	assert_int_equal(answer[54 + 13], 0x04);
	assert_int_equal(load_be32(answer + 54 + 4), 0x0a0b0c0d);
}

static void
test_segment_without_ack_or_syn(void **state)
{
	(void)state;
	for (uint8_t flags = 0; flags < 2; flags++) { /* FIN counts */
		frame_tcp(&frame, GUEST4, 1000, DNS4, 22, flags);
		refuse();
		check_reset(GUEST4, DNS4);
		assert_int_equal(answer[34 + 13], 0x14);
		assert_int_equal(load_be32(answer + 34 + 8), 0x01020304 + flags);
	}
}

static void
test_reset_is_not_answered(void **state)
{
	(void)state;
	frame_tcp(&frame, GUEST4, 1000, DNS4, 22, 0x06);
	refuse();
	assert_int_equal(answer_len, 0);
	frame_tcp(&frame, GUEST6, 1000, DNS6, 22, 0x14);
	refuse();
	assert_int_equal(answer_len, 0);
}

/* Expects an ICMP error with this code that quotes the frame up to the family's limit. */
static void
check_unreachable(uint8_t code)
{
	bool is_ip4 = parsed.ethertype == 0x0800;
	size_t at = is_ip4 ? 34 : 54;
	size_t quoted_max = is_ip4 ? 576 - 28 : 1280 - 48;
	size_t quoted = parsed.len - 14 < quoted_max ? parsed.len - 14 : quoted_max;

	assert_int_equal(answer_len, at + 8 + quoted);
	assert_int_equal(is_ip4 ? answer[14 + 9] : answer[14 + 6],
	    is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	assert_int_equal(answer[at], is_ip4 ? 3 : 1);
	assert_int_equal(answer[at + 1], code);
	assert_int_equal(load_be32(answer + at + 4), 0);
	assert_memory_equal(answer + at + 8, frame.bytes + 14, quoted);
}

/* Net prohibited (RFC 1812 5.2.7.1), no route and port unreachable (RFC 4443 3.1): Linux
 * fails the guest's socket at once for each code. */
static void
test_closed_loopback_is_an_unreachable_network(void **state)
{
	static const char *const pairs[][2] = { { GUEST4, HOST4 }, { GUEST6, HOST6 },
		{ GUEST4, "10.0.2.77" }, { GUEST6, "fd00::77" } };

	(void)state;
	for (size_t p = 0; p < N_OF(pairs); p++) {
		const char *guest = pairs[p][0], *host = pairs[p][1];
		bool is_ip4 = strchr(guest, ':') == NULL;

		frame_tcp(&frame, guest, 1000, host, 22, 0x02);
		refuse();
		check_unreachable(is_ip4 ? 9 : 0);
		frame_udp(&frame, guest, 1000, host, 80, NULL, 1);
		refuse();
		check_unreachable(is_ip4 ? 9 : 4);
	}
	frame_echo(&frame, GUEST4, "10.0.2.77", 56);
	refuse();
	check_unreachable(9);
	frame_echo(&frame, GUEST6, "fd00::77", 56);
	refuse();
	check_unreachable(0);
}

static void
test_udp_port_is_unreachable(void **state)
{
	static const size_t lens[] = { 0, 1, 519, 520, 521, 1183, 1184, 1185, 65000 };

	(void)state;
	for (size_t i = 0; i < N_OF(lens); i++) {
		frame_udp(&frame, GUEST4, 1000, DNS4, 80, NULL, lens[i]);
		refuse();
		check_unreachable(3);
		frame_udp(&frame, GUEST6, 1000, DNS6, 80, NULL, lens[i]);
		refuse();
		check_unreachable(4);
	}
}

static void
test_quote_has_no_ethernet_padding(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST4, 1000, HOST4, 80, NULL, 1);
	frame.len = 60;
	refuse();
	assert_int_equal(answer_len, 14 + 28 + 29);
}

static void
test_frame_to_a_group_is_not_answered(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST4, 1000, HOST4, 80, NULL, 1);
	memset(frame.bytes, 0xff, 6);
	refuse();
	assert_int_equal(answer_len, 0);
	frame_tcp(&frame, GUEST6, 1000, HOST6, 80, 0x02);
	frame.bytes[0] = 0x33;
	refuse();
	assert_int_equal(answer_len, 0);
}

static void
test_error_of_a_router(void **state)
{
	static const uint8_t router[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	const struct refusal_error error = { .type = 11, .source = router };

	(void)state;
	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		const uint8_t *ip = answer + 14;

		frame_echo(&frame, is_ip6 ? GUEST6 : GUEST4, is_ip6 ? OUTSIDE6 : OUTSIDE4,
		    20);
		expect_ping();
		answer_len = refusal_build_error(frame.bytes, frame.len, &error, answer,
		    sizeof(answer));
		assert_int_equal(answer_len, frame.len + (is_ip6 ? 48 : 28));
		assert_true(frame_checksums_are_right(answer, answer_len));
		assert_memory_equal(ip + (is_ip6 ? 8 : 12), router, is_ip6 ? 16 : 4);
		assert_memory_equal(ip + (is_ip6 ? 24 : 16), parsed.src, is_ip6 ? 16 : 4);
		assert_int_equal(ip[is_ip6 ? 40 : 20], 11);
	}
}

static void
test_too_small_a_buffer(void **state)
{
	(void)state;
	frame_udp(&frame, GUEST4, 1000, HOST4, 80, NULL, 1);
	expect_verdict(GATE_REFUSE);
	assert_int_equal(refusal_build(&parsed, frame.bytes, answer, REFUSAL_MAX_LEN - 1),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn_is_reset),
		cmocka_unit_test(test_syn_with_options_and_data_is_reset_behind_its_data),
		cmocka_unit_test(test_segment_with_ack_is_reset_at_its_ack),
		cmocka_unit_test(test_segment_without_ack_or_syn),
		cmocka_unit_test(test_reset_is_not_answered),
		cmocka_unit_test(test_closed_loopback_is_an_unreachable_network),
		cmocka_unit_test(test_udp_port_is_unreachable),
		cmocka_unit_test(test_quote_has_no_ethernet_padding),
		cmocka_unit_test(test_frame_to_a_group_is_not_answered),
		cmocka_unit_test(test_error_of_a_router),
		cmocka_unit_test(test_too_small_a_buffer),
	};

	loopback_closed(NULL);
	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
