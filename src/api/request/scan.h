/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a request ends. A client need not say so: no newline, no end of file. The scanner
 * looks at every byte once, however the bytes come, and judges nothing but where the
 * value ends; jansson judges the value. Pure: no system call, no memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request needs three levels (subscribe: object, arguments, list of events); an id may
 * be a structure too. jansson recurses once a level, so it gets no more than this. */
#define API_DEPTH_MAX 16

struct api_scan {
	size_t at;      /* bytes looked at */
	uint32_t depth; /* open braces and brackets */
	bool in_string;
	bool after_backslash;
};

enum api_scan_outcome {
	API_SCAN_MORE,     /* the value has not ended yet, or not begun */
	API_SCAN_COMPLETE, /* text[0] to text[at - 1] is a value, with space before it */
	API_SCAN_BAD,      /* whatever follows, it can't become one */
};

/*
 * Goes on where it stopped: text is what came so far, len bytes of it, the same bytes as
 * before at its beginning. A value that is neither object nor array can be no request, so
 * it is called complete as far as it has come. On BAD *why is a static text.
 */
enum api_scan_outcome api_scan_next(struct api_scan *scan, const char *text, size_t len,
    const char **why);

/* JSON's white space (RFC 8259, section 2). */
bool api_scan_is_space(char byte);
