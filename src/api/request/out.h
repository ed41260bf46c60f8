/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON output: a growing buffer, and functions that write values into it. The buffers of
 * all clients have one limit. Slow readers and long lists cannot exceed it together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of 65,535 forwards is 16 MB, since version 1 has each twice. Two lists must fit
 * at a time, each in a block of up to twice its size. */
#define API_OUT_TOTAL_MAX_BYTES ((size_t)64 << 20)
/* Each client may have so much, whatever the others hold. An error always fits. */
#define API_OUT_SURE_BYTES 4096U

struct api_out {
	char *bytes; /* owned; not NUL-terminated; NULL while size is 0 */
	size_t len;
	size_t size;
	bool failed; /* there was no memory: the value is incomplete */
};

/* Frees the memory. The result is empty and can be used again. */
void api_out_free(struct api_out *out);

/* Writes n bytes unchanged. */
void api_out_raw(struct api_out *out, const char *bytes, size_t n);

/* Copies a value that is in out already: len bytes from `at` on. */
void api_out_again(struct api_out *out, size_t at, size_t len);

/* Write values, each with the comma before it. key is NULL in an array and at the top.
 * bracket is one of {}[]. */
void api_out_open(struct api_out *out, const char *key, char bracket);
void api_out_close(struct api_out *out, char bracket);
void api_out_string(struct api_out *out, const char *key, const char *text);
void api_out_number(struct api_out *out, const char *key, uint64_t number);
void api_out_bool(struct api_out *out, const char *key, bool value);
/* Writes text, which is JSON already. */
void api_out_json(struct api_out *out, const char *key, const char *text, size_t len);
