/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP between gate, stack and a TAP with offloads. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "vnet_whole.h"

#include "slirp-worker/tap/mss.h"
#include "slirp-worker/tap/offload.h"

#include <linux/virtio_net.h>

#define N_OF(array) (sizeof(array) / sizeof(*(array)))
#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

static struct offload offload;

/* The emitted segments, with headers and data joined. */
static struct {
	struct frame frame;
	uint8_t header[VNET_HEADER_LEN];
} out[200];
static int n_out;
static int n_finished; /* how many of them are finished */

static void
collect(void *ctx, const uint8_t *headers, size_t headers_len, const uint8_t *data,
    size_t data_len)
{
	struct frame *made = &out[n_out].frame;

	assert_ptr_equal(ctx, &offload);
	assert_true(n_out < (int)N_OF(out));
	assert_true(headers_len >= VNET_HEADER_LEN + 14 + 20 + 20);
	memcpy(out[n_out].header, headers, VNET_HEADER_LEN);
	made->len = headers_len - VNET_HEADER_LEN + data_len;
	memcpy(made->bytes, headers + VNET_HEADER_LEN, headers_len - VNET_HEADER_LEN);
	memcpy(made->bytes + headers_len - VNET_HEADER_LEN, data, data_len);
	n_out++;
}

/* Completes the checksum as the kernel does; each segment must then be right. */
static void
finish(int i)
{
	struct segment segment;
	enum ipc_drop_reason reason;
	struct frame *made = &out[i].frame;

	assert_true(segment_parse(made->bytes, made->len, &segment));
	assert_int_equal(segment.data_offset + segment.data_len, made->len);
	assert_true(vnet_accept_whole(out[i].header, made->bytes, made->len, &reason));
	assert_true(frame_checksums_are_right(made->bytes, made->len));
}

static int
begin(void **state)
{
	(void)state;
	memset(&offload, 0, sizeof(offload));
	offload_init(&offload, true, 1500, collect, &offload);
	return 0;
}

static void
set_mtu(uint32_t mtu_bytes)
{
	offload_init(&offload, true, mtu_bytes, collect, &offload);
}

static void
guest_says(const char *guest, const char *peer, uint8_t flags, uint16_t mss_bytes)
{
	uint8_t option[4] = { 2, 4, (uint8_t)(mss_bytes >> 8), (uint8_t)mss_bytes };

	frame_tcp_options(&frame, guest, 1000, peer, 80, flags, option,
	    mss_bytes != 0 ? 4 : 0);
	offload_from_guest(&offload, frame.bytes, frame.len);
}

static void
make_data(const char *peer, const char *guest, uint8_t flags, uint16_t urgent, size_t len)
{
	static uint8_t tcp[20 + 65000];

	memset(tcp, 0, 20);
	store_be16(tcp, 80);
	store_be16(tcp + 2, 1000);
	store_be32(tcp + 4, 0xfffffff0); /* wraps around */
	tcp[12] = 0x50;
	tcp[13] = flags;
	store_be16(tcp + 14, 0x1234);
	store_be16(tcp + 18, urgent);
	for (size_t i = 0; i < len; i++)
		tcp[20 + i] = (uint8_t)(i % 2 == 0 ? i / 512 : i / 2);
	frame_ip(&frame, peer, guest, IPPROTO_TCP, tcp, 20 + len);
}

/* The segment may be held. */
static void
stack_sends(void)
{
	uint8_t *exact = malloc(frame.len);

	memcpy(exact, frame.bytes, frame.len);
	assert_true(offload_to_guest(&offload, exact, frame.len));
	/* The stack owns the frame: it must be unchanged. */
	assert_memory_equal(exact, frame.bytes, frame.len);
	free(exact);
}

static void
flush(void)
{
	offload_flush(&offload);
	assert_true(merge_is_empty(&offload.merge));
	while (n_finished < n_out)
		finish(n_finished++);
}

static size_t n_sent; /* of the stream */

static void
begin_stream(void)
{
	n_out = n_finished = 0;
	n_sent = 0;
}

/* Sends one frame alone. */
static void
stack_sends_alone(void)
{
	n_out = n_finished = 0;
	stack_sends();
	flush();
}

static uint16_t
gso_size(int i)
{
	if (out[i].header[1] == VIRTIO_NET_HDR_GSO_NONE)
		return 0;
	return load_le16(out[i].header + 4);
}

