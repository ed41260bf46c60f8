/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes text printable that a guest or a client chose. */
#pragma once

#include <stddef.h>

/* Copies n bytes of src to dst as printable ASCII. Other bytes and the backslash become
 * \xNN. dst holds dst_size bytes (at least 1) and always ends in NUL. Text that does not
 * fit ends in "...". Returns the length written. */
size_t text_escape(char *dst, size_t dst_size, const char *src, size_t n);
