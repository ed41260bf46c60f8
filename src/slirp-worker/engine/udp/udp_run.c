/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts datagrams of a flow together for one call. */
#include "slirp-worker/engine/udp/udp_run.h"

#include <string.h>

static void
put_part(struct udp_run *run, const uint8_t *data, size_t len)
{
	run->parts[run->first + run->n_parts++] = (struct iovec){
		.iov_base = (void *)(uintptr_t)data,
		.iov_len = len,
	};
	run->len += len;
}

void
udp_run_begin(struct udp_run *run, const uint8_t *data, size_t len, size_t piece_len)
{
	run->first = run->n_parts = 0;
	run->len = 0;
	run->piece_len = len < piece_len ? len : piece_len;
	put_part(run, data, len);
}

bool
udp_run_add(struct udp_run *run, const uint8_t *data, size_t len, size_t piece_len)
{
	/* An empty datagram would vanish between others. */
	if (len == 0 || run->len == 0 || run->len % run->piece_len != 0)
		return false;
	if (len > piece_len ? piece_len != run->piece_len : len > run->piece_len)
		return false;
	if (run->first + run->n_parts == UDP_RUN_PARTS_MAX)
		return false;
	put_part(run, data, len);
	return true;
}

const uint8_t *
udp_run_front(const struct udp_run *run, size_t len, uint8_t *copy)
{
	const struct iovec *part = &run->parts[run->first];
	size_t at = 0;

	if (len <= part->iov_len)
		return part->iov_base;
	for (; at < len; part++) {
		size_t n = len - at < part->iov_len ? len - at : part->iov_len;

		memcpy(copy + at, part->iov_base, n);
		at += n;
	}
	return copy;
}

void
udp_run_drop(struct udp_run *run, size_t len)
{
	run->len -= len;
	do {
		struct iovec *part = &run->parts[run->first];

		if (part->iov_len > len) {
			part->iov_base = (uint8_t *)part->iov_base + len;
			part->iov_len -= len;
			return;
		}
		len -= part->iov_len;
		run->first++;
		run->n_parts--;
	} while (len > 0 && run->n_parts > 0);
}

size_t
udp_run_last_len(const struct udp_run *run)
{
	return run->len == 0 ? 0 : (run->len - 1) % run->piece_len + 1;
}
