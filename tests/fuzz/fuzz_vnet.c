/* SPDX-License-Identifier: BSD-2-Clause */
/* Any header and frame of a TAP with offloads: at most the two bytes of one checksum change,
 * and what was accepted is accepted again. */
#include "frames.h"
#include "slirp-worker/tap/vnet.h"

#include <stdlib.h>
#include <string.h>

#define FUZZ_FRAME_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[VNET_HEADER_LEN] = { 0 };
	uint8_t frame[FUZZ_FRAME_MAX];
	enum ipc_drop_reason reason = IPC_DROP_N;
	struct vnet_frame said = { 0 }, again;
	size_t len, first = 0, last = 0;
	bool is_changed = false;

	if (size < sizeof(header) || size - sizeof(header) > sizeof(frame))
		return 0;
	len = size - sizeof(header);
	memcpy(header, data, sizeof(header));
	memcpy(frame, data + sizeof(header), len);
	if (!vnet_accept(header, frame, len, &said, &reason)) {
		if (reason >= IPC_DROP_N ||
		    memcmp(frame, data + sizeof(header), len) != 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		if (frame[i] != data[sizeof(header) + i]) {
			first = is_changed ? first : i;
			last = i;
			is_changed = true;
		}
	if (is_changed && (last - first > 1 || said.sum != VNET_SUM_VALID))
		abort();
	if (!vnet_accept(header, frame, len, &again, &reason) || again.sum != said.sum ||
	    again.piece_len != said.piece_len)
		abort();
	/* A frame stands for a limited number of datagrams. */
	if (said.piece_len > 0 && len / said.piece_len > VNET_PIECES_MAX + 1)
		abort();
	return 0;
}
