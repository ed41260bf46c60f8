/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP segments parsed and written: frames of Linux, options in every order, cut options. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/wire/tcp_segment.h"
#include "slirp-worker/wire/tcp_seq.h"

#include <stdio.h>

#define N_OF(array) (sizeof(array) / sizeof(*(array)))
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define ECE 0x40
#define CWR 0x80

static struct tcp_segment segment;

/* Parses the frame from a block of its own size, so that a sanitizer sees each byte too
 * far. The addresses of the segment then point into the frame again. */
static bool
parse(size_t len)
{
	uint8_t *exact = malloc(len + 1);
	bool is_one;

	memcpy(exact + 1, frame.bytes, len);
	is_one = tcp_segment_parse(exact + 1, len, &segment);
	free(exact);
	return is_one && tcp_segment_parse(frame.bytes, len, &segment);
}

static void
assert_blocks_equal(const struct tcp_sack_block *a, const struct tcp_sack_block *b,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(a[i].left == b[i].left);
		assert_true(a[i].right == b[i].right);
	}
}

/* Frames of Linux 6.18 with tcp_timestamps=0: a SYN-ACK, and ACKs for data that came in
 * front of gaps. */
static const struct {
	const char *hex;
	struct tcp_segment is;
} linux_frames[] = {
	{
	    "52550a0002025254001234560800"
	    "45000034000040004006225f0a0002640a000202"
	    "1f900fa02aa1f9f8000003e98012faf003f50000020405b4010104020103030a",
	    {
		.flags = SYN | ACK,
		.seq = 0x2aa1f9f8,
		.window = 64240,
		.mss = 1460,
		.has_wscale = true,
		.wscale = 10,
		.sack_ok = true,
	    },
	},
	{
	    "52550a0002025254001234560800"
	    "45000034f8c040004006299e0a0002640a000202"
	    "1f900fa02aa1f9f9000003e98010003f006700000101050a0000044d000004b1",
	    {
		.flags = ACK,
		.seq = 0x2aa1f9f9,
		.window = 63,
		.n_sack = 1,
		.sack = { { 1101, 1201 } },
	    },
	},
	{
	    "52550a0002025254001234560800"
	    "4500004cf8c44000400629820a0002640a000202"
	    "1f900fa02aa1f9f9000003e9e010003f759c0000010105220000076d000007d1000006a5"
	    "00000709000005dd000006410000051500000579",
	    {
		.flags = ACK,
		.seq = 0x2aa1f9f9,
		.window = 63,
		.n_sack = 4,
		.sack = { { 1901, 2001 }, { 1701, 1801 }, { 1501, 1601 },
		    { 1301, 1401 } },
	    },
	},
	{
	    "52550a00020252540012345686dd"
	    "6001ea7900200640fd000000000000000000000000000100fd0000000000000000000000"
	    "00000002"
	    "1f900fa0490fef39000003e98012fd200b8c0000020405a0010104020103030a",
	    {
		.is_ip6 = true,
		.flags = SYN | ACK,
		.seq = 0x490fef39,
		.window = 64800,
		.mss = 1440,
		.has_wscale = true,
		.wscale = 10,
		.sack_ok = true,
	    },
	},
	{
	    "52550a00020252540012345686dd"
	    "6001ea7900380640fd000000000000000000000000000100fd0000000000000000000000"
	    "00000002"
	    "1f900fa0490fef3a000003e9e01000407f4e0000010105220000076d000007d1000006a5"
	    "00000709000005dd000006410000051500000579",
	    {
		.is_ip6 = true,
		.flags = ACK,
		.seq = 0x490fef3a,
		.window = 64,
		.n_sack = 4,
		.sack = { { 1901, 2001 }, { 1701, 1801 }, { 1501, 1601 },
		    { 1301, 1401 } },
	    },
	},
};

static void
unhex(const char *hex)
{
	unsigned int byte;

	memset(&frame, 0, sizeof(frame));
	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		frame.bytes[frame.len++] = (uint8_t)byte;
}

