/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the end of a JSON value without decoding it. */
#include "api/request/scan.h"

bool
api_scan_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static enum api_scan_outcome
scan_string_byte(struct api_scan *scan, char byte, const char **why)
{
	if (scan->after_backslash) {
		scan->after_backslash = false;
	} else if (byte == '\\') {
		scan->after_backslash = true;
	} else if (byte == '"') {
		scan->in_string = false;
	}
	/* JSON forbids it. Report it at once: an unclosed string would take in all lines
	 * of a session that follow. */
	if ((unsigned char)byte < ' ') {
		*why = "a control character in a string";
		return API_SCAN_BAD;
	}
	return API_SCAN_MORE;
}

static enum api_scan_outcome
scan_byte(struct api_scan *scan, char byte, const char **why)
{
	if (scan->in_string)
		return scan_string_byte(scan, byte, why);
	switch (byte) {
	case '"':
		scan->in_string = true;
		return API_SCAN_MORE;
	case '{':
	case '[':
		if (scan->depth == API_DEPTH_MAX) {
			*why = "nested too deeply";
			return API_SCAN_BAD;
		}
		scan->depth++;
		return API_SCAN_MORE;
	case '}':
	case ']':
		scan->depth--;
		return scan->depth == 0 ? API_SCAN_COMPLETE : API_SCAN_MORE;
	case '\0':
		*why = "a NUL byte";
		return API_SCAN_BAD;
	default:
		return API_SCAN_MORE;
	}
}

enum api_scan_outcome
api_scan_next(struct api_scan *scan, const char *text, size_t len, const char **why)
{
	while (scan->at < len) {
		char byte = text[scan->at];
		enum api_scan_outcome outcome;

		if (scan->depth == 0 && byte != '{' && byte != '[') {
			if (api_scan_is_space(byte)) {
				scan->at++;
				continue;
			}
			scan->at = len;
			return API_SCAN_COMPLETE;
		}
		scan->at++;
		outcome = scan_byte(scan, byte, why);
		if (outcome != API_SCAN_MORE)
			return outcome;
	}
	return API_SCAN_MORE;
}
