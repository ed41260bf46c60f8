/* What becomes of TCP between gate, stack and a TAP with offloads. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/mss.h"
#include "slirp-worker/offload.h"

#include <linux/virtio_net.h>

#define N_OF(array) (sizeof(array) / sizeof(*(array)))
#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

static struct offload offload;

/* What came out, headers and data put together again. */
static struct {
	struct frame frame;
	uint8_t header[VNET_HEADER_LEN];
} out[200];
static int n_out;

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

/* Everything that goes into the TAP must be complete once the kernel has summed it up. */
static void
finish(int i)
{
	struct segment segment;
	enum ipc_drop_reason reason;
	struct frame *made = &out[i].frame;

	assert_true(segment_parse(made->bytes, made->len, &segment));
	assert_int_equal(segment.data_offset + segment.data_len, made->len);
	assert_true(vnet_accept(out[i].header, made->bytes, made->len, &reason));
	assert_true(frame_checksums_are_right(made->bytes, made->len));
}

static int
begin(void **state)
{
	(void)state;
	memset(&offload, 0, sizeof(offload));
	offload_init(&offload, true, 1500);
	return 0;
}

static void
put_window(struct frame *made, uint16_t window_bytes)
{
	store_be16(made->bytes + frame_l4_offset(made) + 14, window_bytes);
	frame_fix_checksums(made);
}

static uint16_t
window_of(const struct frame *made)
{
	return load_be16(made->bytes + frame_l4_offset(made) + 14);
}

/* Returns the window that the stack sees. */
static uint16_t
guest_says(const char *guest, const char *peer, uint8_t flags, uint16_t mss_bytes,
    uint16_t window_bytes)
{
	uint8_t option[4] = { 2, 4, (uint8_t)(mss_bytes >> 8), (uint8_t)mss_bytes };

	frame_tcp_options(&frame, guest, 1000, peer, 80, flags, option,
	    mss_bytes != 0 ? 4 : 0);
	put_window(&frame, window_bytes);
	offload_from_guest(&offload, frame.bytes, frame.len);
	assert_true(frame_checksums_are_right(frame.bytes, frame.len));
	return window_of(&frame);
}

static void
make_data(const char *peer, const char *guest, uint8_t flags, uint16_t urgent, size_t len)
{
	static uint8_t tcp[20 + 65000];

	memset(tcp, 0, 20);
	store_be16(tcp, 80);
	store_be16(tcp + 2, 1000);
	store_be32(tcp + 4, 0xfffffff0); /* goes over the end of the numbers */
	tcp[12] = 0x50;
	tcp[13] = flags;
	store_be16(tcp + 14, 0x1234);
	store_be16(tcp + 18, urgent);
	for (size_t i = 0; i < len; i++)
		tcp[20 + i] = (uint8_t)(i % 2 == 0 ? i / 512 : i / 2);
	frame_ip(&frame, peer, guest, IPPROTO_TCP, tcp, 20 + len);
}

static void
stack_sends(void)
{
	uint8_t *exact = malloc(frame.len);

	n_out = 0;
	memcpy(exact, frame.bytes, frame.len);
	assert_true(offload_to_guest(&offload, exact, frame.len, collect, &offload));
	/* It is the stack's, and not to be written to. */
	assert_memory_equal(exact, frame.bytes, frame.len);
	free(exact);
	for (int i = 0; i < n_out; i++)
		finish(i);
}

/* Sends that much data and returns the length of the pieces that it is marked for. */
static uint16_t
piece_of(const char *peer, const char *guest, size_t len)
{
	make_data(peer, guest, ACK, 0, len);
	stack_sends();
	assert_int_equal(n_out, 1);
	assert_int_equal(out[0].frame.len, frame.len);
	assert_memory_equal(out[0].frame.bytes, frame.bytes, frame.len);
	if (out[0].header[1] == VIRTIO_NET_HDR_GSO_NONE)
		return 0;
	return load_le16(out[0].header + 4);
}

static void
test_without_offloads_nothing_is_touched(void **state)
{
	struct frame before;

	(void)state;
	offload_init(&offload, false, 1500);
	assert_int_equal(offload_stack_mtu(&offload), 1500);
	frame_tcp_options(&frame, GUEST4, 1, OUTSIDE4, 2, SYN, "\2\4\5\xb4", 4);
	before = frame;
	offload_from_guest(&offload, frame.bytes, frame.len);
	assert_memory_equal(frame.bytes, before.bytes, frame.len);
	assert_false(
	    offload_to_guest(&offload, frame.bytes, frame.len, collect, &offload));
}

