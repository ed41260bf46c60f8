/*
 * What the TAP's offloads make of TCP, run in the worker between gate, stack and TAP.
 */
#include "slirp-worker/offload.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "slirp-worker/mss.h"

/*
 * A Linux guest opens with a window of 64240 bytes (net.ipv4.tcp_rmem's default, 131072,
 * half of it for overhead, in whole segments of 1460), which the stack can't scale. Of it
 * window_limit() leaves 62780: two segments under way, so that one is filled while the
 * other is read. Longer ones leave the second half of the window empty, and shorter ones
 * cost more wake-ups for the same data: in trials a third of the window carried a tenth
 * less, and a quarter a third less.
 */
#define LONG_MSS 31390
#define LONG_MTU (LONG_MSS + WIRE_IP4_LEN + WIRE_TCP_LEN)

/* Without the option, or where it has been forgotten: RFC 9293 3.7.1, and for IPv6 its
 * minimum MTU (RFC 8200 5). Everybody takes segments of this length. */
#define MSS_DEFAULT4 536
#define MSS_DEFAULT6 1220

/* Linux's own least (net.ipv4.tcp_min_snd_mss): a guest that asks for less shall not have
 * its kernel cut a segment into a thousand pieces. */
#define MSS_MIN 48

/* Ethernet's. A guest's kernel takes the length of the pieces for its peer's, and rounds
 * the window that it announces down to a multiple; with long pieces much of it is lost. */
#define PIECE_MAX 1460

void
offload_init(struct offload *offload, bool tap_has_offloads, uint32_t mtu_bytes)
{
	offload->is_on = tap_has_offloads;
	offload->mtu_bytes = mtu_bytes;
}

uint32_t
offload_stack_mtu(const struct offload *offload)
{
	return offload->is_on ? LONG_MTU : offload->mtu_bytes;
}

static uint16_t
mss_default(const struct segment *segment)
{
	return segment->is_ip6 ? MSS_DEFAULT6 : MSS_DEFAULT4;
}

/* What the guest can be sent at once, of what it says. */
static uint16_t
mss_within_bounds(const struct offload *offload, const struct segment *segment,
    uint16_t mss_bytes)
{
	uint16_t mss_max = mss_of_mtu(offload->mtu_bytes, segment->is_ip6);

	if (mss_bytes > mss_max)
		mss_bytes = mss_max;
	return mss_bytes > MSS_MIN ? mss_bytes : MSS_MIN;
}

static uint16_t
piece_len(const struct tcpflow *flow)
{
	return flow->mss_bytes < PIECE_MAX ? flow->mss_bytes : PIECE_MAX;
}

/*
 * How much of its window the stack may know of. The stack sends less than a whole segment
 * only into a window of at least half the largest that it has seen (src/tcp_output.c). The
 * guest's kernel, once a program has read all there was, tells of a larger window only if
 * it is twice the last one, and rounds it down to whole pieces (net/ipv4/tcp_output.c,
 * __tcp_select_window; tcp.c, tcp_cleanup_rbuf). Between the two lie windows at which each
 * waits for the other, until the stack's persist timer, five seconds later. With segments
 * of the guest's own length that can't be; with long ones it can, unless the stack's
 * half is never more than half of what the guest surely comes back to.
 */
static uint16_t
window_limit(const struct tcpflow *flow)
{
	uint16_t window_bytes = flow->window_bytes;
	uint16_t rounded_bytes = window_bytes / 2;

	if (window_bytes - rounded_bytes > piece_len(flow))
		rounded_bytes = (uint16_t)(window_bytes - piece_len(flow));
	return rounded_bytes;
}

static void
limit_window(uint8_t *frame, const struct segment *segment, struct tcpflow *flow)
{
	uint8_t *window = frame + segment->l4_offset + WIRE_TCP_WINDOW;
	uint8_t *checksum = frame + segment->l4_offset + WIRE_TCP_CHECKSUM;
	uint16_t window_bytes = load_be16(window);
	uint16_t limit_bytes;

	if (window_bytes > flow->window_bytes)
		flow->window_bytes = window_bytes;
	limit_bytes = window_limit(flow);
	if (window_bytes <= limit_bytes)
		return;
	store_be16(checksum,
	    checksum_update(load_be16(checksum), window_bytes, limit_bytes));
	store_be16(window, limit_bytes);
}