static struct tcp_head
head_of(const struct tcp_segment *s)
{
	return (struct tcp_head){
		.dst_mac = s->dst_mac,
		.src_mac = s->src_mac,
		.src = s->src,
		.dst = s->dst,
		.is_ip6 = s->is_ip6,
		.src_port = s->src_port,
		.dst_port = s->dst_port,
		.seq = s->seq,
		.ack = s->ack,
		.flags = s->flags,
		.window = s->window,
		.mss = s->mss,
		.has_wscale = s->has_wscale,
		.wscale = s->wscale,
		.sack_ok = s->sack_ok,
		.n_sack = s->n_sack,
		.sack = s->sack,
	};
}

static void
test_frames_of_linux(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(linux_frames); i++) {
		const struct tcp_segment *is = &linux_frames[i].is;
		uint8_t out[TCP_HEAD_MAX];
		uint8_t *ip = frame.bytes + 14;
		struct tcp_head head;

		unhex(linux_frames[i].hex);
		assert_true(parse(frame.len));
		assert_ptr_equal(segment.dst_mac, frame.bytes);
		assert_ptr_equal(segment.src_mac, frame.bytes + 6);
		assert_ptr_equal(segment.src, ip + (is->is_ip6 ? 8 : 12));
		assert_ptr_equal(segment.dst, ip + (is->is_ip6 ? 24 : 16));
		assert_ptr_equal(segment.data, frame.bytes + frame.len);
		assert_int_equal(segment.data_len, 0);
		assert_int_equal(segment.is_ip6, is->is_ip6);
		assert_int_equal(segment.ttl, 64);
		assert_int_equal(segment.flags, is->flags);
		assert_int_equal(segment.src_port, 8080);
		assert_int_equal(segment.dst_port, 4000);
		assert_true(segment.seq == is->seq);
		assert_true(segment.ack == 1001);
		assert_int_equal(segment.window, is->window);
		assert_int_equal(segment.mss, is->mss);
		assert_int_equal(segment.has_wscale, is->has_wscale);
		assert_int_equal(segment.wscale, is->wscale);
		assert_int_equal(segment.sack_ok, is->sack_ok);
		assert_int_equal(segment.n_sack, is->n_sack);
		assert_blocks_equal(segment.sack, is->sack, is->n_sack);

		/* Written again, the same bytes, but without Don't Fragment (IPv4) and
		 * without a flow label (IPv6). */
		head = head_of(&segment);
		head.ip_id = load_be16(ip + 4);
		assert_int_equal(tcp_head_write(out, &head, 0), frame.len);
		tcp_head_sum(out, frame.len, NULL, 0);
		if (is->is_ip6)
			store_be32(ip, 0x60000000);
		else
			store_be16(ip + 6, 0);
		frame_fix_checksums(&frame);
		assert_memory_equal(out, frame.bytes, frame.len);
	}
}

/* The field of frames on Linux's loopback, whose checksums nobody completes. */
static void
test_checksum_that_the_kernel_completes(void **state)
{
	static const uint8_t loopback4[] = { 127, 0, 0, 1 };
	static const uint8_t loopback6[16] = { [15] = 1 };
	static const struct {
		uint8_t flags;
		size_t data_len;
		uint16_t checksum4, checksum6;
	} cases[] = {
		{ SYN, 0, 0xfe28, 0x0028 },
		{ ACK, 0, 0xfe1c, 0x001c },
		{ PSH | ACK, 5, 0xfe21, 0x0021 },
		/* Linux adds the length in 32 bits. */
		{ ACK, 0x20000, 0xfe1e, 0x001e },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct tcp_head head = {
			.dst_mac = frame_guest_mac,
			.src_mac = frame_stack_mac,
			.src = loopback4,
			.dst = loopback4,
			.flags = cases[i].flags,
			.mss = 1460,
			.has_wscale = true,
			.sack_ok = true,
		};
		uint8_t out[TCP_HEAD_MAX];

		tcp_head_write(out, &head, cases[i].data_len);
		assert_int_equal(load_be16(out + 34 + 16), cases[i].checksum4);
		head.is_ip6 = true;
		head.src = head.dst = loopback6;
		tcp_head_write(out, &head, cases[i].data_len);
		assert_int_equal(load_be16(out + 54 + 16), cases[i].checksum6);
	}
}

