/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum over words of 64 bits. In ones' complement addition, neither the
 * width of the words nor their byte order matters (RFC 1071, 2). The sum is therefore
 * made of words of the machine and swapped once at the end. */
#include "slirp-worker/wire/checksum.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

/* Four words a turn keep the cost of the loop below that of the additions. */
#define WORDS_PER_TURN 4

/* Adds, and adds the carry at the bottom. */
static inline uint64_t
add_word(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

uint64_t
checksum_add(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint64_t words[WORDS_PER_TURN];
	uint64_t word, n_carries = 0;

	/* Count the carries and add them once: no addition then waits for another. */
	while (len >= sizeof(words)) {
		memcpy(words, b, sizeof(words));
		for (int i = 0; i < WORDS_PER_TURN; i++)
			n_carries += __builtin_add_overflow(sum, words[i], &sum);
		b += sizeof(words);
		len -= sizeof(words);
	}
	sum = add_word(sum, n_carries);

	while (len > 0) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		/* An odd byte at the end counts as if a zero followed it. */
		word = 0;
		memcpy(&word, b, n);
		sum = add_word(sum, word);
		b += n;
		len -= n;
	}
	return sum;
}

uint64_t
checksum_add_pieces(uint64_t sum, const struct iovec *pieces, size_t n)
{
	bool is_odd = false;

	for (size_t i = 0; i < n; i++) {
		uint64_t piece = checksum_add(0, pieces[i].iov_base, pieces[i].iov_len);

		/* At an odd offset, each byte is in the other half of its word of 16
		 * bits. Rotating the sum by a byte moves it there (RFC 1071, 2B). */
		sum = add_word(sum, is_odd ? piece << 8 | piece >> 56 : piece);
		is_odd ^= pieces[i].iov_len % 2 != 0;
	}
	return sum;
}

uint16_t
checksum_finish(uint64_t sum)
{
	/* The first line of each pair halves the width, the second adds the carry. */
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t)~ntohs((uint16_t)sum);
}

uint16_t
checksum_update(uint16_t checksum, uint16_t old_value, uint16_t new_value)
{
	uint32_t sum = (uint16_t)~checksum;

	sum += (uint16_t)~old_value;
	sum += new_value;
	sum = (sum >> 16) + (sum & UINT16_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t)~sum;
}

void
checksum_replace(uint8_t *checksum, const uint8_t *old_bytes, const uint8_t *new_bytes,
    size_t len)
{
	uint16_t value = load_be16(checksum);

	for (size_t i = 0; i < len; i += 2)
		value = checksum_update(value, load_be16(old_bytes + i),
		    load_be16(new_bytes + i));
	store_be16(checksum, value);
}