/* Sends that much data and returns the length of the pieces that it is marked for. */
static uint16_t
piece_of(const char *peer, const char *guest, size_t len)
{
	make_data(peer, guest, ACK, 0, len);
	stack_sends_alone();
	assert_int_equal(n_out, 1);
	assert_int_equal(out[0].frame.len, frame.len);
	assert_memory_equal(out[0].frame.bytes, frame.bytes, frame.len);
	return gso_size(0);
}

static void
test_without_offloads_nothing_is_touched(void **state)
{
	(void)state;
	offload_init(&offload, false, 1500, collect, &offload);
	assert_int_equal(offload_stack_mtu(&offload), 1500);
	offload_init(&offload, false, 65520, collect, &offload);
	assert_int_equal(offload_stack_mtu(&offload), 65520);
	guest_says(GUEST4, OUTSIDE4, SYN, 1460);
	make_data(OUTSIDE4, GUEST4, ACK, 0, 1460);
	begin_stream();
	assert_false(offload_to_guest(&offload, frame.bytes, frame.len));
	flush();
	assert_int_equal(n_out, 0);
}

static void
test_the_stack_sends_no_long_segments(void **state)
{
	(void)state;
	for (uint32_t mtu_bytes = 68; mtu_bytes <= 65521; mtu_bytes++) {
		set_mtu(mtu_bytes);
		assert_int_equal(offload_stack_mtu(&offload),
		    mtu_bytes < 1500 ? mtu_bytes : 1500);
	}
}

static void
test_the_guest_sees_its_own_mtu(void **state)
{
	static const uint32_t mtus[] = { 576, 1280, 1500, 9000, 65520, 65521 };
	/* The stack announces its MTU. */
	static const uint8_t option[4] = { 2, 4, 5, 0xb4 };

	(void)state;
	for (size_t i = 0; i < N_OF(mtus); i++) {
		struct segment segment;

		set_mtu(mtus[i]);
		frame_tcp_options(&frame, OUTSIDE4, 80, GUEST4, 1000, SYN | ACK, option,
		    4);
		stack_sends_alone();
		assert_true(
		    segment_parse(out[0].frame.bytes, out[0].frame.len, &segment));
		assert_int_equal(mss_get(out[0].frame.bytes, &segment), mtus[i] - 40);
		frame_tcp_options(&frame, OUTSIDE6, 80, GUEST6, 1000, SYN, option, 4);
		stack_sends_alone();
		assert_true(
		    segment_parse(out[0].frame.bytes, out[0].frame.len, &segment));
		assert_int_equal(mss_get(out[0].frame.bytes, &segment), mtus[i] - 60);
	}
}

static void
test_pieces_are_what_the_guest_takes(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1460);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 1460), 0);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 0), 0);
	guest_says(GUEST6, OUTSIDE6, SYN | ACK, 1440);
	assert_int_equal(piece_of(OUTSIDE6, GUEST6, 1440), 0);
	/* The guest forwards to a network with a smaller MTU. */
	guest_says("10.0.2.101", OUTSIDE4, SYN, 1360);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 1460), 1360);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 1460), 0);
	/* The same connection with a new value. */
	guest_says("10.0.2.101", OUTSIDE4, SYN, 1200);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 1460), 1200);
	/* A value larger than the guest's MTU, or an invalid value. */
	guest_says("10.0.2.101", OUTSIDE4, SYN, 8960);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 1460), 0);
	guest_says("10.0.2.101", OUTSIDE4, SYN, 1);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 100), 48);
	/* Unknown connections get the default. */
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.102", 1460), 536);
	assert_int_equal(piece_of(OUTSIDE6, "fd00::102", 1440), 1220);
	guest_says("10.0.2.102", OUTSIDE4, SYN, 0);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.102", 1460), 536);
	/* Only a handshake counts. */
	guest_says("10.0.2.102", OUTSIDE4, ACK, 1300);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.102", 1460), 536);
}

static void
test_other_frames_pass_by(void **state)
{
	(void)state;
	frame_udp(&frame, OUTSIDE4, 1, GUEST4, 2, NULL, 5000);
	assert_false(offload_to_guest(&offload, frame.bytes, frame.len));
	frame_arp(&frame, 1, GUEST4, HOST4);
	assert_false(offload_to_guest(&offload, frame.bytes, frame.len));
	frame_echo(&frame, OUTSIDE6, GUEST6, 3000);
	assert_false(offload_to_guest(&offload, frame.bytes, frame.len));
}

