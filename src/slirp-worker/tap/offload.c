/* SPDX-License-Identifier: BSD-2-Clause */
/* Uses the TAP's offloads for TCP, between gate, stack and TAP. */
#include "slirp-worker/tap/offload.h"

#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/tap/mss.h"
#include "slirp-worker/wire/checksum.h"

/* Ethernet's MTU, even if the guest's MTU is larger. Segments are merged anyway, and the
 * guest's kernel takes their length for its peer's MSS. libslirp would send segments of
 * up to 32768 bytes and wait for a window of that size. A guest with a small receive
 * buffer never opens such a window, and waits for data. */
#define STACK_MTU_MAX 1500

/* The value if the option is missing or was forgotten: RFC 9293 3.7.1, and IPv6's minimum
 * MTU (RFC 8200 5). Every host takes segments of this length. */
#define MSS_DEFAULT4 536
#define MSS_DEFAULT6 1220

/* Linux's minimum (net.ipv4.tcp_min_snd_mss): a guest that asks for less must not make
 * its kernel cut a segment into a thousand pieces. */
#define MSS_MIN 48

void
offload_init(struct offload *offload, bool tap_has_offloads, uint32_t mtu_bytes,
    offload_emit_fn *emit, void *ctx)
{
	offload->is_on = tap_has_offloads;
	offload->mtu_bytes = mtu_bytes;
	offload->emit = emit;
	offload->ctx = ctx;
}

uint32_t
offload_stack_mtu(const struct offload *offload)
{
	if (offload->is_on && offload->mtu_bytes > STACK_MTU_MAX)
		return STACK_MTU_MAX;
	return offload->mtu_bytes;
}

/* Limits the guest's value to the lengths that can be sent. */
static uint16_t
mss_within_bounds(const struct offload *offload, bool is_ip6, uint16_t mss_bytes)
{
	uint16_t mss_max = mss_of_mtu(offload->mtu_bytes, is_ip6);

	if (mss_bytes > mss_max)
		mss_bytes = mss_max;
	return mss_bytes > MSS_MIN ? mss_bytes : MSS_MIN;
}

void
offload_from_guest(struct offload *offload, const uint8_t *frame, size_t frame_len)
{
	struct segment segment;
	struct tcpflow_key key;
	uint16_t mss_bytes;

	if (!offload->is_on || !segment_parse(frame, frame_len, &segment))
		return;
	mss_bytes = mss_get(frame, &segment);
	if (mss_bytes == 0)
		return;
	key = tcpflow_key(frame, &segment, true);
	tcpflows_set(&offload->flows, &key,
	    mss_within_bounds(offload, segment.is_ip6, mss_bytes));
}

/* The length of the pieces that the guest accepts of this segment. */
static uint16_t
piece_len(struct offload *offload, const uint8_t *headers, const struct segment *segment)
{
	struct tcpflow_key key = tcpflow_key(headers, segment, false);
	uint16_t mss_bytes = tcpflows_get(&offload->flows, &key);

	if (mss_bytes != 0)
		return mss_bytes;
	return segment->is_ip6 ? MSS_DEFAULT6 : MSS_DEFAULT4;
}

/* Turns the headers into the headers of the piece at offset; i is its index. */
static void
put_piece_headers(uint8_t *headers, const struct segment *piece, size_t offset, int i,
    bool is_last)
{
	uint8_t *ip = headers + WIRE_ETH_LEN;
	uint8_t *tcp = headers + piece->l4_offset;
	size_t ip_header_len = piece->l4_offset - WIRE_ETH_LEN;
	size_t l4_len = piece->data_offset - piece->l4_offset + piece->data_len;
	uint16_t urgent = load_be16(tcp + WIRE_TCP_URGENT);

	if (piece->is_ip6) {
		store_be16(ip + WIRE_IP6_PAYLOAD_LEN, (uint16_t)l4_len);
	} else {
		store_be16(ip + WIRE_IP4_TOTAL_LEN, (uint16_t)(ip_header_len + l4_len));
		store_be16(ip + WIRE_IP4_ID, (uint16_t)(load_be16(ip + WIRE_IP4_ID) + i));
		store_be16(ip + WIRE_IP4_CHECKSUM, 0);
		store_be16(ip + WIRE_IP4_CHECKSUM,
		    checksum_finish(checksum_add(0, ip, ip_header_len)));
	}
	store_be32(tcp + WIRE_TCP_SEQ, load_be32(tcp + WIRE_TCP_SEQ) + (uint32_t)offset);
	if (!is_last)
		tcp[WIRE_TCP_FLAGS] &= (uint8_t) ~(WIRE_TCP_FIN | WIRE_TCP_PSH);
	if (urgent <= offset) {
		tcp[WIRE_TCP_FLAGS] &= (uint8_t)~WIRE_TCP_URG;
		urgent = (uint16_t)offset;
	}
	store_be16(tcp + WIRE_TCP_URGENT, (uint16_t)(urgent - offset));
}

