/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragmentation towards the guest; reassembly must restore the datagram. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/gate/reass.h"
#include "slirp-worker/tap/frag.h"

#define N_OF(array) (sizeof(array) / sizeof(*(array)))

/* Source and destination are exchanged, because the result must pass the gate here. */
static struct frame whole;
static uint8_t scratch[14 + 65535];

/* The frames that were emitted. */
static struct piece {
	size_t len;
	uint8_t bytes[14 + 65535];
} pieces[1400];
static int n_pieces;
static int n_taken_max;

static bool
collect(void *ctx, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(ctx, &whole);
	if (n_pieces == n_taken_max)
		return false;
	assert_true(n_pieces < (int)N_OF(pieces));
	memcpy(pieces[n_pieces].bytes, bytes, len);
	pieces[n_pieces++].len = len;
	return true;
}

static int
split(unsigned int mtu_bytes)
{
	uint8_t *exact = malloc(whole.len);
	uint8_t *room = malloc(14 + mtu_bytes);
	int n;

	n_pieces = 0;
	n_taken_max = (int)N_OF(pieces) + 1;
	memcpy(exact, whole.bytes, whole.len);
	n = frag_split(exact, whole.len, mtu_bytes, 0xa1b2c3d4, room, 14 + mtu_bytes,
	    collect, &whole);
	free(exact);
	free(room);
	assert_int_equal(n, n == -1 ? -1 : n_pieces);
	return n;
}

static void
test_needed(void **state)
{
	(void)state;
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 1472);
	assert_false(frag_needed(whole.bytes, whole.len, 1500));
	assert_true(frag_needed(whole.bytes, whole.len, 1499));
	frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, 1452);
	assert_false(frag_needed(whole.bytes, whole.len, 1500));
	assert_true(frag_needed(whole.bytes, whole.len, 1499));
	frame_arp(&whole, 1, HOST4, GUEST4);
	assert_false(frag_needed(whole.bytes, whole.len, 20));
	assert_false(frag_needed(whole.bytes, 3, 1500));
}

static void
test_what_fits_stays_as_it_is(void **state)
{
	(void)state;
	frame_tcp(&whole, GUEST4, 1, OUTSIDE4, 2, 0x10);
	assert_int_equal(split(40), 1);
	assert_int_equal(pieces[0].len, whole.len);
	assert_memory_equal(pieces[0].bytes, whole.bytes, whole.len);
	frame_arp(&whole, 1, HOST4, GUEST4);
	assert_int_equal(split(20), 1);
	assert_memory_equal(pieces[0].bytes, whole.bytes, whole.len);
}

static void
test_ip4_fields(void **state)
{
	(void)state;
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 4000 - 8);
	assert_int_equal(split(1500), 3);
	for (int i = 0; i < 3; i++) {
		const uint8_t *ip = pieces[i].bytes + 14;
		size_t len = i < 2 ? 1480 : 4000 - 2960;

		assert_memory_equal(pieces[i].bytes, whole.bytes, 14);
		assert_int_equal(pieces[i].len, 14 + 20 + len);
		assert_int_equal(load_be16(ip + 2), 20 + len);
		assert_int_equal(load_be16(ip + 4), 0x1234);
		assert_int_equal(load_be16(ip + 6), i * 185 | (i < 2 ? 0x2000 : 0));
		assert_memory_equal(ip + 8, whole.bytes + 14 + 8, 2);
		assert_memory_equal(ip + 12, whole.bytes + 14 + 12, 8);
		assert_true(frame_checksums_are_right(pieces[i].bytes, pieces[i].len));
		assert_memory_equal(ip + 20, whole.bytes + 34 + i * 1480, len);
	}
}

static void
test_ip6_fields(void **state)
{
	(void)state;
	frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, 4000 - 8);
	assert_int_equal(split(1500), 3);
	for (int i = 0; i < 3; i++) {
		const uint8_t *ip = pieces[i].bytes + 14;
		size_t len = i < 2 ? 1448 : 4000 - 2896;

		assert_memory_equal(pieces[i].bytes, whole.bytes, 14 + 4);
		assert_int_equal(pieces[i].len, 14 + 48 + len);
		assert_int_equal(load_be16(ip + 4), 8 + len);
		assert_int_equal(ip[6], IPPROTO_FRAGMENT);
		assert_memory_equal(ip + 7, whole.bytes + 14 + 7, 33);
		assert_int_equal(ip[40], IPPROTO_UDP);
		assert_int_equal(ip[41], 0);
		assert_int_equal(load_be16(ip + 42), i * 1448 | (i < 2));
		assert_true(load_be32(ip + 44) == 0xa1b2c3d4);
		assert_memory_equal(ip + 48, whole.bytes + 54 + i * 1448, len);
	}
}

