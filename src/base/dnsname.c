/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks names of hosts. */
#include "base/dnsname.h"

#include <string.h>

void
dnsname_fold(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
	}
}

/* strchr(3) finds the NUL in every text. */
static size_t
count_bytes_of(const char *text, size_t len, const char *set)
{
	size_t n = 0;

	while (n < len && text[n] != '\0' && strchr(set, text[n]) != NULL)
		n++;
	return n;
}

enum dnsname_outcome
dnsname_check(const char *text, size_t len)
{
	size_t label_len;

	if (len > DNSNAME_LEN_MAX)
		return DNSNAME_TOO_LONG;
	for (;; text += label_len + 1, len -= label_len + 1) {
		const char *dot = memchr(text, '.', len);

		label_len = dot != NULL ? (size_t)(dot - text) : len;
		if (label_len == 0)
			return DNSNAME_EMPTY_LABEL;
		if (label_len > DNSNAME_LABEL_MAX)
			return DNSNAME_LONG_LABEL;
		if (count_bytes_of(text, label_len, DNSNAME_BYTES) != label_len)
			return DNSNAME_BAD_BYTE;
		if (dot == NULL)
			break;
	}
	/* RFC 1123 2.1: a top-level domain is not a number. */
	return count_bytes_of(text, label_len, "0123456789") == label_len
	    ? DNSNAME_IS_NUMBER
	    : DNSNAME_OK;
}