static void
make(bool is_ip6, uint8_t flags, const void *options, size_t len)
{
	frame_tcp_options(&frame, is_ip6 ? GUEST6 : GUEST4, 1,
	    is_ip6 ? OUTSIDE6 : OUTSIDE4, 2, flags, options, len);
}

static void
test_options_in_every_order(void **state)
{
	static const struct {
		size_t len;
		uint8_t bytes[10];
	} options[] = {
		{ 4, { 2, 4, 5, 0xb4 } }, { 3, { 3, 3, 9 } }, { 2, { 4, 2 } },
		{ 10, { 8, 10, 2, 4, 9, 9, 3, 3, 1, 4 } }, /* timestamps */
	};

	(void)state;
	/* Two bits for each place: which option; one more: whether NOP precedes it. */
	for (int order = 0; order < 1 << 12; order++) {
		uint8_t all[44] = { 0 };
		size_t len = 0;
		unsigned int seen = 0;

		for (int i = 0; i < 4; i++) {
			int which = order >> 2 * i & 3;

			seen |= 1u << which;
			if ((order >> 8 & 1 << i) != 0)
				all[len++] = 1; /* NOP */
			memcpy(all + len, options[which].bytes, options[which].len);
			len += options[which].len;
		}
		if (seen != 15) /* one is missing */
			continue;
		make(order % 2 != 0, order % 3 == 0 ? SYN : SYN | ACK, all,
		    (len + 3) / 4 * 4);
		assert_true(parse(frame.len));
		assert_int_equal(segment.mss, 1460);
		assert_true(segment.has_wscale);
		assert_int_equal(segment.wscale, 9);
		assert_true(segment.sack_ok);
		assert_int_equal(segment.n_sack, 0);
	}
}

