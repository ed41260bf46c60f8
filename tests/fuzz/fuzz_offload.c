/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames with virtio headers from a TAP, and the stack's segments to it, with a memory of
 * connections in between. What comes out is held against promises by code of its own.
 *
 * Input: a byte that chooses the MTU, then steps of a byte (what), two (length), and that
 * many bytes: of header and frame from the guest, or of a frame of the stack's. An input is
 * shorter than what can be merged, so one step stands for many segments that follow the last.
 */
#include "frames.h"
#include "vnet_whole.h"

#include "base/bytes.h"
#include "slirp-worker/tap/mss.h"
#include "slirp-worker/tap/offload.h"

#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { STEP_FROM_GUEST, STEP_TO_GUEST, STEP_FLUSH, STEP_FOLLOW, STEP_N };

/* More than enough for what fits into an input. */
#define SENT_MAX 1000000

/* Enough for the longest whole, of segments of 257 bytes or more. */
#define FOLLOW_MAX 255

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

static struct offload offload;
static uint32_t mtu_bytes;

/* The data of all segments that the stack has sent, and how much of it has come out. */
static uint8_t sent[SENT_MAX];
static uint32_t seq_of[SENT_MAX], ports_of[SENT_MAX]; /* of each byte of it */
static size_t n_sent, n_out;

/* The last of them. */
static uint8_t last[UINT16_MAX];
static size_t last_len;

static size_t
n_different(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += a[i] != b[i];
	return n;
}

