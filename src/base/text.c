/* SPDX-License-Identifier: BSD-2-Clause */
/* Escapes text for terminals and logs. */
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

/* "\xNN", the longest form of one byte. */
#define TEXT_ESCAPED_LEN 4

static const char text_ellipsis[] = "...";
#define TEXT_ELLIPSIS_LEN (sizeof(text_ellipsis) - 1)

static bool
is_plain(char c)
{
	/* The backslash is not printable here: an escape must differ from text that
	 * imitates it. */
	return c >= ' ' && c < 0x7f && c != '\\';
}

static size_t
escaped_len(const char *src, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += is_plain(src[i]) ? 1 : TEXT_ESCAPED_LEN;
	return len;
}

size_t
text_escape(char *dst, size_t dst_size, const char *src, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	bool fits = escaped_len(src, n) < dst_size;
	size_t room = dst_size - 1;
	size_t dots = fits ? 0 : room < TEXT_ELLIPSIS_LEN ? room : TEXT_ELLIPSIS_LEN;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t need = is_plain(src[i]) ? 1 : TEXT_ESCAPED_LEN;

		if (len + need > room - dots)
			break;
		if (is_plain(src[i])) {
			dst[len++] = src[i];
			continue;
		}
		dst[len++] = '\\';
		dst[len++] = 'x';
		dst[len++] = hex[(unsigned char)src[i] >> 4];
		dst[len++] = hex[(unsigned char)src[i] & 0xf];
	}
	memcpy(dst + len, text_ellipsis, dots);
	len += dots;
	dst[len] = '\0';
	return len;
}
