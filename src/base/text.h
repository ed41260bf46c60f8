/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that a guest or a client chose, made safe to print. */
#pragma once

#include <stddef.h>

/*
 * Copies n bytes of src to dst as printable ASCII: what is not printable, and the
 * backslash, becomes \xNN. dst holds dst_size bytes (at least 1) and always ends in
 * NUL; text that doesn't fit ends in "...". Returns the length written.
 */
size_t text_escape(char *dst, size_t dst_size, const char *src, size_t n);
