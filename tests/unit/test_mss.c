/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds and rewrites the maximum segment size among all kinds of options. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/tap/mss.h"

#define N_OF(array) (sizeof(array) / sizeof(*(array)))
#define SYN 0x02
#define SYN_ACK 0x12
#define ACK 0x10

static struct segment segment;

static void
make(const char *src, const char *dst, uint8_t flags, const void *options, size_t len)
{
	frame_tcp_options(&frame, src, 1, dst, 2, flags, options, len);
	assert_true(segment_parse(frame.bytes, frame.len, &segment));
}

static void
test_of_mtu(void **state)
{
	(void)state;
	assert_int_equal(mss_of_mtu(1500, false), 1460);
	assert_int_equal(mss_of_mtu(1500, true), 1440);
	assert_int_equal(mss_of_mtu(65521, false), 65481);
	assert_int_equal(mss_of_mtu(68, false), 28);
	assert_int_equal(mss_of_mtu(68, true), 8);
}

static void
test_found_and_rewritten(void **state)
{
	/* Linux's order, and every other place, also at odd offsets. */
	static const struct {
		uint8_t options[20];
		size_t len, at;
	} cases[] = {
		{ { 2, 4, 5, 0xb4 }, 4, 0 },
		{ { 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 }, 20,
		    0 },
		{ { 1, 2, 4, 5, 0xb4, 1, 1, 1 }, 8, 1 },
		{ { 1, 1, 2, 4, 5, 0xb4, 0, 0 }, 8, 2 },
		{ { 3, 3, 7, 2, 4, 5, 0xb4, 0 }, 8, 3 },
		{ { 1, 1, 1, 1, 2, 4, 5, 0xb4 }, 8, 4 },
	};
	static const uint16_t values[] = { 0, 1, 536, 1460, 31390, 0xffff, 0xb405 };

	(void)state;
	for (size_t i = 0; i < N_OF(cases) * 4; i++) {
		size_t of = i / 4;
		bool is_ip6 = i % 2 != 0;
		uint8_t flags = i % 4 < 2 ? SYN : SYN_ACK;

		for (size_t v = 0; v < N_OF(values); v++) {
			struct frame before;

			make(is_ip6 ? GUEST6 : GUEST4, is_ip6 ? OUTSIDE6 : OUTSIDE4,
			    flags, cases[of].options, cases[of].len);
			before = frame;
			assert_int_equal(mss_get(frame.bytes, &segment), 1460);
			mss_set(frame.bytes, &segment, values[v]);
			assert_int_equal(mss_get(frame.bytes, &segment), values[v]);
			assert_true(frame_checksums_are_right(frame.bytes, frame.len));
			/* Nothing else has changed. */
			mss_set(frame.bytes, &segment, 1460);
			assert_memory_equal(frame.bytes, before.bytes, frame.len);
		}
	}
}

static void
test_absent(void **state)
{
	static const struct {
		uint8_t flags;
		uint8_t options[8];
		size_t len;
	} cases[] = {
		{ ACK, { 2, 4, 5, 0xb4 }, 4 }, /* no SYN */
		{ SYN, { 0 }, 0 }, { SYN, { 1, 1, 1, 1 }, 4 },
		{ SYN, { 0, 2, 4, 5, 0xb4, 1, 1, 1 }, 8 },  /* behind the end */
		{ SYN, { 2, 3, 5, 0xb4 }, 4 },              /* a wrong length */
		{ SYN, { 2, 5, 5, 0xb4, 1, 1, 1, 1 }, 8 },  /* another */
		{ SYN, { 1, 1, 2, 4 }, 4 },                 /* cut short */
		{ SYN, { 1, 1, 1, 2 }, 4 },                 /* shorter */
		{ SYN, { 4, 0, 2, 4, 5, 0xb4, 1, 1 }, 8 },  /* one without a length */
		{ SYN, { 4, 1, 2, 4, 5, 0xb4, 1, 1 }, 8 },  /* with half of one */
		{ SYN, { 4, 99, 2, 4, 5, 0xb4, 1, 1 }, 8 }, /* one that ends outside */
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct frame before;

		make(GUEST4, OUTSIDE4, cases[i].flags, cases[i].options, cases[i].len);
		before = frame;
		assert_int_equal(mss_get(frame.bytes, &segment), 0);
		mss_set(frame.bytes, &segment, 9999);
		assert_memory_equal(frame.bytes, before.bytes, frame.len);
	}
}

static void
test_segment_parse(void **state)
{
	static const uint8_t timestamps[12] = { 1, 1, 8, 10 };

	(void)state;
	make(GUEST4, OUTSIDE4, ACK, timestamps, sizeof(timestamps));
	assert_false(segment.is_ip6);
	assert_int_equal(segment.l4_offset, 34);
	assert_int_equal(segment.data_offset, 34 + 32);
	assert_int_equal(segment.data_len, 0);
	/* Ethernet's padding does not count as data. */
	assert_true(segment_parse(frame.bytes, frame.len + 6, &segment));
	assert_int_equal(segment.data_len, 0);
	make(GUEST6, OUTSIDE6, ACK, NULL, 0);
	assert_true(segment.is_ip6);
	assert_int_equal(segment.l4_offset, 54);
	assert_int_equal(segment.data_offset, 74);

	for (int family = 0; family < 2; family++) {
		make(family ? GUEST6 : GUEST4, family ? OUTSIDE6 : OUTSIDE4, ACK, NULL,
		    0);
		for (size_t len = 0; len < frame.len; len++) {
			uint8_t *exact = malloc(len + 1);

			memcpy(exact + 1, frame.bytes, len);
			assert_false(segment_parse(exact + 1, len, &segment));
			free(exact);
		}
		/* A header too short, or longer than the packet. */
		frame.bytes[(family ? 54 : 34) + 12] = 0x40;
		assert_false(segment_parse(frame.bytes, frame.len, &segment));
		frame.bytes[(family ? 54 : 34) + 12] = 0x60;
		assert_false(segment_parse(frame.bytes, frame.len, &segment));
	}
	frame_udp(&frame, GUEST4, 1, OUTSIDE4, 2, NULL, 100);
	assert_false(segment_parse(frame.bytes, frame.len, &segment));
	frame_udp(&frame, GUEST6, 1, OUTSIDE6, 2, NULL, 100);
	assert_false(segment_parse(frame.bytes, frame.len, &segment));
	frame_arp(&frame, 1, GUEST4, HOST4);
	assert_false(segment_parse(frame.bytes, frame.len, &segment));
	make(GUEST4, OUTSIDE4, ACK, NULL, 0);
	frame.bytes[20] = 0x20; /* more fragments */
	assert_false(segment_parse(frame.bytes, frame.len, &segment));
	frame.bytes[20] = 0x40; /* Don't Fragment alone */
	assert_true(segment_parse(frame.bytes, frame.len, &segment));
	frame.bytes[21] = 0x01;
	assert_false(segment_parse(frame.bytes, frame.len, &segment));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_mtu),
		cmocka_unit_test(test_found_and_rewritten),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_segment_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