static void
test_connections_do_not_mix(void **state)
{
	(void)state;
	for (int i = 0; i < 4000; i++) {
		uint8_t option[4] = { 2, 4, 0, 100 };

		option[2] = (uint8_t)(i / 64);
		frame_tcp_options(&frame, GUEST4, (uint16_t)(2000 + i), OUTSIDE4, 80, SYN,
		    option, 4);
		offload_from_guest(&offload, frame.bytes, frame.len);
	}
	/* The table remembers each connection's own value; the latest are in it. */
	for (int i = 0; i < 4000; i++) {
		uint16_t mss_bytes = (uint16_t)(i / 64 * 256 + 100);

		make_data(OUTSIDE4, GUEST4, ACK, 0, 1460);
		store_be16(frame.bytes + 34 + 2, (uint16_t)(2000 + i));
		frame_fix_checksums(&frame);
		stack_sends_alone();
		if (i >= 3990 || gso_size(0) != 536)
			assert_int_equal(gso_size(0), mss_bytes < 1460 ? mss_bytes : 0);
	}
}

static void
test_one_in_use_is_not_forgotten(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1234);
	for (int i = 0; i < 60000; i++) {
		frame_tcp_options(&frame, GUEST4, (uint16_t)(2000 + i), OUTSIDE4, 80, SYN,
		    "\2\4\5\xb4", 4);
		offload_from_guest(&offload, frame.bytes, frame.len);
		if (i % 100 == 0)
			assert_int_equal(piece_of(OUTSIDE4, GUEST4, 1460), 1234);
	}
}

/* The stream's next segment. */
static void
make_next(const char *peer, const char *guest, uint8_t flags, size_t len)
{
	static struct frame whole;
	size_t at;

	make_data(peer, guest, ACK, 0, 65000);
	whole = frame;
	at = frame_l4_offset(&whole) + 20;
	make_data(peer, guest, flags, 0, len);
	memcpy(frame.bytes + at, whole.bytes + at + n_sent, len);
	store_be32(frame.bytes + at - 16, (uint32_t)(0xfffffff0 + n_sent));
	frame_fix_checksums(&frame);
	n_sent += len;
}

static void
send_next(const char *peer, const char *guest, uint8_t flags, size_t len)
{
	make_next(peer, guest, flags, len);
	stack_sends();
}

/* The emitted data is the start of the stream, in one segment. */
static void
assert_whole(int i, const char *peer, const char *guest, uint8_t flags, size_t len)
{
	size_t at;

	make_data(peer, guest, flags, 0, len);
	at = frame_l4_offset(&frame);
	assert_int_equal(out[i].frame.len, frame.len);
	assert_memory_equal(out[i].frame.bytes + at, frame.bytes + at, frame.len - at);
}

static void
test_a_row_of_segments_becomes_one(void **state)
{
	(void)state;
	for (int family = 0; family < 2; family++) {
		const char *guest = family ? GUEST6 : GUEST4;
		const char *peer = family ? OUTSIDE6 : OUTSIDE4;

		guest_says(guest, peer, SYN, 1400);
		begin_stream();
		for (int i = 0; i < 23; i++)
			send_next(peer, guest, ACK, 1400);
		send_next(peer, guest, ACK | PSH, 321);
		assert_int_equal(n_out, 0);
		flush();
		assert_int_equal(n_out, 1);
		assert_int_equal(gso_size(0), 1400);
		assert_whole(0, peer, guest, ACK | PSH, 23 * 1400 + 321);
		flush();
		assert_int_equal(n_out, 1);
	}
}

static void
test_pieces_of_a_merged_segment_are_what_the_guest_takes(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1000);
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, 1460);
	send_next(OUTSIDE4, GUEST4, ACK, 1460);
	flush();
	assert_int_equal(gso_size(0), 1000);
	/* Never longer than the stack's segments: the stack knows the window. */
	guest_says(GUEST4, OUTSIDE4, SYN, 1460);
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, 700);
	send_next(OUTSIDE4, GUEST4, ACK, 700);
	flush();
	assert_int_equal(gso_size(0), 700);
}

static void
test_no_merged_segment_is_longer_than_allowed(void **state)
{
	const int most = MERGE_DATA_MAX / 1440;

	(void)state;
	guest_says(GUEST6, OUTSIDE6, SYN, 1440);
	begin_stream();
	for (int i = 0; i < most; i++)
		send_next(OUTSIDE6, GUEST6, ACK, 1440);
	flush();
	assert_int_equal(n_out, 1);
	for (int i = 0; i < 2 * most + 10; i++) {
		make_data(OUTSIDE6, GUEST6, ACK, 0, 1440);
		store_be32(frame.bytes + 54 + 4, (uint32_t)(0xfffffff0 + i * 1440));
		frame_fix_checksums(&frame);
		stack_sends();
	}
	flush();
	assert_int_equal(n_out, 1 + 3);
	assert_int_equal(out[1].frame.len, 74 + most * 1440);
	assert_int_equal(out[2].frame.len, 74 + most * 1440);
	assert_int_equal(out[3].frame.len, 74 + 10 * 1440);
}

