/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins TCP segments that the stack sends to the guest.
 *
 * Two segments are joined only if the guest cannot tell the difference: their headers
 * differ only in lengths, checksums, sequence and identification.
 */
#include "slirp-worker/tap/merge.h"

#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"

static bool
is_same(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
	return memcmp(a + from, b + from, to - from) == 0;
}

static bool
ip_is_same(const uint8_t *a, const uint8_t *b, bool is_ip6)
{
	if (is_ip6)
		return is_same(a, b, 0, WIRE_IP6_PAYLOAD_LEN) &&
		    is_same(a, b, WIRE_IP6_NEXT, WIRE_IP6_LEN);
	return is_same(a, b, 0, WIRE_IP4_TOTAL_LEN) &&
	    is_same(a, b, WIRE_IP4_FRAGMENT, WIRE_IP4_CHECKSUM) &&
	    is_same(a, b, WIRE_IP4_SRC, WIRE_IP4_LEN);
}

/* PSH may be set in the last segment; no segment can follow it. */
static bool
tcp_is_same(const uint8_t *waits, const uint8_t *comes)
{
	return is_same(waits, comes, WIRE_TCP_SRC_PORT, WIRE_TCP_SEQ) &&
	    is_same(waits, comes, WIRE_TCP_ACK, WIRE_TCP_FLAGS) &&
	    is_same(waits, comes, WIRE_TCP_WINDOW, WIRE_TCP_CHECKSUM) &&
	    is_same(waits, comes, WIRE_TCP_URGENT, WIRE_TCP_LEN) &&
	    (waits[WIRE_TCP_FLAGS] | WIRE_TCP_PSH) ==
	    (comes[WIRE_TCP_FLAGS] | WIRE_TCP_PSH);
}

/* True if neither header has options, so that the lengths alone describe the segment. */
static bool
is_plain(const struct segment *segment)
{
	return segment->data_len > 0 &&
	    segment->data_offset == segment->l4_offset + WIRE_TCP_LEN &&
	    segment->l4_offset ==
	    WIRE_ETH_LEN + (segment->is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN);
}

static void
append(struct merge *merge, const uint8_t *frame, const struct segment *segment)
{
	const uint8_t *tcp = frame + segment->l4_offset;

	memcpy(merge->data + merge->segment.data_len, frame + segment->data_offset,
	    segment->data_len);
	merge->segment.data_len += segment->data_len;
	merge->next_seq = load_be32(tcp + WIRE_TCP_SEQ) + (uint32_t)segment->data_len;
	merge->headers[segment->l4_offset + WIRE_TCP_FLAGS] = tcp[WIRE_TCP_FLAGS];
}

bool
merge_add(struct merge *merge, const uint8_t *frame, const struct segment *segment)
{
	const uint8_t *tcp = frame + segment->l4_offset;
	const uint8_t *waits = merge->headers + segment->l4_offset;

	if (merge_is_empty(merge) || !is_plain(segment) ||
	    segment->is_ip6 != merge->segment.is_ip6 ||
	    load_be32(tcp + WIRE_TCP_SEQ) != merge->next_seq ||
	    (waits[WIRE_TCP_FLAGS] & WIRE_TCP_PSH) != 0)
		return false;
	/* All pieces except the last have the same length, as if cut from the whole. */
	if (merge->segment.data_len % merge->piece_len != 0 ||
	    segment->data_len > merge->piece_len ||
	    segment->data_len > MERGE_DATA_MAX - merge->segment.data_len)
		return false;
	if (!is_same(merge->headers, frame, 0, WIRE_ETH_LEN) ||
	    !ip_is_same(merge->headers + WIRE_ETH_LEN, frame + WIRE_ETH_LEN,
		segment->is_ip6) ||
	    !tcp_is_same(waits, tcp))
		return false;
	append(merge, frame, segment);
	return true;
}

bool
merge_begin(struct merge *merge, const uint8_t *frame, const struct segment *segment)
{
	uint8_t flags = frame[segment->l4_offset + WIRE_TCP_FLAGS];

	if (!is_plain(segment) || segment->data_len > MERGE_DATA_MAX ||
	    (flags & (uint8_t) ~(WIRE_TCP_ACK_FLAG | WIRE_TCP_PSH)) != 0)
		return false;
	memcpy(merge->headers, frame, segment->data_offset);
	merge->segment = *segment;
	merge->segment.data_len = 0;
	merge->piece_len = segment->data_len;
	append(merge, frame, segment);
	return true;
}

void
merge_finish(struct merge *merge)
{
	uint8_t *ip = merge->headers + WIRE_ETH_LEN;
	size_t len = merge->segment.data_offset - WIRE_ETH_LEN + merge->segment.data_len;

	if (merge->segment.data_len == merge->piece_len)
		return;
	if (merge->segment.is_ip6) {
		store_be16(ip + WIRE_IP6_PAYLOAD_LEN, (uint16_t)(len - WIRE_IP6_LEN));
		return;
	}
	store_be16(ip + WIRE_IP4_TOTAL_LEN, (uint16_t)len);
	store_be16(ip + WIRE_IP4_CHECKSUM, 0);
	store_be16(ip + WIRE_IP4_CHECKSUM,
	    checksum_finish(checksum_add(0, ip, WIRE_IP4_LEN)));
}
