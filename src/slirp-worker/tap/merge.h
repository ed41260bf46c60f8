/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins consecutive segments of one TCP connection into one long segment. The stack sends
 * several in a row if it has the data and the window for them. Pure functions over bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/wire/segment.h"

/* A limit twice as high would save little more. The guest's reader would have to wait
 * until the last byte has arrived, and a lost frame would be a whole window. */
#define MERGE_DATA_MAX 32768

struct merge {
	struct segment segment; /* the joined segment; no data: none is held */
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

/* Joins a segment that continues the held one; false if it does not. */
bool merge_add(struct merge *merge, const uint8_t *frame, const struct segment *segment);

/* Holds a segment that others may continue, if none is held. False for a segment that
 * must stay alone, such as one without data. */
bool merge_begin(struct merge *merge, const uint8_t *frame,
    const struct segment *segment);

/* Completes the headers of the joined segment, except TCP's checksum. It stays valid
 * until the caller sets segment.data_len to 0. */
void merge_finish(struct merge *merge);
