/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts the text of a policy into words, and makes the errors with their place. */
#pragma once

#include "model/policy/policy.h"

/* Longer than any text written by hand. A generated list of 16,384 prefixes takes half of it. */
#define POLICY_TEXT_MAX 1048576
/* An editor shows longer lines badly. A backslash joins lines. */
#define POLICY_LINE_MAX 1023

/* A text and its name for errors, "NAME:LINE:COLUMN: reason". Borrowed. */
struct policy_text {
	const char *name;
	const char *text;
	size_t len;
};

enum policy_token_type {
	POLICY_TOKEN_WORD,
	POLICY_TOKEN_COMMA,
	POLICY_TOKEN_EQUALS,
	POLICY_TOKEN_LINE_END,
	POLICY_TOKEN_TEXT_END,
};

struct policy_token {
	enum policy_token_type type;
	const char *text; /* of len bytes, in the policy's text */
	size_t len;
	uint32_t line; /* from 1 */
	uint32_t column;
};

struct policy_scan {
	const struct policy_text *source;
	size_t at;
	uint32_t line;
	size_t line_begin;
	struct policy_token token; /* the present one */
	char *error;               /* of POLICY_ERROR_SIZE bytes; borrowed */
};

/* Checks length, lines and bytes of the text, and goes to its first token. Returns false with
 * the error set. */
bool policy_scan_begin(struct policy_scan *scan, const struct policy_text *source,
    char *error);

/* Goes to the next token. */
void policy_scan_next(struct policy_scan *scan);

/* Goes to the first token of the next line. */
void policy_scan_skip_line(struct policy_scan *scan);

/* Whether the present token is this word. */
bool policy_scan_is(const struct policy_scan *scan, const char *word);

/* The same, and goes to the next token if it is. */
bool policy_scan_take(struct policy_scan *scan, const char *word);

/* Writes the error at this token. Returns false, for the caller to return. */
bool policy_scan_refuse(struct policy_scan *scan, const struct policy_token *token,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A token printable and in quotes, cut if long. */
struct policy_shown {
	char text[100];
};
struct policy_shown policy_token_show(const struct policy_token *token);