/* Sends two segments, of which the second is changed at one place. */
static void
send_two(size_t len, size_t second_len, size_t at, uint8_t bits)
{
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, len);
	make_next(OUTSIDE4, GUEST4, ACK, second_len);
	frame.bytes[at] ^= bits;
	frame_fix_checksums(&frame);
	stack_sends();
	flush();
}

static void
test_only_what_follows_is_merged(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t bits;
		int n_out;
	} cases[] = {
		{ "nothing", 0, 0, 1 },
		{ "identification", 19, 1, 1 },
		{ "MAC", 0, 2, 2 },
		{ "type of service", 15, 4, 2 },
		{ "Don't Fragment", 20, 0x40, 2 },
		{ "time to live", 22, 1, 2 },
		{ "source address", 29, 1, 2 },
		{ "destination address", 33, 1, 2 },
		{ "source port", 35, 1, 2 },
		{ "destination port", 37, 1, 2 },
		{ "sequence", 41, 1, 2 },
		{ "acknowledgement", 45, 1, 2 },
		{ "reserved bits", 46, 1, 2 },
		{ "PSH", 47, 0x08, 1 },
		{ "FIN", 47, 0x01, 2 },
		{ "SYN", 47, 0x02, 2 },
		{ "RST", 47, 0x04, 2 },
		{ "no ACK", 47, 0x10, 2 },
		{ "URG", 47, 0x20, 2 },
		{ "ECE", 47, 0x40, 2 },
		{ "CWR", 47, 0x80, 2 },
		{ "window", 49, 1, 2 },
		{ "urgent pointer", 53, 1, 2 },
	};

	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1460);
	for (size_t i = 0; i < N_OF(cases); i++) {
		send_two(1000, 1000, cases[i].at, cases[i].bits);
		if (n_out != cases[i].n_out)
			fail_msg("%s: %d frames", cases[i].what, n_out);
	}
	send_two(1000, 999, 0, 0);
	assert_int_equal(n_out, 1);
	send_two(1000, 1001, 0, 0);
	assert_int_equal(n_out, 2);
	/* Nothing follows a shorter segment. */
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, 1000);
	send_next(OUTSIDE4, GUEST4, ACK, 10);
	send_next(OUTSIDE4, GUEST4, ACK, 10);
	flush();
	assert_int_equal(n_out, 2);
	/* Nor a segment with PSH. */
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK | PSH, 1000);
	send_next(OUTSIDE4, GUEST4, ACK, 1000);
	flush();
	assert_int_equal(n_out, 2);
}

static void
test_order_is_kept(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1460);
	/* A FIN after the data. */
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, 1460);
	send_next(OUTSIDE4, GUEST4, ACK, 1460);
	send_next(OUTSIDE4, GUEST4, ACK | FIN, 0);
	assert_int_equal(n_out, 2);
	flush();
	assert_int_equal(n_out, 2);
	assert_int_equal(out[0].frame.len, 54 + 2920);
	assert_int_equal(out[1].frame.bytes[47] & FIN, FIN);
	/* A segment of another connection. */
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, 1460);
	make_data(OUTSIDE4, "10.0.2.101", ACK, 0, 100);
	stack_sends();
	flush();
	assert_int_equal(n_out, 2);
	assert_int_equal(out[0].frame.len, 54 + 1460);
	assert_int_equal(out[1].frame.len, 54 + 100);
	/* A frame that is not TCP. */
	begin_stream();
	send_next(OUTSIDE4, GUEST4, ACK, 1460);
	frame_udp(&frame, OUTSIDE4, 1, GUEST4, 2, NULL, 5);
	assert_false(offload_to_guest(&offload, frame.bytes, frame.len));
	assert_int_equal(n_out, 1);
}