static void
test_odd_options(void **state)
{
	static const struct {
		uint8_t flags;
		size_t len;
		uint8_t options[40];
		uint16_t mss;
		int wscale; /* -1: none */
		bool sack_ok;
		uint8_t n_sack;
	} cases[] = {
		/* none */
		{ SYN, 0, { 0 }, 0, -1, false, 0 },
		/* SYN's, without SYN */
		{ ACK, 12, { 2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7 }, 0, -1, false, 0 },
		/* blocks in a SYN */
		{ SYN, 12, { 1, 1, 5, 10 }, 0, -1, false, 0 },
		/* behind the end */
		{ SYN, 8, { 4, 2, 0, 2, 2, 4, 5, 0xb4 }, 0, -1, true, 0 },
		/* length 0 */
		{ SYN, 12, { 3, 3, 7, 254, 0, 2, 4, 5, 0xb4, 1, 1, 1 }, 0, 7, false, 0 },
		/* length 1 */
		{ SYN, 12, { 3, 3, 7, 254, 1, 2, 4, 5, 0xb4, 1, 1, 1 }, 0, 7, false, 0 },
		/* length too large */
		{ SYN, 12, { 3, 3, 7, 4, 10, 2, 4, 5, 0xb4 }, 0, 7, false, 0 },
		/* wrong lengths */
		{ SYN, 12, { 2, 3, 9, 3, 4, 9, 9, 4, 3, 9, 1, 1 }, 0, -1, false, 0 },
		/* wrong lengths, then right ones */
		{ SYN, 20,
		    { 2, 3, 9, 3, 4, 9, 9, 4, 3, 9, 2, 4, 5, 0xb4, 3, 3, 0, 4, 2, 1 },
		    1460, 0, true, 0 },
		/* the last of two */
		{ SYN, 12, { 2, 4, 0, 1, 2, 4, 0, 2, 3, 3, 1, 1 }, 2, 1, false, 0 },
		/* a scale above 14 */
		{ SYN, 4, { 1, 3, 3, 15 }, 0, 14, false, 0 },
		/* a scale of 255 */
		{ SYN, 4, { 1, 3, 3, 255 }, 0, 14, false, 0 },
		/* no block */
		{ ACK, 4, { 1, 1, 5, 2 }, 0, -1, false, 0 },
		/* half a block */
		{ ACK, 8, { 1, 1, 5, 6 }, 0, -1, false, 0 },
		/* a block and a half */
		{ ACK, 16, { 1, 1, 5, 14 }, 0, -1, false, 0 },
		/* blocks that end outside */
		{ ACK, 8, { 1, 1, 5, 10 }, 0, -1, false, 0 },
		/* two blocks */
		{ ACK, 20, { 1, 5, 18 }, 0, -1, false, 2 },
		/* four blocks */
		{ ACK, 36, { 5, 34 }, 0, -1, false, 4 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases) * 2; i++) {
		size_t of = i / 2;

		make(i % 2 != 0, cases[of].flags, cases[of].options, cases[of].len);
		assert_true(parse(frame.len));
		assert_int_equal(segment.mss, cases[of].mss);
		assert_int_equal(segment.has_wscale, cases[of].wscale != -1);
		if (cases[of].wscale != -1)
			assert_int_equal(segment.wscale, cases[of].wscale);
		assert_int_equal(segment.sack_ok, cases[of].sack_ok);
		assert_int_equal(segment.n_sack, cases[of].n_sack);
	}
}

/* The header ends inside of the last option, which goes on in the data. */
static void
test_options_cut_short(void **state)
{
	(void)state;
	for (size_t before = 0; before < 4; before++) {
		for (size_t offset = 5; offset < 8; offset++) {
			/* Window scale, SACK-permitted, MSS */
			static const uint8_t tail[] = { 3, 3, 7, 4, 2, 2, 4, 5, 0xb4 };
			uint8_t options[16] = { 1, 1, 1 }; /* NOP */
			size_t ends = (offset - 5) * 4;

			memcpy(options + before, tail, sizeof(tail));
			make(false, SYN, options, sizeof(options));
			frame.bytes[34 + 12] = (uint8_t)(offset << 4);
			assert_true(parse(frame.len));
			assert_int_equal(segment.data_len, sizeof(options) - ends);
			assert_ptr_equal(segment.data, frame.bytes + 54 + ends);
			assert_int_equal(segment.has_wscale, ends >= before + 3);
			assert_int_equal(segment.sack_ok, ends >= before + 5);
			assert_int_equal(segment.mss, 0);
		}
	}
}

static void
test_what_is_not_a_whole_segment(void **state)
{
	static const uint8_t ip_option[4] = { 1, 1, 1, 1 };

	(void)state;
	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		size_t tcp = is_ip6 ? 54 : 34;

		make(is_ip6, ACK, NULL, 0);
		/* Ethernet's padding does not count as data. */
		assert_true(parse(frame.len + 6));
		assert_int_equal(segment.data_len, 0);
		for (size_t len = 0; len < frame.len; len++)
			assert_false(parse(len));
		for (size_t offset = 0; offset < 16; offset++) {
			frame.bytes[tcp + 12] = (uint8_t)(offset << 4);
			assert_int_equal(parse(frame.len), offset == 5);
		}
		make(is_ip6, ACK, NULL, 0);
		frame.bytes[14] ^= 0x20; /* the version */
		assert_false(parse(frame.len));
		frame_udp(&frame, is_ip6 ? GUEST6 : GUEST4, 1,
		    is_ip6 ? OUTSIDE6 : OUTSIDE4, 2, NULL, 100);
		assert_false(parse(frame.len));
	}
	frame_arp(&frame, 1, GUEST4, HOST4);
	assert_false(parse(frame.len));

	make(false, ACK, NULL, 0);
	frame.bytes[20] = 0x20; /* more fragments */
	assert_false(parse(frame.len));
	frame.bytes[20] = 0x40; /* Don't Fragment */
	assert_true(parse(frame.len));
	frame.bytes[21] = 0x01; /* an offset */
	assert_false(parse(frame.len));

	make(false, ACK, NULL, 0);
	frame.bytes[14] = 0x44; /* an IP header of 16 bytes, then what looks like TCP */
	frame.bytes[14 + 16 + 12] = 0x50;
	assert_false(parse(frame.len));
	make(false, ACK, NULL, 0);
	frame_add_ip4_options(&frame, ip_option, sizeof(ip_option));
	assert_true(parse(frame.len));
	assert_int_equal(segment.src_port, 1);
}

