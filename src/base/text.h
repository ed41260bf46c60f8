/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes text printable that a guest or a client chose, and compares words. */
#pragma once

#include <stddef.h>

/* Copies n bytes of src to dst as printable ASCII. Other bytes and the backslash become
 * \xNN. dst holds dst_size bytes (at least 1) and always ends in NUL. Text that does not
 * fit ends in "...". Returns the length written. */
size_t text_escape(char *dst, size_t dst_size, const char *src, size_t n);

/* The same for a line whose writer has escaped parts of it: backslashes stay. */
size_t text_escape_rest(char *dst, size_t dst_size, const char *src, size_t n);

/* Returns how many bytes have to be inserted, removed, replaced or exchanged with their
 * neighbour to turn one text into the other; TEXT_DISTANCE_MAX if either is longer than
 * that. */
#define TEXT_DISTANCE_MAX 32
size_t text_distance(const char *one, size_t one_len, const char *other,
    size_t other_len);
