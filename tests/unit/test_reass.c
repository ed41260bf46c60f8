/* SPDX-License-Identifier: BSD-2-Clause */
/* Reassembly: every order of fragments, and every error in fragments. */
#include "base/deadline.h"
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/gate/reass.h"

#define N_OF(array) (sizeof(array) / sizeof(*(array)))

static struct reass reass;
static struct frame whole;
static struct frame other;
static enum ipc_drop_reason reason;
static uint8_t *result;
static size_t result_len;

static int
setup(void **state)
{
	(void)state;
	gate_open(true, true);
	return reass_init(&reass);
}

static int
teardown(void **state)
{
	(void)state;
	reass_free(&reass);
	return 0;
}

/* A datagram of data_len bytes, with the UDP header. */
static void
make(struct frame *datagram, bool ip6, size_t data_len)
{
	if (ip6)
		frame_udp(datagram, GUEST6, 1000, OUTSIDE6, 80, NULL, data_len - 8);
	else
		frame_udp(datagram, GUEST4, 1000, OUTSIDE4, 80, NULL, data_len - 8);
}

/* Checks `frame` as the worker does, then passes it to reass. */
static enum reass_outcome
add_frame(uint64_t now_ms)
{
	uint8_t *exact = malloc(frame.len);
	enum reass_outcome outcome;

	memcpy(exact, frame.bytes, frame.len);
	assert_int_equal(gate_check(&gate, exact, frame.len, now_ms, &parsed),
	    GATE_FRAGMENT);
	outcome =
	    reass_add(&reass, &parsed, exact, now_ms, &result, &result_len, &reason);
	free(exact);
	return outcome;
}

static enum reass_outcome
add_at(const struct frame *datagram, size_t offset, size_t len, bool more, uint32_t id,
    uint64_t now_ms)
{
	frame_fragment(&frame, datagram, offset, len, more, id);
	return add_frame(now_ms);
}

static enum reass_outcome
add(const struct frame *datagram, size_t offset, size_t len, bool more, uint32_t id)
{
	return add_at(datagram, offset, len, more, id, NOW_MS);
}

#define expect_kept(call) assert_int_equal(call, REASS_KEPT)
#define expect_dropped(call, name) \
	do { \
		assert_int_equal(call, REASS_DROPPED); \
		assert_string_equal(reason_name(reason), #name); \
	} while (0)

/* The result equals the datagram, and the gate passes it. */
static void
assert_whole(const struct frame *datagram)
{
	size_t at = frame_l4_offset(datagram);

	assert_int_equal(result_len, datagram->len);
	assert_memory_equal(result + at, datagram->bytes + at, datagram->len - at);
	assert_memory_equal(result, datagram->bytes, 14);
	assert_true(frame_checksums_are_right(result, result_len));
	assert_int_equal(gate_check(&gate, result, result_len, NOW_MS, &parsed),
	    GATE_PASS);
	assert_int_equal(parsed.len, result_len);
}

#define expect_whole(call, datagram) \
	do { \
		assert_int_equal(call, REASS_COMPLETE); \
		assert_whole(datagram); \
	} while (0)

/* Calls visit with each order of n numbers (Heap's algorithm). */
static void
for_each_order(size_t *order, size_t k, size_t n,
    void (*visit)(const size_t *order, size_t n))
{
	if (k <= 1) {
		visit(order, n);
		return;
	}
	for (size_t i = 0; i < k; i++) {
		size_t j = k % 2 == 0 ? i : 0, last = order[k - 1];

		for_each_order(order, k - 1, n, visit);
		order[k - 1] = order[j];
		order[j] = last;
	}
}

#define PIECE 64
static uint32_t next_id;

static void
add_in_order(const size_t *order, size_t n)
{
	/* The last piece is odd. Each fragment is sent twice, except the last one. */
	size_t total = frame_l4_offset(&whole);

	total = whole.len - total;
	next_id++;
	for (size_t i = 0; i < n; i++) {
		size_t offset = order[i] * PIECE;
		bool more = order[i] + 1 < n;
		size_t len = more ? PIECE : total - offset;

		if (i + 1 == n) {
			expect_whole(add(&whole, offset, len, more, next_id), &whole);
			break;
		}
		expect_kept(add(&whole, offset, len, more, next_id));
		expect_dropped(add(&whole, offset, len, more, next_id),
		    fragment_duplicate);
	}
}

static void
test_every_order_of_up_to_five(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		for (size_t n = 2; n <= 5; n++) {
			size_t order[5] = { 0, 1, 2, 3, 4 };

			make(&whole, ip6, (n - 1) * PIECE + 13);
			for_each_order(order, n, n, add_in_order);
		}
	}
	assert_true(reass_next_deadline(&reass) == DEADLINE_NONE);
	assert_int_equal(reass.n_evicted, 0);
}