void
offload_from_guest(struct offload *offload, uint8_t *frame, size_t frame_len)
{
	struct segment segment;
	struct tcpflow_key key;
	struct tcpflow *flow;
	bool opens;

	if (!offload->is_on || !segment_parse(frame, frame_len, &segment))
		return;
	key = tcpflow_key(frame, &segment, true);
	flow = tcpflows_find(&offload->flows, &key);
	opens = (frame[segment.l4_offset + WIRE_TCP_FLAGS] & WIRE_TCP_SYN) != 0;
	if (!flow) {
		flow = tcpflows_add(&offload->flows, &key);
		flow->mss_bytes = mss_default(&segment);
	}
	if (opens) {
		uint16_t mss_bytes = mss_get(frame, &segment);

		flow->mss_bytes = mss_within_bounds(offload, &segment,
		    mss_bytes != 0 ? mss_bytes : mss_default(&segment));
		flow->window_bytes = 0;
		mss_set(frame, &segment, mss_of_mtu(LONG_MTU, segment.is_ip6));
	}
	limit_window(frame, &segment, flow);
}

/* How a segment for the guest goes into the TAP. */
struct outgoing {
	const uint8_t *frame;
	struct segment segment;
	uint16_t piece_len; /* what it is longer than; 0: it is one piece */
	offload_emit_fn *emit;
	void *ctx;
};

static void
emit_whole(const struct offload *offload, const struct outgoing *out)
{
	const struct segment *segment = &out->segment;
	uint8_t head[VNET_HEADER_LEN + SEGMENT_HEAD_MAX];
	uint8_t *headers = head + VNET_HEADER_LEN;

	memcpy(headers, out->frame, segment->data_offset);
	/* The stack knows of an MTU that is not the guest's. */
	mss_set(headers, segment, mss_of_mtu(offload->mtu_bytes, segment->is_ip6));
	vnet_mark(head, headers, segment, out->piece_len);
	out->emit(out->ctx, head, VNET_HEADER_LEN + segment->data_offset,
	    out->frame + segment->data_offset, segment->data_len);
}

/* Makes the headers those of the piece at offset; i is its number. */
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

/* The kernel would give all pieces the same urgent pointer, which counts from each one's
 * own beginning. So these are cut here; urgent data is rare. */
static void
emit_pieces(const struct outgoing *out)
{
	const struct segment *segment = &out->segment;
	uint8_t head[VNET_HEADER_LEN + SEGMENT_HEAD_MAX];
	uint8_t *headers = head + VNET_HEADER_LEN;
	struct segment piece = *segment;
	int i = 0;

	for (size_t at = 0; at < segment->data_len; at += piece.data_len) {
		size_t left = segment->data_len - at;

		piece.data_len = left < out->piece_len ? left : out->piece_len;
		memcpy(headers, out->frame, segment->data_offset);
		put_piece_headers(headers, &piece, at, i++, piece.data_len == left);
		vnet_mark(head, headers, &piece, 0);
		out->emit(out->ctx, head, VNET_HEADER_LEN + segment->data_offset,
		    out->frame + segment->data_offset + at, piece.data_len);
	}
}

bool
offload_to_guest(struct offload *offload, const uint8_t *frame, size_t frame_len,
    offload_emit_fn *emit, void *ctx)
{
	struct outgoing out = { .frame = frame, .emit = emit, .ctx = ctx };

	if (!offload->is_on || !segment_parse(frame, frame_len, &out.segment))
		return false;
	if (out.segment.data_len > MSS_MIN) {
		struct tcpflow_key key = tcpflow_key(frame, &out.segment, false);
		const struct tcpflow *flow = tcpflows_find(&offload->flows, &key);

		out.piece_len = flow ? piece_len(flow) : mss_default(&out.segment);
		if (out.segment.data_len <= out.piece_len)
			out.piece_len = 0;
	}
	if (out.piece_len != 0 &&
	    (frame[out.segment.l4_offset + WIRE_TCP_FLAGS] & WIRE_TCP_URG) != 0)
		emit_pieces(&out);
	else
		emit_whole(offload, &out);
	return true;
}