static void
from_guest(uint8_t *data, size_t len)
{
	enum ipc_drop_reason reason = IPC_DROP_N;
	uint8_t *before, *frame, header[VNET_HEADER_LEN];

	if (len < VNET_HEADER_LEN)
		return;
	memcpy(header, data, VNET_HEADER_LEN);
	len -= VNET_HEADER_LEN;
	/* Blocks of their own, so that a byte too far is seen. */
	frame = malloc(len > 0 ? len : 1);
	before = malloc(len > 0 ? len : 1);
	if (frame == NULL || before == NULL)
		abort();
	memcpy(frame, data + VNET_HEADER_LEN, len);
	memcpy(before, frame, len);
	if (vnet_accept_whole(header, frame, len, &reason)) {
		promise(n_different(before, frame, len) <= 2);
		if ((header[0] & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
			promise(n_different(before, frame, len) == 0);
		if (header[1] != VIRTIO_NET_HDR_GSO_NONE) {
			promise(load_le16(header + 2) <= len);
			promise(load_le16(header + 4) > 0);
			promise(load_le16(header + 4) < len);
		}
		offload_from_guest(&offload, frame, len);
	} else {
		promise(reason == IPC_DROP_offload_kind ||
		    reason == IPC_DROP_offload_checksum ||
		    reason == IPC_DROP_offload_length);
		promise(memcmp(before, frame, len) == 0);
	}
	free(before);
	free(frame);
}

static void
emit(void *ctx, const uint8_t *headers, size_t headers_len, const uint8_t *data,
    size_t data_len)
{
	struct segment segment;
	enum ipc_drop_reason reason;
	uint16_t gso_size = load_le16(headers + 4);
	size_t frame_len = headers_len - VNET_HEADER_LEN + data_len;
	uint8_t *frame;

	(void)ctx;
	promise(headers_len >= VNET_HEADER_LEN + 14 + 20 + 20);
	promise(frame_len <= 14 + 40 + 65535);
	/* Everything comes out once, and in order. */
	promise(n_out + data_len <= n_sent);
	promise(memcmp(sent + n_out, data, data_len) == 0);
	frame = malloc(frame_len);
	if (frame == NULL)
		abort();
	memcpy(frame, headers + VNET_HEADER_LEN, headers_len - VNET_HEADER_LEN);
	memcpy(frame + headers_len - VNET_HEADER_LEN, data, data_len);
	promise(segment_parse(frame, frame_len, &segment));
	promise(segment.data_offset == headers_len - VNET_HEADER_LEN);
	promise(segment.data_len == data_len);
	for (size_t i = 0; i < data_len; i++) {
		const uint8_t *tcp = frame + segment.l4_offset;

		promise(seq_of[n_out + i] == load_be32(tcp + WIRE_TCP_SEQ) + (uint32_t)i);
		promise(ports_of[n_out + i] == load_be32(tcp + WIRE_TCP_SRC_PORT));
	}
	n_out += data_len;
	if (headers[1] != VIRTIO_NET_HDR_GSO_NONE)
		promise(gso_size > 0 && gso_size < data_len);
	if (mss_get(frame, &segment) != 0)
		promise(
		    mss_get(frame, &segment) == mss_of_mtu(mtu_bytes, segment.is_ip6));
	/* It is what a kernel takes, and what it makes of it is right. */
	promise(vnet_accept_whole(headers, frame, frame_len, &reason));
	if (load_be16(frame + 12) == 0x86dd)
		promise(frame_checksums_are_right(frame, frame_len));
	free(frame);
}

static void
to_guest(const uint8_t *data, size_t len)
{
	struct segment segment;
	uint8_t *frame;

	if (len > SENT_MAX - n_sent)
		return;
	frame = malloc(len + 1);
	if (frame == NULL)
		abort();
	memcpy(frame + 1, data, len);
	if (segment_parse(frame + 1, len, &segment)) {
		const uint8_t *tcp = frame + 1 + segment.l4_offset;

		memcpy(sent + n_sent, frame + 1 + segment.data_offset, segment.data_len);
		for (size_t i = 0; i < segment.data_len; i++) {
			seq_of[n_sent + i] = load_be32(tcp + WIRE_TCP_SEQ) + (uint32_t)i;
			ports_of[n_sent + i] = load_be32(tcp + WIRE_TCP_SRC_PORT);
		}
		n_sent += segment.data_len;
		memmove(last, data, len);
		last_len = len;
		promise(offload_to_guest(&offload, frame + 1, len));
	} else {
		promise(!offload_to_guest(&offload, frame + 1, len));
		promise(n_out == n_sent);
	}
	promise(memcmp(frame + 1, data, len) == 0);
	free(frame);
}

/* As many segments as len says, and no more than FOLLOW_MAX, each like the last but for its place in the stream. */
static void
follow(size_t len)
{
	struct segment segment;
	uint8_t *seq;

	if (!segment_parse(last, last_len, &segment))
		return;
	seq = last + segment.l4_offset + WIRE_TCP_SEQ;
	for (size_t i = 0; i < len && i < FOLLOW_MAX; i++) {
		store_be32(seq, load_be32(seq) + (uint32_t)segment.data_len);
		to_guest(last, last_len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t mtus[] = { 68, 576, 1280, 1500, 9000, 65520, 65521 };

	if (size == 0)
		return 0;
	mtu_bytes = mtus[data[0] % (sizeof(mtus) / sizeof(mtus[0]))];
	memset(&offload.flows, 0, sizeof(offload.flows));
	offload.merge.segment.data_len = 0;
	offload_init(&offload, true, mtu_bytes, emit, NULL);
	n_sent = n_out = last_len = 0;
	data++;
	size--;
	while (size >= 3) {
		enum step step = data[0] % STEP_N;
		size_t len = load_be16(data + 1);
		uint8_t *copy;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		copy = malloc(len + 1);
		if (copy == NULL)
			return 0;
		memcpy(copy, data, len);
		if (step == STEP_FROM_GUEST)
			from_guest(copy, len);
		else if (step == STEP_TO_GUEST)
			to_guest(copy, len);
		else if (step == STEP_FOLLOW)
			follow(len);
		else
			offload_flush(&offload);
		free(copy);
		data += len;
		size -= len;
	}
	offload_flush(&offload);
	promise(n_out == n_sent);
	return 0;
}