static void
test_longest_datagrams(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		size_t total = ip6 ? 65535 : 65515, offset = 0;

		make(&whole, ip6, total);
		for (; total - offset > 1480; offset += 1480)
			expect_kept(add(&whole, offset, 1480, true, 9));
		expect_whole(add(&whole, offset, total - offset, false, 9), &whole);
	}
}

static void
test_smallest_pieces(void **state)
{
	const size_t total = 48 * REASS_MAX_FRAGMENTS;

	(void)state;
	make(&whole, false, total - 9);
	for (size_t offset = 0; offset + 48 < total; offset += 48)
		expect_kept(add(&whole, offset, 48, true, 9));
	expect_whole(add(&whole, total - 48, 39, false, 9), &whole);
}

static void
test_fragment_empty(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		make(&whole, ip6, 100);
		expect_dropped(add(&whole, 0, 0, true, 1), fragment_empty);
		expect_dropped(add(&whole, 96, 0, true, 1), fragment_empty);
		expect_dropped(add(&whole, 96, 0, false, 1), fragment_empty);
	}
	assert_true(reass_next_deadline(&reass) == DEADLINE_NONE);
}

static void
test_fragment_length(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		make(&whole, ip6, 100);
		for (size_t len = 1; len < 64; len++) {
			if (len % 8 != 0)
				expect_dropped(add(&whole, 8, len, true, 1),
				    fragment_length);
		}
	}
}

static void
test_fragment_too_long(void **state)
{
	(void)state;
	make(&whole, false, 200);
	frame_fragment(&frame, &whole, 0, 100, false, 1);
	store_be16(frame.bytes + 20, 0x1fff); /* 65528 */
	store_be16(frame.bytes + 24, 0);
	frame_fix_checksums(&frame);
	expect_dropped(add_frame(NOW_MS), fragment_too_long);

	make(&whole, true, 65535);
	expect_kept(add(&whole, 65528, 7, false, 1));
	frame_fragment(&frame, &whole, 65520, 8, false, 2);
	store_be16(frame.bytes + 54 + 2, 0xfff8);
	expect_dropped(add_frame(NOW_MS), fragment_too_long);
	store_be16(frame.bytes + 54 + 2, 0xfff9);
	expect_dropped(add_frame(NOW_MS), fragment_too_long);
}

static void
test_dont_fragment_is_cleared(void **state)
{
	(void)state;
	make(&whole, false, 200);
	for (size_t offset = 0; offset < 200; offset += 104) {
		frame_fragment(&frame, &whole, offset, offset == 0 ? 104 : 96,
		    offset == 0, 1);
		frame.bytes[20] |= 0x40;
		frame.bytes[20 + 4] = frame.bytes[20 + 5] = 0;
		frame_fix_checksums(&frame);
		assert_int_equal(add_frame(NOW_MS),
		    offset == 0 ? REASS_KEPT : REASS_COMPLETE);
	}
	assert_int_equal(load_be16(result + 20), 0);
	assert_true(frame_checksums_are_right(result, result_len));
}