static void
test_the_stack_sees_a_long_mss(void **state)
{
	struct segment segment;

	(void)state;
	assert_true(offload_stack_mtu(&offload) > 16384);
	guest_says(GUEST4, OUTSIDE4, SYN, 1460, 64240);
	assert_true(segment_parse(frame.bytes, frame.len, &segment));
	assert_int_equal(mss_get(frame.bytes, &segment),
	    offload_stack_mtu(&offload) - 40);
	guest_says(GUEST6, OUTSIDE6, SYN | ACK, 1440, 64800);
	assert_true(segment_parse(frame.bytes, frame.len, &segment));
	assert_int_equal(mss_get(frame.bytes, &segment),
	    offload_stack_mtu(&offload) - 60);
}

static void
test_the_guest_sees_its_own_mtu(void **state)
{
	static const uint32_t mtus[] = { 576, 1280, 1500, 9000, 65520, 65521 };
	/* What the stack says of its MTU. */
	static const uint8_t option[4] = { 2, 4, 0x7a, 0x9e };

	(void)state;
	for (size_t i = 0; i < N_OF(mtus); i++) {
		struct segment segment;

		offload_init(&offload, true, mtus[i]);
		n_out = 0;
		frame_tcp_options(&frame, OUTSIDE4, 80, GUEST4, 1000, SYN | ACK, option,
		    4);
		stack_sends();
		assert_true(
		    segment_parse(out[0].frame.bytes, out[0].frame.len, &segment));
		assert_int_equal(mss_get(out[0].frame.bytes, &segment), mtus[i] - 40);
		frame_tcp_options(&frame, OUTSIDE6, 80, GUEST6, 1000, SYN, option, 4);
		stack_sends();
		assert_true(
		    segment_parse(out[0].frame.bytes, out[0].frame.len, &segment));
		assert_int_equal(mss_get(out[0].frame.bytes, &segment), mtus[i] - 60);
	}
}

static void
test_pieces_are_what_the_guest_takes(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1460, 64240);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 31390), 1460);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 1461), 1460);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 1460), 0);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 0), 0);
	guest_says(GUEST6, OUTSIDE6, SYN, 1440, 64800);
	assert_int_equal(piece_of(OUTSIDE6, GUEST6, 31370), 1440);
	/* Behind the guest there is a network with a smaller MTU. */
	guest_says("10.0.2.101", OUTSIDE4, SYN, 1360, 64240);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 31390), 1360);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 31390), 1460);
	/* With a larger one than its own, or with nonsense. */
	guest_says("10.0.2.101", OUTSIDE4, SYN, 8960, 64240);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 31390), 1460);
	guest_says("10.0.2.101", OUTSIDE4, SYN, 1, 64240);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.101", 100), 48);
	/* Of whom nothing is known: what everybody takes. */
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.102", 31390), 536);
	assert_int_equal(piece_of(OUTSIDE6, "fd00::102", 31370), 1220);
	guest_says("10.0.2.102", OUTSIDE4, SYN, 0, 64240);
	assert_int_equal(piece_of(OUTSIDE4, "10.0.2.102", 31390), 536);
}

static void
test_large_mtu(void **state)
{
	(void)state;
	offload_init(&offload, true, 65520);
	guest_says(GUEST4, OUTSIDE4, SYN, 65480, 65480);
	/* The guest would take it whole, and then round its windows to that. */
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 31390), 1460);
	offload_init(&offload, true, 576);
	guest_says(GUEST4, OUTSIDE4, SYN, 536, 64240);
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 31390), 536);
}

static void
test_other_frames_pass_by(void **state)
{
	(void)state;
	frame_udp(&frame, OUTSIDE4, 1, GUEST4, 2, NULL, 5000);
	assert_false(
	    offload_to_guest(&offload, frame.bytes, frame.len, collect, &offload));
	frame_arp(&frame, 1, GUEST4, HOST4);
	assert_false(
	    offload_to_guest(&offload, frame.bytes, frame.len, collect, &offload));
	frame_echo(&frame, OUTSIDE6, GUEST6, 3000);
	assert_false(
	    offload_to_guest(&offload, frame.bytes, frame.len, collect, &offload));
}

/* The stack sends a part of a segment into a window of at least half the largest that it
 * has seen, and no less; the guest tells of a window that is twice the last one. No window
 * may be too small for the one and too large for the other. */