static void
test_fragments_are_cut_again(void **state)
{
	struct frame original;

	(void)state;
	frame_udp(&original, GUEST4, 1, OUTSIDE4, 2, NULL, 3000 - 8);
	/* The middle fragment keeps More Fragments on all pieces, */
	frame_fragment(&whole, &original, 800, 1600, true, 5);
	assert_int_equal(split(1020), 2);
	assert_int_equal(load_be16(pieces[0].bytes + 20), 0x2000 | 100);
	assert_int_equal(load_be16(pieces[1].bytes + 20), 0x2000 | 225);
	/* the last fragment on all pieces but the last. */
	frame_fragment(&whole, &original, 800, 1600, false, 5);
	assert_int_equal(split(1020), 2);
	assert_int_equal(load_be16(pieces[0].bytes + 20), 0x2000 | 100);
	assert_int_equal(load_be16(pieces[1].bytes + 20), 225);
	/* A middle fragment with a length that only the last may have. */
	frame_fragment(&whole, &original, 800, 1599, true, 5);
	assert_int_equal(split(1020), -1);
	/* A fragment that ends where the longest datagram ends, and one that ends a byte
	 * later. */
	frame_fragment(&whole, &original, 0, 2027, false, 5);
	store_be16(whole.bytes + 20, 63488 / 8);
	assert_int_equal(split(1020), 3);
	frame_fragment(&whole, &original, 0, 2028, false, 5);
	store_be16(whole.bytes + 20, 63488 / 8);
	assert_int_equal(split(1020), -1);
	/* A fragment that ends beyond any datagram. */
	frame_fragment(&whole, &original, 0, 2000, false, 5);
	store_be16(whole.bytes + 20, 0x1ff8);
	assert_int_equal(split(1020), -1);
}

static void
test_options(void **state)
{
	/* NOP, router alert (copied), timestamp (not), record route (not), end */
	static const uint8_t options[] = { 1, 148, 4, 0, 0, 68, 8, 5, 0, 1, 2, 3, 4, 7, 7,
		4, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t rest[] = { 1, 148, 4, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 0, 0, 0, 0 };

	(void)state;
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 2000);
	frame_add_ip4_options(&whole, options, sizeof(options));
	assert_int_equal(split(1000), 3);
	for (int i = 0; i < 3; i++) {
		assert_memory_equal(pieces[i].bytes + 34, i == 0 ? options : rest,
		    sizeof(options));
		assert_true(frame_checksums_are_right(pieces[i].bytes, pieces[i].len));
	}
}

static void
test_options_that_are_not_well_formed(void **state)
{
	static uint8_t fillers[2000];
	static const uint8_t bad[][4] = { { 7, 0, 0, 0 }, { 7, 255, 0, 0 },
		{ 1, 1, 1, 7 } };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 2000);
		frame_add_ip4_options(&whole, bad[i], 4);
		assert_int_equal(split(1500), 2);
	}
	/* Options up to the header's end; the bytes after it look like more options. */
	memset(fillers, 1, sizeof(fillers));
	frame_udp(&whole, GUEST4, 257, OUTSIDE4, 257, fillers, sizeof(fillers));
	frame_add_ip4_options(&whole, "\1\1\104\2", 4);
	assert_int_equal(split(1500), 2);
	assert_memory_equal(pieces[1].bytes + 34, "\1\1\1\1", 4);
}

static void
test_what_can_not_be_cut(void **state)
{
	static uint8_t tcp[3000] = { [12] = 0x50 };

	(void)state;
	frame_ip(&whole, GUEST4, OUTSIDE4, IPPROTO_TCP, tcp, sizeof(tcp));
	assert_int_equal(split(1500), -1);
	frame_ip(&whole, GUEST6, OUTSIDE6, IPPROTO_TCP, tcp, sizeof(tcp));
	assert_int_equal(split(1500), -1);
	/* An extension header, which may belong before the fragment header. */
	frame_ip(&whole, GUEST6, OUTSIDE6, IPPROTO_HOPOPTS, tcp, sizeof(tcp));
	assert_int_equal(split(1500), -1);
	frame_ip(&whole, GUEST4, OUTSIDE4, IPPROTO_ICMPV6, tcp, sizeof(tcp));
	assert_int_equal(split(1500), -1);
	/* Don't Fragment. */
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 3000);
	whole.bytes[20] |= 0x40;
	assert_int_equal(split(1500), -1);
	/* Inconsistent lengths. */
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 3000);
	store_be16(whole.bytes + 16, 3029);
	assert_int_equal(split(1500), -1);
	store_be16(whole.bytes + 16, 19);
	assert_int_equal(split(1500), -1);
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 3000);
	whole.bytes[14] = 0x44;
	assert_int_equal(split(1500), -1);
	frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, 3000);
	store_be16(whole.bytes + 18, 3009);
	assert_int_equal(split(1500), -1);
	/* Truncated headers. */
	frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, 3000);
	whole.len = 14 + 39;
	assert_int_equal(split(30), -1);
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 3000);
	whole.len = 14 + 19;
	assert_int_equal(split(10), -1);
}

