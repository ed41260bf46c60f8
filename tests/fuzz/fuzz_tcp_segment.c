/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any frame as a TCP segment: nothing outside of the frame is read, and a segment that is
 * written again, with all that was understood, is understood in the same way.
 *
 * Input: two bytes that say where the data is cut into pieces, then a frame.
 */
#include "frames.h"

#include "base/bytes.h"
#include "slirp-worker/wire/tcp_segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

static void
check_parsed(const uint8_t *frame, size_t len, const struct tcp_segment *segment)
{
	size_t addr_len = segment->is_ip6 ? 16 : 4;

	promise(segment->dst_mac == frame && segment->src_mac == frame + 6);
	promise(load_be16(frame + 12) == (segment->is_ip6 ? 0x86dd : 0x0800));
	promise(segment->src >= frame + 14 && segment->dst == segment->src + addr_len);
	promise(segment->data >= segment->dst + addr_len + 20);
	promise((size_t)(segment->data - frame) + segment->data_len <= len);
	promise(segment->has_wscale || segment->wscale == 0);
	promise(segment->wscale <= 14 && segment->n_sack <= TCP_SACK_MAX);
	if ((segment->flags & 0x02) != 0) /* SYN */
		promise(segment->n_sack == 0);
	else
		promise(segment->mss == 0 && !segment->has_wscale && !segment->sack_ok);
}

static bool
is_same(const struct tcp_segment *a, const struct tcp_segment *b)
{
	size_t addr_len = a->is_ip6 ? 16 : 4;

	return memcmp(a->dst_mac, b->dst_mac, 6) == 0 &&
	    memcmp(a->src_mac, b->src_mac, 6) == 0 && a->is_ip6 == b->is_ip6 &&
	    memcmp(a->src, b->src, addr_len) == 0 &&
	    memcmp(a->dst, b->dst, addr_len) == 0 && a->data_len == b->data_len &&
	    memcmp(a->data, b->data, a->data_len) == 0 && a->flags == b->flags &&
	    a->src_port == b->src_port && a->dst_port == b->dst_port &&
	    a->seq == b->seq && a->ack == b->ack && a->window == b->window &&
	    a->mss == b->mss && a->has_wscale == b->has_wscale &&
	    a->wscale == b->wscale && a->sack_ok == b->sack_ok &&
	    a->n_sack == b->n_sack &&
	    memcmp(a->sack, b->sack, a->n_sack * sizeof(*a->sack)) == 0;
}

/* Writes the segment with its data in three pieces, and parses it. */
static void
check_written(const struct tcp_segment *segment, uint8_t cut1, uint8_t cut2)
{
	size_t first = cut1 < segment->data_len ? cut1 : segment->data_len;
	size_t second = segment->data_len - first;
	uint8_t *data = malloc(segment->data_len + 1);
	struct tcp_head head = {
		.dst_mac = segment->dst_mac,
		.src_mac = segment->src_mac,
		.src = segment->src,
		.dst = segment->dst,
		.is_ip6 = segment->is_ip6,
		.src_port = segment->src_port,
		.dst_port = segment->dst_port,
		.seq = segment->seq,
		.ack = segment->ack,
		.flags = segment->flags,
		.window = segment->window,
		.ip_id = segment->window,
		.mss = segment->mss,
		.has_wscale = segment->has_wscale,
		.wscale = segment->wscale,
		.sack_ok = segment->sack_ok,
		.n_sack = segment->n_sack,
		.sack = segment->sack,
	};
	struct tcp_segment again;
	uint8_t *frame, *out;
	size_t len;

	second = cut2 < second ? cut2 : second;
	out = malloc(TCP_HEAD_MAX);
	if (data == NULL || out == NULL)
		abort();
	memcpy(data, segment->data, segment->data_len);
	len = tcp_head_write(out, &head, segment->data_len);
	promise(len <= TCP_HEAD_MAX);
	tcp_head_sum(out, len,
	    (struct iovec[]){ { data, first }, { data + first, second },
		{ data + first + second, segment->data_len - first - second } },
	    3);
	frame = malloc(len + segment->data_len);
	if (frame == NULL)
		abort();
	memcpy(frame, out, len);
	memcpy(frame + len, data, segment->data_len);
	promise(frame_checksums_are_right(frame, len + segment->data_len));
	promise(tcp_segment_parse(frame, len + segment->data_len, &again));
	promise(is_same(segment, &again));
	free(frame);
	free(out);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcp_segment segment;
	uint8_t *frame;

	if (size < 2)
		return 0;
	frame = malloc(size - 2 + 1);
	if (frame == NULL)
		abort();
	/* The block ends where the frame does. */
	memcpy(frame + 1, data + 2, size - 2);
	if (tcp_segment_parse(frame + 1, size - 2, &segment)) {
		check_parsed(frame + 1, size - 2, &segment);
		check_written(&segment, data[0], data[1]);
	}
	free(frame);
	return 0;
}
