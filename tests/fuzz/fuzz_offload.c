/*
 * Frames with virtio headers from a TAP, and the stack's segments to it, with a memory of
 * connections in between. What comes out is held against promises by code of its own.
 *
 * Input: a byte that chooses the MTU, then steps of a byte (what), two (length), and that
 * many bytes: of header and frame from the guest, or of a frame of the stack's.
 */
#include "frames.h"

#include "base/bytes.h"
#include "slirp-worker/mss.h"
#include "slirp-worker/offload.h"

#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { STEP_FROM_GUEST, STEP_TO_GUEST, STEP_N };

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

/* What the stack sends, and how much of it has come out. */
static const uint8_t *sent;
static struct segment sent_segment;
static size_t n_out_bytes;

static size_t
n_different(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += a[i] != b[i];
	return n;
}

static void
rewrite(uint8_t *frame, size_t len, uint8_t *before)
{
	struct segment segment;
	bool is_segment = segment_parse(frame, len, &segment);
	bool was_right = is_segment && frame_checksums_are_right(frame, len);

	memcpy(before, frame, len);
	offload_from_guest(&offload, frame, len);
	if (!is_segment) {
		promise(memcmp(before, frame, len) == 0);
		return;
	}
	/* The option, the window, and the checksum over both. */
	promise(n_different(before, frame, len) <= 6);
	promise(load_be16(frame + segment.l4_offset + 14) <=
	    load_be16(before + segment.l4_offset + 14));
	/* Padding, which is no part of the packet, is in the way of this check. */
	if (was_right && segment.data_offset + segment.data_len == len)
		promise(frame_checksums_are_right(frame, len));
	promise(mss_get(before, &segment) == 0 ||
	    mss_get(frame, &segment) ==
		mss_of_mtu(offload_stack_mtu(&offload), segment.is_ip6));
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
	frame = malloc(len + 1);
	before = malloc(len + 1);
	if (frame == NULL || before == NULL)
		abort();
	memcpy(frame, data + VNET_HEADER_LEN, len);
	memcpy(before, frame, len);
	if (vnet_accept(header, frame, len, &reason)) {
		promise(n_different(before, frame, len) <= 2);
		if ((header[0] & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
			promise(n_different(before, frame, len) == 0);
		rewrite(frame, len, before);
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
	promise(headers_len == VNET_HEADER_LEN + sent_segment.data_offset);
	promise(data == sent + sent_segment.data_offset + n_out_bytes);
	n_out_bytes += data_len;
	promise(n_out_bytes <= sent_segment.data_len);
	frame = malloc(frame_len);
	if (frame == NULL)
		abort();
	memcpy(frame, headers + VNET_HEADER_LEN, headers_len - VNET_HEADER_LEN);
	memcpy(frame + headers_len - VNET_HEADER_LEN, data, data_len);
	promise(segment_parse(frame, frame_len, &segment));
	promise(segment.data_offset == sent_segment.data_offset);
	promise(segment.data_len == data_len);
	/* No piece of it is longer than what the guest takes. */
	if (headers[1] == VIRTIO_NET_HDR_GSO_NONE)
		promise(data_len <= 1460);
	else
		promise(gso_size > 0 && gso_size < data_len && gso_size <= 1460);
	if (mss_get(frame, &segment) != 0)
		promise(
		    mss_get(frame, &segment) == mss_of_mtu(mtu_bytes, segment.is_ip6));
	/* It is what a kernel takes, and what it makes of it is right. */
	promise(vnet_accept(headers, frame, frame_len, &reason));
	if (load_be16(sent + 12) == 0x86dd)
		promise(frame_checksums_are_right(frame, frame_len));
	free(frame);
}

static void
to_guest(const uint8_t *data, size_t len)
{
	uint8_t *frame = malloc(len + 1);

	if (frame == NULL)
		abort();
	memcpy(frame + 1, data, len);
	sent = frame + 1;
	n_out_bytes = 0;
	if (segment_parse(sent, len, &sent_segment)) {
		promise(offload_to_guest(&offload, sent, len, emit, NULL));
		promise(n_out_bytes == sent_segment.data_len);
	} else {
		promise(!offload_to_guest(&offload, sent, len, emit, NULL));
		promise(n_out_bytes == 0);
	}
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t mtus[] = { 68, 576, 1280, 1500, 9000, 65520, 65521 };

	if (size == 0)
		return 0;
	mtu_bytes = mtus[data[0] % (sizeof(mtus) / sizeof(mtus[0]))];
	memset(&offload, 0, sizeof(offload));
	offload_init(&offload, true, mtu_bytes);
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
		else
			to_guest(copy, len);
		free(copy);
		data += len;
		size -= len;
	}
	return 0;
}
