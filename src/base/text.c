/* SPDX-License-Identifier: BSD-2-Clause */
/* Escapes text for terminals and logs, and compares words. */
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* "\xNN", the longest form of one byte. */
#define TEXT_ESCAPED_LEN 4

static const char text_ellipsis[] = "...";
#define TEXT_ELLIPSIS_LEN (sizeof(text_ellipsis) - 1)

static bool
is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

/* The backslash is not printable here: an escape must differ from text that imitates it. */
static bool
is_plain(char c)
{
	return is_printable(c) && c != '\\';
}

static size_t
escape(char *dst, size_t dst_size, const char *src, size_t n, bool (*stays)(char c))
{
	static const char hex[] = "0123456789abcdef";
	size_t room = dst_size - 1, whole_len = 0, dots, len = 0;

	for (size_t i = 0; i < n; i++)
		whole_len += stays(src[i]) ? 1 : TEXT_ESCAPED_LEN;
	dots = whole_len <= room       ? 0
	    : room < TEXT_ELLIPSIS_LEN ? room
				       : TEXT_ELLIPSIS_LEN;
	for (size_t i = 0; i < n; i++) {
		size_t need = stays(src[i]) ? 1 : TEXT_ESCAPED_LEN;

		if (len + need > room - dots)
			break;
		if (stays(src[i])) {
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

size_t
text_escape(char *dst, size_t dst_size, const char *src, size_t n)
{
	return escape(dst, dst_size, src, n, is_plain);
}

size_t
text_escape_rest(char *dst, size_t dst_size, const char *src, size_t n)
{
	return escape(dst, dst_size, src, n, is_printable);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance: rows[i][j] is that of the first i bytes of one
 * text and the first j of the other. */
size_t
text_distance(const char *one, size_t one_len, const char *other, size_t other_len)
{
	uint8_t rows[TEXT_DISTANCE_MAX + 1][TEXT_DISTANCE_MAX + 1];

	if (one_len > TEXT_DISTANCE_MAX || other_len > TEXT_DISTANCE_MAX)
		return TEXT_DISTANCE_MAX;
	for (size_t i = 0; i <= one_len; i++) {
		for (size_t j = 0; j <= other_len; j++) {
			size_t best = i + j;

			if (i > 0 && j > 0) {
				best = least(rows[i - 1][j], rows[i][j - 1]) + 1UL;
				best = least(best,
				    rows[i - 1][j - 1] +
					(size_t)(one[i - 1] != other[j - 1]));
			}
			if (i > 1 && j > 1 && one[i - 1] == other[j - 2] &&
			    one[i - 2] == other[j - 1])
				best = least(best, rows[i - 2][j - 2] + 1UL);
			rows[i][j] = (uint8_t)best;
		}
	}
	return rows[one_len][other_len];
}
