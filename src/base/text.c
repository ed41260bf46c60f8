#include "base/text.h"

#include <string.h>

/* "\xNN", the longest that one byte becomes. */
#define TEXT_ESCAPED_LEN 4

static const char text_ellipsis[] = "...";

size_t
text_escape(char *dst, size_t dst_size, const char *src, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)src[i];
		size_t room = i + 1 < n ? sizeof(text_ellipsis) : 1;
		int plain = byte >= ' ' && byte < 0x7f && byte != '\\';
		size_t need = plain ? 1 : TEXT_ESCAPED_LEN;

		if (len + need + room > dst_size) {
			size_t left = dst_size - len - 1;
			size_t dots = sizeof(text_ellipsis) - 1;

			memcpy(dst + len, text_ellipsis, left < dots ? left : dots);
			len += left < dots ? left : dots;
			break;
		}
		if (plain) {
			dst[len++] = (char)byte;
		} else {
			dst[len++] = '\\';
			dst[len++] = 'x';
			dst[len++] = hex[byte >> 4];
			dst[len++] = hex[byte & 0xf];
		}
	}
	dst[len] = '\0';
	return len;
}
