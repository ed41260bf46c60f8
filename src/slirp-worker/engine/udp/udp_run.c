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

unsigned int
udp_run_parts(const struct udp_run *run, size_t len, struct iovec *parts)
{
	unsigned int n = 0;

	do {
		parts[n] = run->parts[run->first + n];
		if (parts[n].iov_len > len)
			parts[n].iov_len = len;
		len -= parts[n].iov_len;
		n++;
	} while (len > 0 && n < run->n_parts);
	return n;
}

const uint8_t *
udp_run_front(const struct udp_run *run, size_t len, uint8_t *copy)
{
	struct iovec parts[UDP_RUN_PARTS_MAX];
	unsigned int n = udp_run_parts(run, len, parts);
	size_t at = 0;

	if (n == 1)
		return parts[0].iov_base;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(copy + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	return copy;
}

size_t
udp_run_pieces_max(const struct udp_run *run)
{
	if (run->piece_len > UDP_RUN_CALL_MAX || run->piece_len == 0)
		return 1;
	return run->piece_len * UDP_RUN_CUTS_MAX <= UDP_RUN_CALL_MAX
	    ? UDP_RUN_CUTS_MAX
	    : UDP_RUN_CALL_MAX / run->piece_len;
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
