/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds where a request ends. A client may send no newline and no end of file after it. The
 * scanner looks at each byte once and finds the end of the value only. jansson checks
 * the value. Pure: no system call, no memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request needs three levels (subscribe: object, arguments, list of events). An id may
 * be a structure too. jansson recurses at each level, so it gets no more than this. */
#define API_DEPTH_MAX 16

struct api_scan {
	size_t at;      /* bytes looked at */
	uint32_t depth; /* open braces and brackets */
	bool in_string;
	bool after_backslash;
};

enum api_scan_outcome {
	API_SCAN_MORE,     /* the value has not begun or not ended */
	API_SCAN_COMPLETE, /* text[0] to text[at - 1] is a value after optional space */
	API_SCAN_BAD,      /* the text cannot become a value */
};

/* Continues where it stopped. text is the input so far, len bytes, and begins with the
 * same bytes as before. A value that is neither object nor array is not a request, so it
 * is complete as far as it has come. On BAD *why is a static text. */
enum api_scan_outcome api_scan_next(struct api_scan *scan, const char *text, size_t len,
    const char **why);

/* JSON's white space (RFC 8259, section 2). */
bool api_scan_is_space(char byte);
