/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JSON into a growing buffer, with a limit for all buffers together. */
#include "api/request/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block. Most replies fit in it. */
#define FIRST_SIZE 256

/* Bytes of all buffers. Static, because the limit is one of the process. */
static size_t total_size;

void
api_out_free(struct api_out *out)
{
	total_size -= out->size;
	free(out->bytes);
	*out = (struct api_out){ 0 };
}

static bool
reserve(struct api_out *out, size_t n)
{
	size_t size = out->size ? out->size : FIRST_SIZE;
	char *bytes;

	if (out->failed)
		return false;
	if (n <= out->size - out->len)
		return true;
	while (size - out->len < n)
		size *= 2;
	if (size > API_OUT_SURE_BYTES &&
	    total_size - out->size + size > API_OUT_TOTAL_MAX_BYTES)
		bytes = NULL;
	else
		bytes = realloc(out->bytes, size);
	if (!bytes) {
		out->failed = true;
		return false;
	}
	total_size += size - out->size;
	out->bytes = bytes;
	out->size = size;
	return true;
}

void
api_out_raw(struct api_out *out, const char *bytes, size_t n)
{
	if (n == 0 || !reserve(out, n))
		return;
	memcpy(out->bytes + out->len, bytes, n);
	out->len += n;
}

static void
put(struct api_out *out, const char *text)
{
	api_out_raw(out, text, strlen(text));
}

static bool
is_plain(unsigned char byte)
{
	return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

/* Writes any bytes as ASCII. Bytes above ASCII are taken for Latin-1, so that any
 * interface name leaves valid JSON. */
static void
put_quoted(struct api_out *out, const char *text)
{
	api_out_raw(out, "\"", 1);
	for (;;) {
		char escape[sizeof("\\u00ff")];
		size_t n_plain = 0;

		while (is_plain((unsigned char)text[n_plain]))
			n_plain++;
		api_out_raw(out, text, n_plain);
		text += n_plain;
		if (*text == '\0')
			break;
		if (*text == '"' || *text == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *text);
		else
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
		put(out, escape);
		text++;
	}
	api_out_raw(out, "\"", 1);
}

static void
begin_value(struct api_out *out, const char *key)
{
	if (out->len > 0 && !strchr("{[:", out->bytes[out->len - 1]))
		put(out, ",");
	if (key) {
		put_quoted(out, key);
		put(out, ":");
	}
}

void
api_out_again(struct api_out *out, size_t at, size_t len)
{
	begin_value(out, NULL);
	if (!reserve(out, len))
		return;
	memcpy(out->bytes + out->len, out->bytes + at, len);
	out->len += len;
}

void
api_out_open(struct api_out *out, const char *key, char bracket)
{
	begin_value(out, key);
	api_out_raw(out, &bracket, 1);
}

void
api_out_close(struct api_out *out, char bracket)
{
	api_out_raw(out, &bracket, 1);
}

void
api_out_string(struct api_out *out, const char *key, const char *text)
{
	begin_value(out, key);
	put_quoted(out, text);
}

void
api_out_number(struct api_out *out, const char *key, uint64_t number)
{
	char digits[sizeof("18446744073709551615")];
	size_t at = sizeof(digits);

	begin_value(out, key);
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	api_out_raw(out, digits + at, sizeof(digits) - at);
}

void
api_out_bool(struct api_out *out, const char *key, bool value)
{
	begin_value(out, key);
	put(out, value ? "true" : "false");
}

void
api_out_json(struct api_out *out, const char *key, const char *text, size_t len)
{
	begin_value(out, key);
	api_out_raw(out, text, len);
}
