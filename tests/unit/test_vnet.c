/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of frames on a TAP with offloads: parsed, and made. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "vnet_whole.h"

#include "slirp-worker/tap/vnet.h"
#include "slirp-worker/wire/tcp_segment.h"

#include <linux/virtio_net.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define N_OF(array) (sizeof(array) / sizeof(*(array)))

static struct frame made;
static uint8_t header[VNET_HEADER_LEN];

static void
put_header(uint8_t flags, uint8_t gso_type, size_t hdr_len, size_t gso_size, size_t start,
    size_t offset)
{
	header[0] = flags;
	header[1] = gso_type;
	store_le16(header + 2, (uint16_t)hdr_len);
	store_le16(header + 4, (uint16_t)gso_size);
	store_le16(header + 6, (uint16_t)start);
	store_le16(header + 8, (uint16_t)offset);
}

/* A frame with an incomplete checksum, and the header that says this. */
static void
make_unfinished(const char *src, const char *dst, uint8_t protocol, size_t data_len)
{
	bool is_ip6 = strchr(dst, ':') != NULL;
	size_t l4 = is_ip6 ? 54 : 34;
	size_t l4_head_len = protocol == IPPROTO_TCP ? 20 : 8;
	size_t checksum = protocol == IPPROTO_TCP ? 16 : 6;
	uint8_t *field;
	uint32_t sum;

	if (protocol == IPPROTO_UDP) {
		frame_udp(&made, src, 1, dst, 2, NULL, data_len);
	} else {
		frame_ip(&made, src, dst, protocol, NULL, l4_head_len + data_len);
		made.bytes[l4 + 12] = 0x50;
		for (size_t i = 0; i < data_len; i++)
			made.bytes[l4 + 20 + i] = (uint8_t)(i * 7);
	}
	/* The sum of the pseudo header, not inverted, as the kernel leaves it. */
	sum = (uint32_t)(l4_head_len + data_len) + protocol;
	for (size_t i = is_ip6 ? 22 : 26; i < l4; i += 2)
		sum += load_be16(made.bytes + i);
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	field = made.bytes + l4 + checksum;
	store_be16(field, (uint16_t)sum);
	put_header(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0, 0, l4, checksum);
}

static bool
take(enum ipc_drop_reason *reason)
{
	uint8_t *exact = malloc(made.len);
	bool accepted;

	*reason = IPC_DROP_N;
	memcpy(exact, made.bytes, made.len);
	accepted = vnet_accept_whole(header, exact, made.len, reason);
	if (!accepted)
		assert_memory_equal(exact, made.bytes, made.len);
	memcpy(made.bytes, exact, made.len);
	free(exact);
	return accepted;
}

static void
assert_accepted(void)
{
	enum ipc_drop_reason reason;

	assert_true(take(&reason));
	assert_true(frame_checksums_are_right(made.bytes, made.len));
}

static void
assert_dropped(enum ipc_drop_reason expected)
{
	enum ipc_drop_reason reason;

	assert_false(take(&reason));
	assert_int_equal(reason, expected);
}

static void
test_completes_checksums(void **state)
{
	static const size_t lens[] = { 0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 1459, 1460,
		65001 };

	(void)state;
	for (size_t i = 0; i < N_OF(lens); i++) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, lens[i]);
		assert_accepted();
		make_unfinished(GUEST6, OUTSIDE6, IPPROTO_TCP, lens[i]);
		assert_accepted();
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_UDP, lens[i]);
		assert_accepted();
		make_unfinished(GUEST6, OUTSIDE6, IPPROTO_UDP, lens[i]);
		assert_accepted();
	}
}

static void
test_only_a_header_that_stays_is_left_open(void **state)
{
	enum ipc_drop_reason reason;
	struct vnet_frame said;

	(void)state;
	make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 9);
	assert_true(vnet_accept(header, made.bytes, made.len, &said, &reason));
	assert_int_equal(said.sum, VNET_SUM_OPEN);
	assert_false(frame_checksums_are_right(made.bytes, made.len));
	/* The gate takes the mark of urgent data away, and updates the checksum. */
	made.bytes[34 + 13] |= 0x20;
	assert_true(vnet_accept(header, made.bytes, made.len, &said, &reason));
	assert_int_equal(said.sum, VNET_SUM_VALID);
	assert_true(frame_checksums_are_right(made.bytes, made.len));
}

static void
test_udp_checksum_is_never_zero(void **state)
{
	uint16_t checksum;

	(void)state;
	make_unfinished(GUEST4, OUTSIDE4, IPPROTO_UDP, 2);
	store_be16(made.bytes + 42, 0);
	assert_accepted();
	checksum = load_be16(made.bytes + 40);
	/* The same datagram with the checksum for a sum of zero. */
	make_unfinished(GUEST4, OUTSIDE4, IPPROTO_UDP, 2);
	store_be16(made.bytes + 42, checksum);
	assert_accepted();
	assert_int_equal(load_be16(made.bytes + 40), 0xffff);
}