static void
test_fragment_tiny(void **state)
{
	uint8_t tcp[60] = { 0, 1, 0, 80, [12] = 0xa0, [13] = 2 };

	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		const char *src = ip6 ? GUEST6 : GUEST4, *dst = ip6 ? OUTSIDE6 : OUTSIDE4;

		frame_ip(&whole, src, dst, IPPROTO_TCP, tcp, sizeof(tcp));
		for (size_t len = 8; len < 40; len += 8)
			expect_dropped(add(&whole, 0, len, true, 1), fragment_tiny);
		expect_kept(add(&whole, 0, 40, true, 1));
		make(&whole, ip6, 100);
		expect_kept(add(&whole, 0, 8, true, 2));
		frame_echo(&whole, src, dst, 100);
		expect_kept(add(&whole, 0, 8, true, 3));
	}
	/* A fragment has less than 8 bytes only if it is the whole datagram. */
	frame_ip(&whole, GUEST6, OUTSIDE6, IPPROTO_UDP, tcp, 7);
	expect_dropped(add(&whole, 0, 7, false, 1), fragment_tiny);
}

static void
test_fragment_nd(void **state)
{
	static const uint8_t types[] = { 133, 134, 135, 136, 137 };

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		frame_nd(&whole, GUEST6, HOST6, types[i], HOST6, "\1\1\0\0\0\0\0\0", 8);
		expect_dropped(add(&whole, 0, 24, true, 1), fragment_nd);
		expect_dropped(add(&whole, 0, 32, false, 1), fragment_nd);
	}
	/* In UDP the same first byte has no special meaning. */
	frame_udp(&whole, GUEST6, 0x8700, OUTSIDE6, 80, NULL, 100);
	expect_kept(add(&whole, 0, 32, true, 1));
}

/* All positions of a second fragment relative to a first from 64 to 128 of 256. */
static void
test_fragment_overlap(void **state)
{
	static const struct {
		size_t offset, len;
	} cases[] = { { 56, 16 }, { 0, 72 }, { 120, 16 }, { 120, 64 }, { 64, 56 },
		{ 72, 56 }, { 72, 8 }, { 56, 80 }, { 64, 72 }, { 56, 72 },
		{ 0, 256 - 8 } };

	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		make(&whole, ip6, 256);
		for (uint32_t i = 0; i < N_OF(cases); i++) {
			uint32_t id = 100 + i;

			expect_kept(add(&whole, 64, 64, true, id));
			expect_dropped(add(&whole, cases[i].offset, cases[i].len, true,
					   id),
			    fragment_overlap);
			/* The datagram stays poisoned, although all its bytes have
			 * arrived. */
			expect_dropped(add(&whole, 0, 64, true, id), fragment_poisoned);
			expect_dropped(add(&whole, 64, 64, true, id), fragment_poisoned);
			expect_dropped(add(&whole, 128, 128, false, id),
			    fragment_poisoned);
		}
	}
}

static void
test_overlap_with_other_bytes(void **state)
{
	(void)state;
	make(&whole, false, 256);
	other = whole;
	other.bytes[34 + 100] ^= 1;
	expect_kept(add(&whole, 64, 64, true, 1));
	expect_dropped(add(&other, 64, 64, true, 1), fragment_overlap);
	expect_dropped(add(&whole, 0, 64, true, 1), fragment_poisoned);
}

static void
test_two_pieces_in_one_are_an_overlap(void **state)
{
	(void)state;
	make(&whole, true, 256);
	expect_kept(add(&whole, 64, 64, true, 1));
	expect_kept(add(&whole, 128, 64, true, 1));
	expect_dropped(add(&whole, 64, 128, true, 1), fragment_overlap);
	/* One fragment instead of two. */
	expect_kept(add(&whole, 64, 128, true, 2));
	expect_dropped(add(&whole, 128, 64, true, 2), fragment_overlap);
	/* The start of a longer fragment. */
	expect_kept(add(&whole, 64, 128, true, 3));
	expect_dropped(add(&whole, 64, 64, true, 3), fragment_overlap);
}

