/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments of one TCP connection that follow each other become one long segment. What the
 * stack sends in a row, because it has the data and a window for it, goes to the guest in
 * one piece. Pure functions over bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/wire/segment.h"

/* Twice as long ones would save little more, and the guest's reader would have nothing to do
 * until the last byte of one is there; a frame that is lost would be a whole window. */
#define MERGE_DATA_MAX 32768

struct merge {
	struct segment segment; /* the whole so far; no data: nothing waits */
	size_t piece_len;       /* the first segment's data */
	uint32_t next_seq;
	uint8_t headers[SEGMENT_HEAD_MAX]; /* segment.data_offset bytes */
	uint8_t data[MERGE_DATA_MAX];
};

static inline bool
merge_is_empty(const struct merge *merge)
{
	return merge->segment.data_len == 0;
}

/* Takes a segment that continues what waits; false for one that does not. */
bool merge_add(struct merge *merge, const uint8_t *frame, const struct segment *segment);

/* Takes a segment that others may follow, when nothing waits; false for one that stands
 * for itself, such as one without data. */
bool merge_begin(struct merge *merge, const uint8_t *frame,
    const struct segment *segment);

/* Makes the headers those of the whole, all but TCP's checksum. The whole is there until
 * the caller sets segment.data_len to 0. */
void merge_finish(struct merge *merge);