static void
test_behind_ip_options(void **state)
{
	static const uint8_t options[4] = { 1, 1, 1, 0 };
	struct frame whole;
	uint16_t pseudo;

	(void)state;
	make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 9);
	pseudo = load_be16(made.bytes + 34 + 16);
	frame_add_ip4_options(&made, options, sizeof(options));
	whole = made;
	store_be16(made.bytes + 38 + 16, pseudo);
	assert_dropped(IPC_DROP_offload_checksum);
	store_le16(header + 6, 38);
	assert_accepted();
	assert_memory_equal(made.bytes, whole.bytes, made.len);
}

static void
test_complete_frames_are_left_alone(void **state)
{
	struct frame before;
	enum ipc_drop_reason reason;

	(void)state;
	for (uint8_t flags = 0; flags <= 2; flags += 2) {
		frame_tcp(&made, GUEST4, 1, OUTSIDE4, 2, 0x10);
		before = made;
		/* The other fields have no meaning then, and may have any value. */
		put_header(flags, 0, 0xffff, 0xffff, 0xffff, 0xffff);
		assert_true(take(&reason));
		assert_memory_equal(made.bytes, before.bytes, made.len);
	}
	frame_arp(&made, 1, GUEST4, HOST4);
	put_header(0, 0, 0, 0, 0, 0);
	assert_true(take(&reason));
}

static void
test_checksum_elsewhere(void **state)
{
	static const struct {
		uint16_t start, offset;
	} lies[] = { { 0, 0 }, { 0, 16 }, { 34, 0 }, { 34, 6 }, { 34, 15 }, { 34, 17 },
		{ 33, 16 }, { 35, 16 }, { 50, 0 }, { 14, 10 }, { 0xffff, 16 },
		{ 34, 0xffff }, { 0xffff, 0xffff }, { 0, 50 } };

	(void)state;
	for (size_t i = 0; i < N_OF(lies); i++) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 100);
		store_le16(header + 6, lies[i].start);
		store_le16(header + 8, lies[i].offset);
		assert_dropped(IPC_DROP_offload_checksum);
	}
}

static void
test_checksum_of_what_has_none(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 23, IPPROTO_ICMP },
		{ 23, IPPROTO_SCTP },
		{ 20, 0x20 }, /* a first fragment */
		{ 21, 0x01 }, /* a later one */
		{ 13, 0x06 }, /* ARP */
		{ 14, 0x4f }, /* a header longer than the frame */
		{ 14, 0x40 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(changes); i++) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 0);
		made.bytes[changes[i].at] = changes[i].value;
		assert_dropped(IPC_DROP_offload_checksum);
	}
	/* Too short, at every length. */
	for (size_t len = 0; len < 34 + 18; len++) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 0);
		made.len = len;
		assert_dropped(IPC_DROP_offload_checksum);
	}
	for (size_t len = 0; len < 54 + 18; len++) {
		make_unfinished(GUEST6, OUTSIDE6, IPPROTO_TCP, 0);
		made.len = len;
		assert_dropped(IPC_DROP_offload_checksum);
	}
	/* A whole packet that ends before the checksum or inside of it. */
	for (size_t len = 0; len < 18; len++) {
		frame_ip(&made, GUEST4, OUTSIDE4, IPPROTO_TCP, NULL, len);
		put_header(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0, 0, 34, 16);
		assert_dropped(IPC_DROP_offload_checksum);
		frame_ip(&made, GUEST6, OUTSIDE6, IPPROTO_TCP, NULL, len);
		put_header(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0, 0, 54, 16);
		assert_dropped(IPC_DROP_offload_checksum);
	}
}

/* A TCP segment or a datagram inside VXLAN. The outer UDP has a checksum that is right
 * for the completed inner one. */
static void
make_tunnelled(const char *src, const char *dst, uint8_t protocol, struct frame *complete)
{
	size_t checksum = protocol == IPPROTO_TCP ? 16 : 6;
	size_t ip_len = strchr(dst, ':') != NULL ? 40 : 20;
	static struct frame inner;
	size_t inner_at = 14 + ip_len + 8 + 8;
	static uint8_t vxlan[8 + sizeof(inner.bytes)] = { 0x08, [6] = 42 };
	uint16_t unfinished;

	make_unfinished("192.168.42.1", "192.168.42.2", protocol, 77);
	inner = made;
	unfinished = load_be16(inner.bytes + 34 + checksum);
	/* The inner frame after completion. */
	assert_true(vnet_accept_whole(header, inner.bytes, inner.len,
	    &(enum ipc_drop_reason){ 0 }));
	memcpy(vxlan + 8, inner.bytes, inner.len);
	frame_udp(&made, src, 4789, dst, 4789, vxlan, 8 + inner.len);
	*complete = made;
	store_be16(made.bytes + inner_at + 34 + checksum, unfinished);
	put_header(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0, 0, inner_at + 34, checksum);
}