static void
test_last_fragment_is_compared_to_its_last_byte(void **state)
{
	(void)state;
	make(&whole, false, 253);
	other = whole;
	other.bytes[34 + 252] ^= 1;
	expect_kept(add(&whole, 64, 189, false, 1));
	expect_dropped(add(&whole, 64, 189, false, 1), fragment_duplicate);
	expect_dropped(add(&other, 64, 189, false, 1), fragment_overlap);
	/* The same place, without being the last. */
	make(&whole, false, 256);
	expect_kept(add(&whole, 64, 192, false, 2));
	expect_dropped(add(&whole, 64, 192, true, 2), fragment_overlap);
	expect_kept(add(&whole, 64, 192, true, 3));
	expect_dropped(add(&whole, 64, 192, false, 3), fragment_overlap);
}

static void
test_fragment_conflict(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		make(&whole, ip6, 512);
		/* After the end. */
		expect_kept(add(&whole, 128, 128, false, 1));
		expect_dropped(add(&whole, 256, 8, true, 1), fragment_conflict);
		expect_dropped(add(&whole, 0, 128, true, 1), fragment_poisoned);
		/* A second end, later and earlier. */
		expect_kept(add(&whole, 128, 128, false, 2));
		expect_dropped(add(&whole, 256, 8, false, 2), fragment_conflict);
		expect_kept(add(&whole, 128, 128, false, 3));
		expect_dropped(add(&whole, 64, 8, false, 3), fragment_conflict);
		/* An end before bytes that have arrived. */
		expect_kept(add(&whole, 256, 8, true, 4));
		expect_dropped(add(&whole, 128, 128, false, 4), fragment_conflict);
		expect_dropped(add(&whole, 0, 128, true, 4), fragment_poisoned);
		/* Across the end. */
		expect_kept(add(&whole, 128, 125, false, 5));
		expect_dropped(add(&whole, 248, 8, true, 5), fragment_conflict);
	}
}

static void
test_fragment_count(void **state)
{
	(void)state;
	make(&whole, false, 65515);
	for (size_t i = 0; i < REASS_MAX_FRAGMENTS; i++)
		expect_kept(add(&whole, i * 8, 8, true, 1));
	expect_dropped(add(&whole, REASS_MAX_FRAGMENTS * 8, 8, true, 1), fragment_count);
	expect_dropped(add(&whole, 60000, 8, true, 1), fragment_poisoned);
}

static void
test_datagrams_are_told_apart(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		const char *guest = ip6 ? GUEST6 : GUEST4,
			   *dst = ip6 ? OUTSIDE6 : OUTSIDE4;

		make(&whole, ip6, 200);
		expect_kept(add(&whole, 0, 104, true, 1));
		expect_kept(
		    add(&whole, 104, 96, false, 0x10001 - 0x10000 * (uint32_t)!ip6 + 1));
		frame_udp(&other, ip6 ? "fd00::101" : "10.0.2.101", 1000, dst, 80, NULL,
		    192);
		expect_kept(add(&other, 104, 96, false, 1));
		frame_udp(&other, guest, 1000, ip6 ? HOST6 : HOST4, 80, NULL, 192);
		expect_kept(add(&other, 104, 96, false, 1));
		expect_whole(add(&whole, 104, 96, false, 1), &whole);
	}
	/* The protocol is part of IPv4's key and not of IPv6's. */
	frame_echo(&other, GUEST4, OUTSIDE4, 192);
	make(&whole, false, 200);
	expect_kept(add(&whole, 0, 104, true, 7));
	expect_kept(add(&other, 104, 96, false, 7));
	expect_whole(add(&whole, 104, 96, false, 7), &whole);
	make(&whole, true, 200);
	expect_kept(add(&whole, 0, 104, true, 7));
	frame_fragment(&frame, &whole, 104, 96, false, 7);
	frame.bytes[54] = IPPROTO_TCP;
	expect_whole(add_frame(NOW_MS), &whole);
	/* All of IPv6's 32 bits are compared. */
	expect_kept(add(&whole, 0, 104, true, 0x00010007));
	expect_kept(add(&whole, 104, 96, false, 0x00000007));
}

