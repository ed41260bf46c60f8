/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON on its way out: a growing text, and the writer of values into it. All such memory
 * of the process is counted, so that clients that read slowly or ask for long lists
 * together get no more than the limit below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of 65,535 rules, each twice as version 1 has it, is 16 MB; two of them at a time
 * must fit, each in a block of up to twice its size. */
#define API_OUT_TOTAL_MAX_BYTES ((size_t)64 << 20)
/* What every client may always have, whatever the others hold: an error always fits. */
#define API_OUT_SURE_BYTES 4096U

struct api_out {
	char *bytes; /* owned; not NUL-terminated; NULL while size is 0 */
	size_t len;
	size_t size;
	bool failed; /* there was no memory: what is written is not whole */
};

/* Gives the memory back. The result is empty and can be used again. */
void api_out_free(struct api_out *out);

/* n bytes as they are. */
void api_out_raw(struct api_out *out, const char *bytes, size_t n);

/* A value that is there already, len bytes from `at` on, once more. */
void api_out_again(struct api_out *out, size_t at, size_t len);

/*
 * Values, each with the comma that it needs before it. key is NULL in an array and at the
 * top. bracket is one of {}[].
 */
void api_out_open(struct api_out *out, const char *key, char bracket);
void api_out_close(struct api_out *out, char bracket);
void api_out_string(struct api_out *out, const char *key, const char *text);
void api_out_number(struct api_out *out, const char *key, uint64_t number);
void api_out_bool(struct api_out *out, const char *key, bool value);
/* text is JSON already. */
void api_out_json(struct api_out *out, const char *key, const char *text, size_t len);