static void
test_completes_checksums_in_tunnels(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct frame complete;

	(void)state;
	for (size_t i = 0; i < N_OF(protocols); i++) {
		make_tunnelled(GUEST4, OUTSIDE4, protocols[i], &complete);
		assert_accepted();
		assert_memory_equal(made.bytes, complete.bytes, made.len);
		make_tunnelled(GUEST6, OUTSIDE6, protocols[i], &complete);
		assert_accepted();
		assert_memory_equal(made.bytes, complete.bytes, made.len);
	}
}

static void
test_checksum_elsewhere_in_a_tunnel(void **state)
{
	static const struct {
		int start,
		    offset; /* relative to the right value; the right start is 84 */
	} lies[] = { { 0, 1 }, { 0, -1 }, { 0, -16 }, { -43, 0 }, { -50, 0 }, { -84, 0 },
		{ 80, 0 }, { 1000, 0 }, { 0xffff - 84, 0 }, { 0, 0xffff - 16 } };
	struct frame complete;

	(void)state;
	for (size_t i = 0; i < N_OF(lies); i++) {
		make_tunnelled(GUEST4, OUTSIDE4, IPPROTO_TCP, &complete);
		store_le16(header + 6, (uint16_t)(84 + lies[i].start));
		store_le16(header + 8, (uint16_t)(16 + lies[i].offset));
		assert_dropped(IPC_DROP_offload_checksum);
	}
	/* At the last byte of the frame, and one byte beyond. */
	make_tunnelled(GUEST4, OUTSIDE4, IPPROTO_TCP, &complete);
	store_le16(header + 6, (uint16_t)(made.len - 17));
	assert_dropped(IPC_DROP_offload_checksum);
	store_le16(header + 6, (uint16_t)(made.len - 18));
	assert_true(take(&(enum ipc_drop_reason){ 0 }));
	/* A fragment of the tunnel has no checksum to complete. */
	make_tunnelled(GUEST4, OUTSIDE4, IPPROTO_TCP, &complete);
	made.bytes[20] = 0x20;
	assert_dropped(IPC_DROP_offload_checksum);
	/* The kernel cuts segments in a tunnel. */
	make_tunnelled(GUEST4, OUTSIDE4, IPPROTO_TCP, &complete);
	header[1] = VIRTIO_NET_HDR_GSO_TCPV4;
	assert_dropped(IPC_DROP_offload_kind);
}

static void
test_unknown_kinds(void **state)
{
	(void)state;
	for (unsigned int flags = 4; flags < 256; flags += 4) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 100);
		header[0] |= (uint8_t)flags;
		assert_dropped(IPC_DROP_offload_kind);
	}
	for (unsigned int type = 1; type < 256; type++) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 100);
		put_header(1, (uint8_t)type, 54, 50, 34, 16);
		if (type == VIRTIO_NET_HDR_GSO_TCPV4)
			assert_accepted();
		else
			assert_dropped(IPC_DROP_offload_kind);
		make_unfinished(GUEST6, OUTSIDE6, IPPROTO_TCP, 100);
		put_header(1, (uint8_t)type, 74, 50, 54, 16);
		if (type == VIRTIO_NET_HDR_GSO_TCPV6)
			assert_accepted();
		else
			assert_dropped(IPC_DROP_offload_kind);
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_UDP, 100);
		put_header(1, (uint8_t)type, 42, 50, 34, 6);
		if (type == VIRTIO_NET_HDR_GSO_UDP_L4)
			assert_accepted();
		else
			assert_dropped(IPC_DROP_offload_kind);
		/* The kernel does not leave a segment uncut whose checksum is
		 * complete. */
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 100);
		put_header(0, (uint8_t)type, 54, 50, 0, 0);
		assert_dropped(IPC_DROP_offload_kind);
	}
}