static void
test_atomic_fragment_stands_alone(void **state)
{
	(void)state;
	make(&whole, true, 200);
	make(&other, true, 96);
	expect_kept(add(&whole, 0, 104, true, 1));
	expect_whole(add(&other, 0, 96, false, 1), &other);
	expect_whole(add(&other, 0, 96, false, 1), &other);
	expect_whole(add(&whole, 104, 96, false, 1), &whole);
	make(&other, true, 65527); /* the limit with a fragment header */
	expect_whole(add(&other, 0, 65527, false, 1), &other);
	frame_tcp(&other, GUEST6, 1, OUTSIDE6, 80, 0x02); /* a header alone */
	expect_whole(add(&other, 0, 20, false, 1), &other);
	/* A poisoned datagram with the same key does not affect it either. */
	make(&other, true, 96);
	expect_kept(add(&whole, 0, 104, true, 2));
	expect_dropped(add(&whole, 0, 96, true, 2), fragment_overlap);
	expect_whole(add(&other, 0, 96, false, 2), &other);
	expect_dropped(add(&whole, 104, 96, false, 2), fragment_poisoned);
}

static void
test_time(void **state)
{
	(void)state;
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		uint64_t life = ip6 ? REASS_LIFE6_MS : REASS_LIFE4_MS;

		make(&whole, ip6, 300);
		assert_true(reass_next_deadline(&reass) == DEADLINE_NONE);
		expect_kept(add_at(&whole, 0, 104, true, 1, NOW_MS));
		/* A later fragment does not extend the timeout. */
		expect_kept(add_at(&whole, 104, 96, true, 1, NOW_MS + 500));
		assert_true(reass_next_deadline(&reass) == NOW_MS + life);
		assert_int_equal(reass_expire(&reass, NOW_MS + life - 1), 0);
		assert_int_equal(reass_expire(&reass, NOW_MS + life), 1);
		assert_int_equal(reass_expire(&reass, NOW_MS + life), 0);
		assert_true(reass_next_deadline(&reass) == DEADLINE_NONE);

		/* It can be completed up to the last millisecond, */
		expect_kept(add_at(&whole, 0, 104, true, 1, NOW_MS));
		expect_whole(add_at(&whole, 104, 196, false, 1, NOW_MS + life - 1),
		    &whole);
		/* but not later, whether or not reass_expire() was called. */
		expect_kept(add_at(&whole, 0, 104, true, 1, NOW_MS));
		expect_kept(add_at(&whole, 104, 196, false, 1, NOW_MS + life));
		assert_int_equal(reass_expire(&reass, NOW_MS + 2 * life), 1);
	}
	assert_int_equal(reass.n_expired, 6);
}

static void
test_poison_expires(void **state)
{
	(void)state;
	make(&whole, true, 200);
	expect_kept(add(&whole, 0, 104, true, 1));
	expect_dropped(add(&whole, 96, 8, true, 1), fragment_overlap);
	expect_dropped(add_at(&whole, 0, 104, true, 1, NOW_MS + REASS_LIFE6_MS - 1),
	    fragment_poisoned);
	expect_kept(add_at(&whole, 0, 104, true, 1, NOW_MS + REASS_LIFE6_MS));
	expect_whole(add_at(&whole, 104, 96, false, 1, NOW_MS + REASS_LIFE6_MS), &whole);
}

static void
test_deadline_is_the_earliest(void **state)
{
	(void)state;
	make(&whole, true, 200);
	make(&other, false, 200);
	expect_kept(add_at(&whole, 0, 104, true, 1, NOW_MS));
	assert_true(reass_next_deadline(&reass) == NOW_MS + REASS_LIFE6_MS);
	expect_kept(add_at(&other, 0, 104, true, 1, NOW_MS + 1));
	assert_true(reass_next_deadline(&reass) == NOW_MS + 1 + REASS_LIFE4_MS);
	assert_int_equal(reass_expire(&reass, NOW_MS + 1 + REASS_LIFE4_MS), 1);
	assert_true(reass_next_deadline(&reass) == NOW_MS + REASS_LIFE6_MS);
}