/* All that a head can say comes back, in both families, for data in odd pieces too. */
static void
test_written_and_parsed(void **state)
{
	static const struct tcp_sack_block sack[] = {
		{ 0xfffffff0, 5 },
		{ 10, 20 },
		{ 0x80000000, 0xffffffff },
		{ 0, 1 },
	};
	static const uint8_t flag_sets[] = { SYN, SYN | ACK, ACK, PSH | ACK, FIN | ACK,
		RST, RST | ACK, ACK | ECE | CWR, 0 };
	static const size_t piece_lens[][3] = { { 0, 0, 0 }, { 1, 0, 0 }, { 1, 1, 1 },
		{ 3, 4, 5 }, { 64, 1, 999 }, { 21845, 21845, 21701 } };
	static uint8_t data[65535], out[TCP_HEAD_MAX + 65535];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 / 3);
	for (unsigned int i = 0; i < N_OF(flag_sets) * N_OF(piece_lens) * 80; i++) {
		const size_t *lens = piece_lens[i % N_OF(piece_lens)];
		const struct iovec pieces[] = { { data, lens[0] },
			{ data + lens[0], lens[1] },
			{ data + lens[0] + lens[1], lens[2] } };
		size_t data_len = lens[0] + lens[1] + lens[2];
		uint32_t random = i * 2654435761u;
		struct tcp_head head = {
			.dst_mac = frame_guest_mac,
			.src_mac = frame_stack_mac,
			.is_ip6 = (random & 1) != 0,
			.src_port = (uint16_t)(random >> 7),
			.dst_port = (uint16_t)~random,
			.seq = random * 3,
			.ack = random * 5,
			.flags = flag_sets[i / N_OF(piece_lens) % N_OF(flag_sets)],
			.window = (uint16_t)(random >> 13),
			.ip_id = (uint16_t)(random >> 3),
			.mss = (random & 2) != 0 ? (uint16_t)(random >> 9) : 0,
			.has_wscale = (random & 4) != 0,
			.wscale = (random & 4) != 0 ? random >> 5 & 7 : 0,
			.sack_ok = (random & 8) != 0,
			.n_sack = (uint8_t)((random >> 4) % 5),
			.sack = sack,
		};
		bool is_syn = (head.flags & SYN) != 0;
		size_t head_len;

		/* The addresses of some frame. */
		make(head.is_ip6, 0, NULL, 0);
		head.src = frame.bytes + (head.is_ip6 ? 22 : 26);
		head.dst = frame.bytes + (head.is_ip6 ? 38 : 30);
		head_len = tcp_head_write(out, &head, data_len);
		tcp_head_sum(out, head_len, pieces, 3);
		memcpy(out + head_len, data, data_len);
		assert_true(frame_checksums_are_right(out, head_len + data_len));
		assert_true(tcp_segment_parse(out, head_len + data_len, &segment));
		assert_ptr_equal(segment.data, out + head_len);
		assert_int_equal(segment.data_len, data_len);
		assert_int_equal(segment.ttl, 64);
		assert_memory_equal(segment.dst_mac, head.dst_mac, 6);
		assert_memory_equal(segment.src_mac, head.src_mac, 6);
		assert_memory_equal(segment.src, head.src, head.is_ip6 ? 16 : 4);
		assert_memory_equal(segment.dst, head.dst, head.is_ip6 ? 16 : 4);
		assert_int_equal(segment.is_ip6, head.is_ip6);
		assert_int_equal(segment.src_port, head.src_port);
		assert_int_equal(segment.dst_port, head.dst_port);
		assert_true(segment.seq == head.seq && segment.ack == head.ack);
		assert_int_equal(segment.flags, head.flags);
		assert_int_equal(segment.window, head.window);
		assert_int_equal(segment.mss, is_syn ? head.mss : 0);
		assert_int_equal(segment.has_wscale, is_syn && head.has_wscale);
		assert_int_equal(segment.wscale, is_syn ? head.wscale : 0);
		assert_int_equal(segment.sack_ok, is_syn && head.sack_ok);
		assert_int_equal(segment.n_sack, is_syn ? 0 : head.n_sack);
		assert_blocks_equal(segment.sack, sack, segment.n_sack);
		if (!head.is_ip6) {
			assert_int_equal(load_be16(out + 18), head.ip_id);
			assert_int_equal(load_be16(out + 20), 0); /* flags, offset */
		}
	}
}