static void
test_smallest_mtu(void **state)
{
	(void)state;
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 100);
	assert_int_equal(split(27), -1);
	assert_int_equal(split(28), 14);
	assert_int_equal(split(68), 3);
	frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, 100);
	assert_int_equal(split(55), -1);
	assert_int_equal(split(56), 14);
}

static void
test_too_small_a_scratch(void **state)
{
	(void)state;
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 3000);
	n_pieces = 0;
	assert_int_equal(frag_split(whole.bytes, whole.len, 1500, 1, scratch, 1513,
			     collect, &whole),
	    -1);
	assert_int_equal(n_pieces, 0);
	assert_int_equal(frag_split(whole.bytes, whole.len, 1500, 1, scratch, 1514,
			     collect, &whole),
	    3);
}

static void
test_a_refusing_taker_ends_it(void **state)
{
	(void)state;
	frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, 5000);
	n_pieces = 0;
	n_taken_max = 2;
	assert_int_equal(frag_split(whole.bytes, whole.len, 1500, 1, scratch,
			     sizeof(scratch), collect, &whole),
	    2);
	n_pieces = n_taken_max = 0;
	assert_int_equal(frag_split(whole.bytes, whole.len, 9000, 1, scratch,
			     sizeof(scratch), collect, &whole),
	    0);
}

static void
check_round_trip(struct reass *reass, unsigned int mtu_bytes)
{
	size_t at = frame_l4_offset(&whole);
	enum ipc_drop_reason reason;
	uint8_t *result = NULL;
	size_t result_len = 0;
	int n = split(mtu_bytes);

	assert_true(n >= 1);
	if (n == 1) {
		assert_true(whole.len - 14 <= mtu_bytes);
		return;
	}
	for (int i = 0; i < n; i++) {
		/* Backwards: some IPv4 stacks sent fragments in this order. */
		struct piece *piece = &pieces[n - 1 - i];

		assert_true(piece->len <= 14 + mtu_bytes);
		assert_int_equal(gate_check(&gate, piece->bytes, piece->len, NOW_MS,
				     &parsed),
		    GATE_FRAGMENT);
		assert_int_equal(parsed.len, piece->len);
		assert_int_equal(reass_add(reass, &parsed, piece->bytes, NOW_MS, &result,
				     &result_len, &reason),
		    i + 1 < n ? REASS_KEPT : REASS_COMPLETE);
	}
	assert_int_equal(result_len, whole.len);
	assert_memory_equal(result + at, whole.bytes + at, whole.len - at);
	assert_true(frame_checksums_are_right(result, result_len));
	assert_int_equal(gate_check(&gate, result, result_len, NOW_MS, &parsed),
	    GATE_PASS);
}

static void
test_round_trip(void **state)
{
	static const unsigned int mtus[] = { 68, 69, 70, 71, 576, 1280, 1492, 1500, 9000,
		65520, 65521 };
	static const size_t lens[] = { 0, 1, 7, 8, 9, 47, 48, 49, 1400, 1471, 1472, 1473,
		8192, 40000, 65507 };
	struct reass reass;

	(void)state;
	gate_open(true, true);
	assert_int_equal(reass_init(&reass), 0);
	for (size_t m = 0; m < N_OF(mtus); m++) {
		for (size_t i = 0; i < N_OF(lens); i++) {
			frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, lens[i]);
			check_round_trip(&reass, mtus[m]);
			frame_echo(&whole, GUEST4, HOST4, lens[i]);
			check_round_trip(&reass, mtus[m]);
			/* IPv6 in pieces of 16 bytes makes more fragments than any
			 * path. */
			if (mtus[m] < 576 && lens[i] > 8192)
				continue;
			frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, lens[i]);
			check_round_trip(&reass, mtus[m]);
			frame_echo(&whole, GUEST6, HOST6, lens[i]);
			check_round_trip(&reass, mtus[m]);
		}
	}
	/* Every length around the boundaries of a small MTU. */
	for (size_t len = 0; len < 400; len++) {
		frame_udp(&whole, GUEST4, 1, OUTSIDE4, 2, NULL, len);
		check_round_trip(&reass, 100);
		frame_udp(&whole, GUEST6, 1, OUTSIDE6, 2, NULL, len);
		check_round_trip(&reass, 100);
	}
	reass_free(&reass);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_what_fits_stays_as_it_is),
		cmocka_unit_test(test_ip4_fields),
		cmocka_unit_test(test_ip6_fields),
		cmocka_unit_test(test_fragments_are_cut_again),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_that_are_not_well_formed),
		cmocka_unit_test(test_what_can_not_be_cut),
		cmocka_unit_test(test_smallest_mtu),
		cmocka_unit_test(test_too_small_a_scratch),
		cmocka_unit_test(test_a_refusing_taker_ends_it),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("frag", tests, NULL, NULL);
}
