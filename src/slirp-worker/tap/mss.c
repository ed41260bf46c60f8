/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and rewrites the maximum segment size option in TCP's handshake. */
#include "slirp-worker/tap/mss.h"

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"

#define MSS_VALUE 2 /* after kind and length */

uint16_t
mss_of_mtu(uint32_t mtu_bytes, bool is_ip6)
{
	return (
	    uint16_t)(mtu_bytes - (is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN) - WIRE_TCP_LEN);
}

/* Offset of the option from the frame's first byte; 0 if there is none. */
static size_t
find_option(const uint8_t *frame, const struct segment *segment)
{
	size_t at = segment->l4_offset + WIRE_TCP_LEN;
	size_t end = segment->data_offset;

	if ((frame[segment->l4_offset + WIRE_TCP_FLAGS] & WIRE_TCP_SYN) == 0)
		return 0;
	while (at < end && frame[at] != WIRE_TCP_OPTION_END) {
		size_t len = 1;

		if (frame[at] != WIRE_TCP_OPTION_NOP) {
			if (end - at < WIRE_TCP_OPTION_MIN_LEN ||
			    frame[at + 1] < WIRE_TCP_OPTION_MIN_LEN ||
			    frame[at + 1] > end - at)
				return 0;
			len = frame[at + 1];
		}
		if (frame[at] == WIRE_TCP_OPTION_MSS)
			return len == WIRE_TCP_OPTION_MSS_LEN ? at : 0;
		at += len;
	}
	return 0;
}

uint16_t
mss_get(const uint8_t *frame, const struct segment *segment)
{
	size_t at = find_option(frame, segment);

	return at == 0 ? 0 : load_be16(frame + at + MSS_VALUE);
}

void
mss_set(uint8_t *frame, const struct segment *segment, uint16_t mss_bytes)
{
	uint8_t *checksum = frame + segment->l4_offset + WIRE_TCP_CHECKSUM;
	size_t at = find_option(frame, segment);
	uint16_t old_mss_bytes, old_value, new_value;
	uint8_t *value = frame + at + MSS_VALUE;

	if (at == 0)
		return;
	/* After an odd number of NOP options, the value's bytes are in the other halves
	 * of the words that the checksum adds. */
	old_mss_bytes = load_be16(value);
	store_be16(value, mss_bytes);
	old_value = old_mss_bytes;
	new_value = mss_bytes;
	if ((at - segment->l4_offset) % 2 != 0) {
		old_value = __builtin_bswap16(old_value);
		new_value = __builtin_bswap16(new_value);
	}
	store_be16(checksum, checksum_update(load_be16(checksum), old_value, new_value));
}
