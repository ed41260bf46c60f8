/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragmentation towards the guest: whatever the frame and the MTU, fragments fit the MTU,
 * and those of a packet that is whole come together again in reassembly.
 *
 * Input: two bytes of MTU, then a frame. Its IPv4 header's checksum is made right.
 */
#include "frames.h"

#include "base/bytes.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/gate/reass.h"
#include "slirp-worker/tap/frag.h"
#include "slirp-worker/wire/checksum.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct context {
	unsigned int mtu_bytes;
	bool is_cut;
	bool clean; /* every fragment was kept so far */
	uint8_t *whole;
	size_t whole_len;
};

static struct reass reass;

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* Takes a fragment apart and hands it to reassembly, without the gate's opinions. */
static bool
take(void *ctx, const uint8_t *frame, size_t len)
{
	struct context *context = ctx;
	struct gate_frame parsed = { .len = len };
	enum ipc_drop_reason reason;

	if (!context->is_cut)
		return true;
	promise(len <= 14 + (size_t)context->mtu_bytes);
	parsed.ethertype = load_be16(frame + 12);
	if (parsed.ethertype == 0x0800) {
		size_t header_len = (size_t)(frame[14] & 15) * 4;
		uint16_t fragment = load_be16(frame + 20);

		promise(load_be16(frame + 16) == len - 14);
		promise(checksum_finish(checksum_add(0, frame + 14, header_len)) == 0);
		parsed.src = frame + 26;
		parsed.l4_offset = 14 + header_len;
		parsed.protocol = frame[23];
		parsed.fragment_more = (fragment & 0x2000) != 0;
		parsed.fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
		parsed.fragment_id = load_be16(frame + 18);
	} else {
		promise(load_be16(frame + 18) == len - 54 && frame[20] == 44);
		parsed.src = frame + 22;
		parsed.l4_offset = 62;
		parsed.protocol = frame[54];
		parsed.fragment_more = (frame[57] & 1) != 0;
		parsed.fragment_offset = load_be16(frame + 56) & 0xfff8;
		parsed.fragment_id = load_be32(frame + 58);
	}
	parsed.l4_len = len - parsed.l4_offset;
	if (parsed.fragment_more)
		promise(parsed.l4_len % 8 == 0 && parsed.l4_len > 0);
	promise(context->whole == NULL);
	if (reass_add(&reass, &parsed, frame, 1, &context->whole, &context->whole_len,
		&reason) == REASS_DROPPED)
		context->clean = false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct context context = { .clean = true };
	uint8_t *frame, *scratch;
	size_t len;
	int n;

	if (size < 2)
		return 0;
	if (reass.datagrams == NULL && reass_init(&reass) == -1)
		abort();
	reass_expire(&reass, UINT64_MAX);
	context.mtu_bytes = load_be16(data);
	len = size - 2;
	frame = malloc(len + 1);
	scratch = malloc(14 + (size_t)context.mtu_bytes);
	if (frame == NULL || scratch == NULL)
		abort();
	memcpy(frame, data + 2, len);

	context.is_cut = frag_needed(frame, len, context.mtu_bytes);
	n = frag_split(frame, len, context.mtu_bytes, 77, scratch,
	    14 + (size_t)context.mtu_bytes, take, &context);
	promise(context.is_cut || n == 1);

	/* A packet that was whole, and not in too many pieces, is whole again. */
	if (n > 1 && n <= REASS_MAX_FRAGMENTS && context.clean &&
	    (load_be16(frame + 12) != 0x0800 || (load_be16(frame + 20) & 0x3fff) == 0)) {
		size_t at = frame_l4_offset(&(struct frame){
		    .bytes = { [12] = frame[12], [13] = frame[13], [14] = frame[14] } });

		promise(context.whole != NULL && context.whole_len >= at);
		promise(context.whole_len <= len);
		promise(
		    memcmp(context.whole + at, frame + at, context.whole_len - at) == 0);
	}
	free(scratch);
	free(frame);
	return 0;
}
