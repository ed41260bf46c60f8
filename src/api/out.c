#include "api/out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block: most replies fit. */
#define FIRST_SIZE 256

/* Of all that there are, in bytes. A limit of the process, so it is the file's. */
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

/* ASCII out of any bytes. What is no ASCII is taken for Latin-1, so that an interface name
 * of any bytes leaves valid JSON. */
static void
put_quoted(struct api_out *out, const char *text)
{
	put(out, "\"");
	for (const char *c = text; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		char escape[sizeof("\\u00ff")];

		if (byte == '"' || byte == '\\')
			snprintf(escape, sizeof(escape), "\\%c", byte);
		else if (byte < ' ' || byte > '~')
			snprintf(escape, sizeof(escape), "\\u%04x", byte);
		else
			snprintf(escape, sizeof(escape), "%c", byte);
		put(out, escape);
	}
	put(out, "\"");
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

	begin_value(out, key);
	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	put(out, digits);
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
