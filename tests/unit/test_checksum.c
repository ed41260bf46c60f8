/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum, compared with numbers of the RFCs and with a slow sum. */
#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint16_t
slow_checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

static void
fill(uint8_t *bytes, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static void
test_example_of_rfc_1071(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof(bytes))), 0x220d);
}

static void
test_every_length_and_alignment(void **state)
{
	uint8_t bytes[300];

	(void)state;
	fill(bytes, sizeof(bytes), 1);
	for (size_t start = 0; start < 9; start++) {
		for (size_t len = 0; len <= sizeof(bytes) - start; len++) {
			assert_int_equal(checksum_finish(
					     checksum_add(0, bytes + start, len)),
			    slow_checksum(bytes + start, len));
		}
	}
}

static void
test_carries(void **state)
{
	uint8_t bytes[70000];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t len = 0; len <= sizeof(bytes); len += len < 200 ? 1 : 977)
		assert_int_equal(checksum_finish(checksum_add(0, bytes, len)),
		    slow_checksum(bytes, len));
	for (size_t i = 0; i < 64; i++) {
		memset(bytes, 0xff, 64);
		bytes[i] = 0;
		assert_int_equal(checksum_finish(checksum_add(0, bytes, 64)),
		    slow_checksum(bytes, 64));
	}
	assert_int_equal(checksum_finish(UINT64_MAX), 0);
	assert_int_equal(checksum_finish(0), 0xffff);
}

static void
test_sums_in_pieces(void **state)
{
	uint8_t bytes[199];

	(void)state;
	fill(bytes, sizeof(bytes), 2);
	for (size_t cut = 0; cut <= sizeof(bytes); cut += 2) {
		uint64_t sum = checksum_add(0, bytes, cut);

		sum = checksum_add(sum, bytes + cut, sizeof(bytes) - cut);
		assert_int_equal(checksum_finish(sum),
		    slow_checksum(bytes, sizeof(bytes)));
	}
}

static void
test_pieces_of_any_length(void **state)
{
	uint8_t bytes[199];

	(void)state;
	fill(bytes, sizeof(bytes), 4);
	for (size_t first = 0; first <= 40; first++) {
		for (size_t second = 0; second <= 40; second++) {
			const struct iovec pieces[] = {
				{ bytes + 2, first },
				{ bytes + 2 + first, second },
				{ NULL, 0 },
				{ bytes + 2 + first + second,
				    sizeof(bytes) - 2 - first - second },
			};

			assert_int_equal(checksum_finish(
					     checksum_add_pieces(checksum_add(0, bytes,
								     2),
						 pieces, 4)),
			    slow_checksum(bytes, sizeof(bytes)));
		}
	}
}

static void
test_bytes_with_their_checksum_give_zero(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (unsigned int seed = 0; seed < 1000; seed++) {
		fill(bytes, sizeof(bytes), seed);
		store_be16(bytes + 10, 0);
		store_be16(bytes + 10,
		    checksum_finish(checksum_add(0, bytes, sizeof(bytes))));
		assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof(bytes))),
		    0);
	}
}

static void
test_pseudo_headers(void **state)
{
	uint8_t ip4[20] = { 0x45, [12] = 10, 0, 2, 100, 10, 0, 2, 3 };
	uint8_t ip6[40] = { 0x60 };
	uint8_t pseudo4[12] = { 10, 0, 2, 100, 10, 0, 2, 3, 0, 17, 0x12, 0x34 };
	uint8_t pseudo6[40];

	(void)state;
	assert_int_equal(checksum_finish(ip_pseudo_sum(ip4, 17, 0x1234)),
	    slow_checksum(pseudo4, sizeof(pseudo4)));
	/* A length of 17 bits counts as two words. */
	pseudo4[9]++;
	assert_int_equal(checksum_finish(ip_pseudo_sum(ip4, 17, 0x11234)),
	    slow_checksum(pseudo4, sizeof(pseudo4)));
	assert_true(ip_pseudo_sum(ip4, 1, 0x1234) == 0); /* ICMP */

	fill(ip6 + 8, 32, 3);
	memcpy(pseudo6, ip6 + 8, 32);
	store_be32(pseudo6 + 32, 0xfff0);
	store_be32(pseudo6 + 36, 58);
	assert_int_equal(checksum_finish(ip_pseudo_sum(ip6, 58, 0xfff0)),
	    slow_checksum(pseudo6, sizeof(pseudo6)));
}

static void
test_update_example_of_rfc_1624(void **state)
{
	(void)state;
	/* Section 4: the older equation gave 0xffff. */
	assert_int_equal(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
	/* Adding the carry causes another carry. */
	assert_int_equal(checksum_update(0x0000, 0x0000, 0x0001), 0xfffe);
}

static void
test_update_equals_a_new_sum(void **state)
{
	uint8_t bytes[40];

	(void)state;
	for (unsigned int seed = 0; seed < 100000; seed++) {
		size_t field = seed % 20 * 2;
		uint16_t old_value, new_value, checksum;

		fill(bytes, sizeof(bytes), seed);
		old_value = load_be16(bytes + field);
		new_value = (uint16_t)(seed * 40503u);
		checksum = slow_checksum(bytes, sizeof(bytes));
		store_be16(bytes + field, new_value);
		assert_int_equal(checksum_update(checksum, old_value, new_value),
		    slow_checksum(bytes, sizeof(bytes)));
	}
}

static void
test_replace_equals_a_new_sum(void **state)
{
	uint8_t bytes[40], new_bytes[16], checksum[2];

	(void)state;
	for (unsigned int seed = 0; seed < 10000; seed++) {
		size_t at = seed % 12 * 2, len = seed % 9 * 2;

		fill(bytes, sizeof(bytes), seed);
		fill(new_bytes, sizeof(new_bytes), ~seed);
		store_be16(checksum, slow_checksum(bytes, sizeof(bytes)));
		checksum_replace(checksum, bytes + at, new_bytes, len);
		memcpy(bytes + at, new_bytes, len);
		assert_int_equal(load_be16(checksum),
		    slow_checksum(bytes, sizeof(bytes)));
	}
}

static void
test_bytes_are_big_endian_anywhere(void **state)
{
	uint8_t bytes[9] = { 0 };

	(void)state;
	for (size_t at = 0; at < 5; at++) {
		store_be32(bytes + at, 0x89abcdef);
		assert_int_equal(bytes[at], 0x89);
		assert_int_equal(bytes[at + 3], 0xef);
		assert_true(load_be32(bytes + at) == 0x89abcdef);
		assert_int_equal(load_be16(bytes + at + 1), 0xabcd);
		store_be16(bytes + at, 0xfe01);
		assert_int_equal(bytes[at], 0xfe);
		assert_int_equal(bytes[at + 1], 0x01);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_rfc_1071),
		cmocka_unit_test(test_every_length_and_alignment),
		cmocka_unit_test(test_carries),
		cmocka_unit_test(test_sums_in_pieces),
		cmocka_unit_test(test_pieces_of_any_length),
		cmocka_unit_test(test_bytes_with_their_checksum_give_zero),
		cmocka_unit_test(test_pseudo_headers),
		cmocka_unit_test(test_update_example_of_rfc_1624),
		cmocka_unit_test(test_update_equals_a_new_sum),
		cmocka_unit_test(test_replace_equals_a_new_sum),
		cmocka_unit_test(test_bytes_are_big_endian_anywhere),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