static void
test_lengths_of_long_segments(void **state)
{
	static const struct {
		size_t hdr_len, gso_size;
		bool is_right;
	} cases[] = {
		{ 54, 1460, true },
		{ 54, 1, true },
		{ 34 + 20 + 3000, 1460, true }, /* the kernel had it in one piece */
		{ 54, 3020, true },
		{ 54, 3021, false },
		{ 54, 0, false },
		{ 54, 0xffff, false },
		{ 0, 1460, false },
		{ 53, 1460, false },
		{ 34 + 20 + 3001, 1460, false },
		{ 0xffff, 1460, false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		make_unfinished(GUEST4, OUTSIDE4, IPPROTO_TCP, 3000);
		put_header(1, VIRTIO_NET_HDR_GSO_TCPV4, cases[i].hdr_len,
		    cases[i].gso_size, 34, 16);
		if (cases[i].is_right)
			assert_accepted();
		else
			assert_dropped(IPC_DROP_offload_length);
	}
}

static void
test_lengths_of_several_datagrams(void **state)
{
	static const struct {
		size_t data_len, hdr_len, gso_size;
		bool is_right;
	} cases[] = {
		{ 3000, 42, 1472, true },
		{ 3000, 42, 3000, true },
		{ 3000, 42, 3008, true },
		{ 3000, 42, 3009, false },
		{ 3000, 42, 0, false },
		{ 3000, 41, 1472, false },
		{ 3000, 42 + 3000, 1472, true },
		{ 3000, 42 + 3001, 1472, false },
		{ VNET_PIECES_MAX * 10, 42, 10, true },
		{ VNET_PIECES_MAX * 10 + 1, 42, 10, false },
		{ 0, 42, 8, true },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct vnet_frame said;
		enum ipc_drop_reason reason;

		make_unfinished(GUEST6, OUTSIDE6, IPPROTO_UDP, cases[i].data_len);
		put_header(1, VIRTIO_NET_HDR_GSO_UDP_L4, cases[i].hdr_len + 20,
		    cases[i].gso_size, 54, 6);
		if (!cases[i].is_right) {
			assert_dropped(IPC_DROP_offload_length);
			continue;
		}
		assert_true(vnet_accept(header, made.bytes, made.len, &said, &reason));
		assert_int_equal(said.sum, VNET_SUM_OPEN);
		assert_int_equal(said.piece_len, cases[i].gso_size);
		assert_accepted();
	}
}

static void
assert_marked(const char *src, const char *dst, size_t data_len, uint16_t piece)
{
	static uint8_t data[65000];
	const struct iovec whole = { data, data_len };
	struct ip_packet ip;
	struct tcp_head head;
	uint8_t summed[TCP_HEAD_MAX];
	size_t head_len, l4;

	frame_ip(&made, src, dst, IPPROTO_TCP, data, 0);
	assert_true(ip_parse(made.bytes, made.len, &ip));
	head = (struct tcp_head){
		.dst_mac = made.bytes,
		.src_mac = made.bytes + WIRE_ETH_SRC,
		.src = ip.src,
		.dst = ip.dst,
		.is_ip6 = ip.is_ip6,
		.flags = WIRE_TCP_ACK_FLAG,
	};
	head_len = tcp_head_write(summed, &head, data_len);
	memcpy(made.bytes, summed, head_len);
	memcpy(made.bytes + head_len, data, data_len);
	made.len = head_len + data_len;
	tcp_head_sum(summed, head_len, &whole, 1);
	memset(header, 0xee, sizeof(header));
	vnet_mark_tcp(header, ip.is_ip6, head_len, data_len, piece);
	l4 = head_len - WIRE_TCP_LEN;
	assert_int_equal(header[0], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	if (data_len <= piece)
		assert_int_equal(header[1], VIRTIO_NET_HDR_GSO_NONE);
	else
		assert_int_equal(header[1],
		    ip.is_ip6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(load_le16(header + 2), head_len);
	assert_int_equal(load_le16(header + 4), data_len <= piece ? 0 : piece);
	assert_int_equal(load_le16(header + 6), l4);
	assert_int_equal(load_le16(header + 8), 16);
	/* Completed as the kernel does it, the checksum is the right one. */
	assert_accepted();
	assert_memory_equal(made.bytes, summed, head_len);
}

static void
test_marks_segments(void **state)
{
	(void)state;
	assert_marked(OUTSIDE4, GUEST4, 0, 1460);
	assert_marked(OUTSIDE4, GUEST4, 1460, 1460);
	assert_marked(OUTSIDE4, GUEST4, 1461, 1460);
	assert_marked(OUTSIDE4, GUEST4, 64240, 536);
	assert_marked(OUTSIDE6, GUEST6, 0, 1440);
	assert_marked(OUTSIDE6, GUEST6, 31370, 1440);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completes_checksums),
		cmocka_unit_test(test_only_a_header_that_stays_is_left_open),
		cmocka_unit_test(test_udp_checksum_is_never_zero),
		cmocka_unit_test(test_behind_ip_options),
		cmocka_unit_test(test_complete_frames_are_left_alone),
		cmocka_unit_test(test_checksum_elsewhere),
		cmocka_unit_test(test_checksum_of_what_has_none),
		cmocka_unit_test(test_completes_checksums_in_tunnels),
		cmocka_unit_test(test_checksum_elsewhere_in_a_tunnel),
		cmocka_unit_test(test_unknown_kinds),
		cmocka_unit_test(test_lengths_of_long_segments),
		cmocka_unit_test(test_lengths_of_several_datagrams),
		cmocka_unit_test(test_marks_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