static void
test_no_window_at_which_both_wait(void **state)
{
	static const uint16_t mss_values[] = { 48, 536, 1220, 1440, 1460 };

	(void)state;
	for (size_t i = 0; i < N_OF(mss_values); i++) {
		uint16_t mss_bytes = mss_values[i];

		for (uint32_t full = 100; full <= 65535; full += 97) {
			uint16_t seen_bytes, stuck_below_bytes;
			uint32_t told_bytes;

			seen_bytes =
			    guest_says(GUEST4, OUTSIDE4, SYN, mss_bytes, (uint16_t)full);
			stuck_below_bytes = seen_bytes / 2;
			/* The least that the kernel comes back to; net/ipv4/tcp_output.c,
			 * __tcp_select_window. */
			told_bytes =
			    full < mss_bytes ? full : full / mss_bytes * mss_bytes;
			assert_true(told_bytes + 1 >= 2U * stuck_below_bytes);
			assert_true(seen_bytes >= full / 2);
			/* Small windows are not made smaller. */
			assert_int_equal(guest_says(GUEST4, OUTSIDE4, ACK, 0,
					     stuck_below_bytes),
			    stuck_below_bytes);
		}
	}
}

static void
test_windows_grow_with_the_guests(void **state)
{
	(void)state;
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, SYN, 1460, 29200), 29200 - 1460);
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, ACK, 0, 29200), 29200 - 1460);
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, ACK, 0, 65535), 65535 - 1460);
	/* What was once known stays known. */
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, ACK, 0, 60000), 60000);
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, ACK, 0, 64500), 65535 - 1460);
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, ACK, 0, 0), 0);
	/* A new connection begins anew. */
	assert_int_equal(guest_says(GUEST4, OUTSIDE4, SYN, 1460, 14600), 14600 - 1460);
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
	/* The last few are remembered, each with its own value. */
	for (int i = 3990; i < 4000; i++) {
		make_data(OUTSIDE4, GUEST4, ACK, 0, 31390);
		store_be16(frame.bytes + 34 + 2, (uint16_t)(2000 + i));
		frame_fix_checksums(&frame);
		stack_sends();
		assert_int_equal(load_le16(out[0].header + 4),
		    (i / 64 * 256 + 100) < 1460 ? i / 64 * 256 + 100 : 1460);
	}
}

static void
test_one_in_use_is_not_forgotten(void **state)
{
	(void)state;
	guest_says(GUEST4, OUTSIDE4, SYN, 1234, 64240);
	for (int i = 0; i < 60000; i++) {
		frame_tcp_options(&frame, GUEST4, (uint16_t)(2000 + i), OUTSIDE4, 80, SYN,
		    "\2\4\5\xb4", 4);
		offload_from_guest(&offload, frame.bytes, frame.len);
		if (i % 100 == 0)
			guest_says(GUEST4, OUTSIDE4, ACK, 0, 64240);
	}
	assert_int_equal(piece_of(OUTSIDE4, GUEST4, 31390), 1234);
}

/* Puts the pieces together again, and looks at what each says of itself. */
static void
assert_cut(const char *peer, const char *guest, uint8_t flags, uint16_t urgent,
    size_t len, size_t piece_len)
{
	size_t at, done = 0;
	bool is_ip6 = strchr(guest, ':') != NULL;

	make_data(peer, guest, flags, urgent, len);
	at = frame_l4_offset(&frame) + 20;
	stack_sends();
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
	guest_says(GUEST4, OUTSIDE4, SYN, 1460, 64240);
	guest_says(GUEST6, OUTSIDE6, SYN, 1440, 64240);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG | PSH | FIN, 20000, 31390, 1460);
	assert_cut(OUTSIDE6, GUEST6, ACK | URG | PSH | FIN, 20000, 31370, 1440);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 1460, 2921, 1460);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 1461, 2920, 1460);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 0xffff, 1461, 1460);
	assert_cut(OUTSIDE4, GUEST4, ACK | URG, 0, 1461, 1460);
	/* One that fits stays as it is. */
	make_data(OUTSIDE4, GUEST4, ACK | URG, 7, 1460);
	stack_sends();
	assert_int_equal(n_out, 1);
	assert_memory_equal(out[0].frame.bytes, frame.bytes, frame.len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_without_offloads_nothing_is_touched, begin),
		cmocka_unit_test_setup(test_the_stack_sees_a_long_mss, begin),
		cmocka_unit_test_setup(test_the_guest_sees_its_own_mtu, begin),
		cmocka_unit_test_setup(test_pieces_are_what_the_guest_takes, begin),
		cmocka_unit_test_setup(test_large_mtu, begin),
		cmocka_unit_test_setup(test_other_frames_pass_by, begin),
		cmocka_unit_test_setup(test_no_window_at_which_both_wait, begin),
		cmocka_unit_test_setup(test_windows_grow_with_the_guests, begin),
		cmocka_unit_test_setup(test_connections_do_not_mix, begin),
		cmocka_unit_test_setup(test_one_in_use_is_not_forgotten, begin),
		cmocka_unit_test_setup(test_urgent_data_is_cut_here, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