static void
test_longest_lengths(void **state)
{
	struct tcp_head head = { .dst_mac = frame_guest_mac, .src_mac = frame_stack_mac };
	uint8_t out[TCP_HEAD_MAX];

	(void)state;
	make(false, 0, NULL, 0);
	head.src = frame.bytes + 26;
	head.dst = frame.bytes + 30;
	assert_int_equal(tcp_head_write(out, &head, 65495), 54);
	assert_int_equal(load_be16(out + 16), 65535);
	tcp_head_write(out, &head, 65496);
	assert_int_equal(load_be16(out + 16), 0);
	tcp_head_write(out, &head, 131072);
	assert_int_equal(load_be16(out + 16), 0);
	make(true, 0, NULL, 0);
	head.is_ip6 = true;
	head.src = frame.bytes + 22;
	head.dst = frame.bytes + 38;
	assert_int_equal(tcp_head_write(out, &head, 65515), 74);
	assert_int_equal(load_be16(out + 18), 65535);
}

static void
test_order_of_sequence_numbers(void **state)
{
	static const uint32_t starts[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	static const uint32_t steps[] = { 1, 2, 65535, 0x7fffffff };

	(void)state;
	for (size_t i = 0; i < N_OF(starts); i++) {
		uint32_t a = starts[i];

		assert_false(seq_lt(a, a) || seq_gt(a, a));
		assert_true(seq_le(a, a) && seq_ge(a, a));
		for (size_t s = 0; s < N_OF(steps); s++) {
			uint32_t b = a + steps[s];

			assert_true(seq_lt(a, b) && seq_le(a, b));
			assert_true(seq_gt(b, a) && seq_ge(b, a));
			assert_false(seq_lt(b, a) || seq_le(b, a));
			assert_false(seq_gt(a, b) || seq_ge(a, b));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_of_linux),
		cmocka_unit_test(test_checksum_that_the_kernel_completes),
		cmocka_unit_test(test_options_in_every_order),
		cmocka_unit_test(test_odd_options),
		cmocka_unit_test(test_options_cut_short),
		cmocka_unit_test(test_what_is_not_a_whole_segment),
		cmocka_unit_test(test_written_and_parsed),
		cmocka_unit_test(test_longest_lengths),
		cmocka_unit_test(test_order_of_sequence_numbers),
	};

	return cmocka_run_group_tests_name("tcp_segment", tests, NULL, NULL);
}