/* Cuts a segment with urgent data. The kernel would give all pieces the same urgent
 * pointer, which counts from the start of each piece. Urgent data is rare. */
static void
emit_pieces(struct offload *offload, const uint8_t *frame, const struct segment *segment,
    size_t len)
{
	uint8_t head[VNET_HEADER_LEN + SEGMENT_HEAD_MAX];
	uint8_t *headers = head + VNET_HEADER_LEN;
	struct segment piece = *segment;
	int i = 0;

	for (size_t at = 0; at < segment->data_len; at += piece.data_len) {
		size_t left = segment->data_len - at;

		piece.data_len = left < len ? left : len;
		memcpy(headers, frame, segment->data_offset);
		put_piece_headers(headers, &piece, at, i++, piece.data_len == left);
		vnet_mark(head, headers, &piece, 0);
		offload->emit(offload->ctx, head, VNET_HEADER_LEN + segment->data_offset,
		    frame + segment->data_offset + at, piece.data_len);
	}
}

/* gso_size_bytes as for vnet_mark(). */
static void
emit_whole(struct offload *offload, const uint8_t *headers, const struct segment *segment,
    const uint8_t *data, uint16_t gso_size_bytes)
{
	uint8_t head[VNET_HEADER_LEN + SEGMENT_HEAD_MAX];
	uint8_t *copy = head + VNET_HEADER_LEN;

	memcpy(copy, headers, segment->data_offset);
	/* The stack sets the flag on every segment until urgent data is acknowledged.
	 * Linux takes a pointer of zero for the next byte to come, and would remove that
	 * byte from the stream (net/ipv4/tcp_input.c, tcp_check_urg). */
	if (load_be16(copy + segment->l4_offset + WIRE_TCP_URGENT) == 0)
		copy[segment->l4_offset + WIRE_TCP_FLAGS] &= (uint8_t)~WIRE_TCP_URG;
	/* The stack's MTU may be smaller: the guest must see the MSS of its own MTU. */
	mss_set(copy, segment, mss_of_mtu(offload->mtu_bytes, segment->is_ip6));
	vnet_mark(head, copy, segment, gso_size_bytes);
	offload->emit(offload->ctx, head, VNET_HEADER_LEN + segment->data_offset, data,
	    segment->data_len);
}

void
offload_flush(struct offload *offload)
{
	struct merge *merge = &offload->merge;
	size_t len;

	if (merge_is_empty(merge))
		return;
	merge_finish(merge);
	len = piece_len(offload, merge->headers, &merge->segment);
	if (len > merge->piece_len)
		len = merge->piece_len;
	if (len >= merge->segment.data_len)
		len = 0;
	emit_whole(offload, merge->headers, &merge->segment, merge->data, (uint16_t)len);
	merge->segment.data_len = 0;
}

bool
offload_to_guest(struct offload *offload, const uint8_t *frame, size_t frame_len)
{
	struct merge *merge = &offload->merge;
	struct segment segment;
	uint16_t len;

	if (!offload->is_on)
		return false;
	if (!segment_parse(frame, frame_len, &segment)) {
		offload_flush(offload);
		return false;
	}
	if (merge_add(merge, frame, &segment))
		return true;
	offload_flush(offload);
	if (merge_begin(merge, frame, &segment))
		return true;
	len = segment.data_len > 0 ? piece_len(offload, frame, &segment) : 0;
	if (segment.data_len <= len)
		len = 0;
	if (len != 0 && (frame[segment.l4_offset + WIRE_TCP_FLAGS] & WIRE_TCP_URG) != 0)
		emit_pieces(offload, frame, &segment, len);
	else
		emit_whole(offload, frame, &segment, frame + segment.data_offset, len);
	return true;
}