static void
test_flood_evicts_what_does_not_move(void **state)
{
	(void)state;
	make(&whole, false, 200);
	for (uint32_t id = 0; id < REASS_MAX_DATAGRAMS; id++)
		expect_kept(add(&whole, 0, 104, true, id));
	assert_int_equal(reass.n_evicted, 0);
	/* The first gets a new fragment, so the second is the oldest. */
	expect_kept(add(&whole, 104, 8, true, 0));
	expect_kept(add(&whole, 0, 104, true, 1000));
	assert_int_equal(reass.n_evicted, 1);
	expect_whole(add(&whole, 112, 88, false, 0), &whole);
	expect_kept(add(&whole, 104, 96, false, 1)); /* a new one: its head is lost */
	expect_whole(add(&whole, 104, 96, false, 2), &whole);
}

static void
test_duplicates_do_not_keep_a_datagram(void **state)
{
	(void)state;
	make(&whole, false, 200);
	for (uint32_t id = 0; id < REASS_MAX_DATAGRAMS; id++) {
		expect_kept(add(&whole, 0, 104, true, id));
		if (id > 0)
			expect_dropped(add(&whole, 0, 104, true, 0), fragment_duplicate);
	}
	expect_kept(add(&whole, 0, 104, true, 1000));
	expect_kept(add(&whole, 104, 96, false, 0)); /* a new one */
}

static void
test_datagram_in_progress_survives_a_flood(void **state)
{
	const size_t total = 60000;
	uint32_t id = 1000;

	(void)state;
	make(&whole, false, total);
	make(&other, false, 200);
	for (size_t offset = 0; offset + 1480 < total; offset += 1480) {
		expect_kept(add(&whole, offset, 1480, true, 1));
		for (int i = 0; i < REASS_MAX_DATAGRAMS - 1; i++)
			expect_kept(add(&other, 0, 104, true, id++));
	}
	expect_whole(add(&whole, total / 1480 * 1480, total % 1480, false, 1), &whole);
}

static void
test_long_flood(void **state)
{
	(void)state;
	make(&whole, true, 1400);
	for (uint32_t i = 0; i < 20000; i++)
		add_at(&whole, i % 3 * 448, 448, true, i / 2, NOW_MS + i / 100);
	assert_true(reass.n_evicted + reass.n_expired > 9000);
	/* Then it works as before. */
	expect_kept(add(&whole, 0, 448, true, 77777));
	expect_whole(add(&whole, 448, 952, false, 77777), &whole);
}

static void
test_missing_fragments_never_complete(void **state)
{
	(void)state;
	make(&whole, false, 1000);
	for (size_t missing = 0; missing < 1000; missing += 200) {
		for (size_t offset = 0; offset < 1000; offset += 200) {
			if (offset != missing)
				expect_kept(add(&whole, offset, 200, offset != 800,
				    (uint32_t)missing));
		}
	}
	assert_int_equal(reass_expire(&reass, NOW_MS + REASS_LIFE4_MS), 5);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_every_order_of_up_to_five),
		T(test_longest_datagrams),
		T(test_smallest_pieces),
		T(test_fragment_empty),
		T(test_fragment_length),
		T(test_fragment_too_long),
		T(test_dont_fragment_is_cleared),
		T(test_fragment_tiny),
		T(test_fragment_nd),
		T(test_fragment_overlap),
		T(test_overlap_with_other_bytes),
		T(test_two_pieces_in_one_are_an_overlap),
		T(test_last_fragment_is_compared_to_its_last_byte),
		T(test_fragment_conflict),
		T(test_fragment_count),
		T(test_datagrams_are_told_apart),
		T(test_atomic_fragment_stands_alone),
		T(test_time),
		T(test_poison_expires),
		T(test_deadline_is_the_earliest),
		T(test_flood_evicts_what_does_not_move),
		T(test_duplicates_do_not_keep_a_datagram),
		T(test_datagram_in_progress_survives_a_flood),
		T(test_long_flood),
		T(test_missing_fragments_never_complete),
	};
#undef T

	return cmocka_run_group_tests_name("reass", tests, NULL, NULL);
}