static void
test_options_are_not_merged(void **state)
{
	static const uint8_t timestamps[12] = { 1, 1, 8, 10 };
	static const uint8_t router_alert[4] = { 0x94, 4, 0, 0 };

	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1460);
	begin_stream();
	for (int i = 0; i < 2; i++) {
		uint8_t tcp[32 + 100] = { 0, 80, 3, 232, 0, 0, 0,
			0, [12] = 0x80, [13] = ACK };

		memcpy(tcp + 20, timestamps, sizeof(timestamps));
		store_be32(tcp + 4, (uint32_t)i * 100);
		frame_ip(&frame, OUTSIDE4, GUEST4, IPPROTO_TCP, tcp, sizeof(tcp));
		stack_sends();
	}
	flush();
	assert_int_equal(n_out, 2);
	begin_stream();
	for (int i = 0; i < 2; i++) {
		make_next(OUTSIDE4, GUEST4, ACK, 1000);
		frame_add_ip4_options(&frame, router_alert, sizeof(router_alert));
		stack_sends();
	}
	flush();
	assert_int_equal(n_out, 2);
}

/* Joins the pieces, and checks the headers of each. */
static void
assert_cut(const char *peer, const char *guest, uint8_t flags, uint16_t urgent,
    size_t len, size_t piece_len)
{
	size_t at, done = 0;
	bool is_ip6 = strchr(guest, ':') != NULL;

	make_data(peer, guest, flags, urgent, len);
	at = frame_l4_offset(&frame) + 20;
	stack_sends_alone();
	assert_int_equal(n_out, (int)((len + piece_len - 1) / piece_len));
	for (int i = 0; i < n_out; i++) {
		const uint8_t *tcp = out[i].frame.bytes + at - 20;
		size_t data_len = out[i].frame.len - at;
		bool is_last = i == n_out - 1;

		assert_int_equal(out[i].header[1], VIRTIO_NET_HDR_GSO_NONE);
		assert_true(is_last || data_len == piece_len);
		assert_memory_equal(out[i].frame.bytes + at, frame.bytes + at + done,
		    data_len);
		assert_int_equal(load_be32(tcp + 4), (uint32_t)(0xfffffff0 + done));
		if (!is_ip6)
			assert_int_equal(load_be16(out[i].frame.bytes + 18),
			    (uint16_t)(load_be16(frame.bytes + 18) + i));
		assert_int_equal(tcp[13] & (FIN | PSH),
		    is_last ? flags & (FIN | PSH) : 0);
		if (urgent > done) {
			assert_int_equal(tcp[13] & URG, URG);
			assert_int_equal(load_be16(tcp + 18), urgent - done);
		} else {
			assert_int_equal(tcp[13] & URG, 0);
			assert_int_equal(load_be16(tcp + 18), 0);
		}
		assert_int_equal(tcp[13] & ACK, ACK);
		done += data_len;
	}
	assert_int_equal(done, len);
}

static void
test_urgent_data_is_cut_here(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 700);
	guest_says(GUEST6, OUTSIDE6, SYN, 600);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG | PSH | FIN, 1300, 1460, 700);
	assert_cut(OUTSIDE6, GUEST6, ACK | URG | PSH | FIN, 1300, 1440, 600);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 700, 1401, 700);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 701, 1400, 700);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 0xffff, 701, 700);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 0, 701, 700);
	/* An urgent pointer to data that has not been sent. */
	make_data(OUTSIDE4, GUEST4, ACK | URG, 0, 0);
	stack_sends_alone();
	assert_int_equal(out[0].frame.bytes[34 + 13], ACK);
	/* A segment that fits stays unchanged. */
	make_data(OUTSIDE4, GUEST4, ACK | URG, 7, 700);
	stack_sends_alone();
	assert_int_equal(n_out, 1);
	assert_memory_equal(out[0].frame.bytes, frame.bytes, frame.len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_without_offloads_nothing_is_touched, begin),
		cmocka_unit_test_setup(test_the_stack_sends_no_long_segments, begin),
		cmocka_unit_test_setup(test_the_guest_sees_its_own_mtu, begin),
		cmocka_unit_test_setup(test_pieces_are_what_the_guest_takes, begin),
		cmocka_unit_test_setup(test_other_frames_pass_by, begin),
		cmocka_unit_test_setup(test_connections_do_not_mix, begin),
		cmocka_unit_test_setup(test_one_in_use_is_not_forgotten, begin),
		cmocka_unit_test_setup(test_a_row_of_segments_becomes_one, begin),
		cmocka_unit_test_setup(
		    test_pieces_of_a_merged_segment_are_what_the_guest_takes, begin),
		cmocka_unit_test_setup(test_no_merged_segment_is_longer_than_allowed,
		    begin),
		cmocka_unit_test_setup(test_only_what_follows_is_merged, begin),
		cmocka_unit_test_setup(test_order_is_kept, begin),
		cmocka_unit_test_setup(test_options_are_not_merged, begin),
		cmocka_unit_test_setup(test_urgent_data_is_cut_here, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
