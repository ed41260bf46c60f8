/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts the text of a policy into words. */
#include "model/policy/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool
policy_scan_refuse(struct policy_scan *scan, const struct policy_token *token,
    const char *format, ...)
{
	va_list args;
	int len = snprintf(scan->error, POLICY_ERROR_SIZE,
	    "%s:%u:%u: ", scan->source->name, token->line, token->column);

	if (len < 0 || len >= POLICY_ERROR_SIZE)
		return false;
	va_start(args, format);
	vsnprintf(scan->error + len, POLICY_ERROR_SIZE - (size_t)len, format, args);
	va_end(args);
	return false;
}

struct policy_shown
policy_token_show(const struct policy_token *token)
{
	struct policy_shown shown;
	size_t len;

	if (token->type != POLICY_TOKEN_WORD && token->len == 0) {
		snprintf(shown.text, sizeof(shown.text), "the end of the %s",
		    token->type == POLICY_TOKEN_TEXT_END ? "text" : "line");
		return shown;
	}
	shown.text[0] = '"';
	len = 1 +
	    text_escape(shown.text + 1, sizeof(shown.text) - 2, token->text, token->len);
	shown.text[len] = '"';
	shown.text[len + 1] = '\0';
	return shown;
}

/* Whether the byte is not part of a text: a control byte other than tab and line end. */
static bool
is_bad_byte(char byte)
{
	unsigned char code = (unsigned char)byte;

	return (code < ' ' && code != '\t' && code != '\n' && code != '\r') ||
	    code == 0x7f;
}

static bool
check_lines(struct policy_scan *scan)
{
	const struct policy_text *source = scan->source;
	struct policy_token at = { .line = 1 };
	size_t column = 0;

	for (size_t i = 0; i < source->len; i++) {
		column = i > 0 && source->text[i - 1] == '\n' ? 1 : column + 1;
		at.line += i > 0 && source->text[i - 1] == '\n';
		at.column = (uint32_t)column;
		if (source->text[i] == '\n')
			continue;
		if (column > POLICY_LINE_MAX)
			return policy_scan_refuse(scan, &at,
			    "the line has more than %d bytes; \\ at its end joins it "
			    "with the next",
			    POLICY_LINE_MAX);
		if (is_bad_byte(source->text[i]))
			return policy_scan_refuse(scan, &at, "byte 0x%02x is not text",
			    (unsigned char)source->text[i]);
	}
	return true;
}

bool
policy_scan_begin(struct policy_scan *scan, const struct policy_text *source, char *error)
{
	*scan = (struct policy_scan){ .source = source, .line = 1, .error = error };
	if (source->len > POLICY_TEXT_MAX) {
		snprintf(error, POLICY_ERROR_SIZE, "%s: more than %d bytes", source->name,
		    POLICY_TEXT_MAX);
		return false;
	}
	if (!check_lines(scan))
		return false;
	policy_scan_next(scan);
	return true;
}

/* The byte `ahead` of the present one; a newline beyond the end. */
static char
peek(const struct policy_scan *scan, size_t ahead)
{
	size_t at = scan->at + ahead;

	return at < scan->source->len ? scan->source->text[at] : '\n';
}

/* Returns the length of the line end here, "\n" or "\r\n", or 0. */
static size_t
line_end_len(const struct policy_scan *scan, size_t ahead)
{
	if (peek(scan, ahead) == '\n')
		return 1;
	return peek(scan, ahead) == '\r' && peek(scan, ahead + 1) == '\n' ? 2 : 0;
}

static void
begin_line(struct policy_scan *scan, size_t n_bytes)
{
	scan->at += n_bytes;
	scan->line++;
	scan->line_begin = scan->at;
}

static void
skip_blanks(struct policy_scan *scan)
{
	while (scan->at < scan->source->len) {
		if (peek(scan, 0) == ' ' || peek(scan, 0) == '\t')
			scan->at++;
		else if (peek(scan, 0) == '\\' && line_end_len(scan, 1) > 0)
			begin_line(scan, 1 + line_end_len(scan, 1));
		else
			break;
	}
	if (scan->at < scan->source->len && peek(scan, 0) == '#') {
		while (line_end_len(scan, 0) == 0)
			scan->at++;
	}
}

static bool
is_in_word(const struct policy_scan *scan)
{
	switch (peek(scan, 0)) {
	case ' ':
	case '\t':
	case ',':
	case '=':
	case '#':
		return false;
	case '\\':
		return line_end_len(scan, 1) == 0;
	default:
		return line_end_len(scan, 0) == 0;
	}
}

/* The bytes of the token are taken; for the end of a line they are not part of it. */
static void
take_token(struct policy_scan *scan)
{
	struct policy_token *token = &scan->token;

	if (scan->at >= scan->source->len) {
		token->type = POLICY_TOKEN_TEXT_END;
		scan->at = scan->source->len;
	} else if (line_end_len(scan, 0) > 0) {
		token->type = POLICY_TOKEN_LINE_END;
		begin_line(scan, line_end_len(scan, 0));
	} else if (peek(scan, 0) == ',' || peek(scan, 0) == '=') {
		token->type =
		    peek(scan, 0) == ',' ? POLICY_TOKEN_COMMA : POLICY_TOKEN_EQUALS;
		token->len = 1;
		scan->at++;
	} else {
		token->type = POLICY_TOKEN_WORD;
		while (is_in_word(scan)) {
			scan->at++;
			token->len++;
		}
	}
}

void
policy_scan_next(struct policy_scan *scan)
{
	skip_blanks(scan);
	scan->token = (struct policy_token){
		.text = scan->source->text + scan->at,
		.line = scan->line,
		.column = (uint32_t)(scan->at - scan->line_begin + 1),
	};
	take_token(scan);
}

void
policy_scan_skip_line(struct policy_scan *scan)
{
	while (scan->token.type < POLICY_TOKEN_LINE_END)
		policy_scan_next(scan);
	if (scan->token.type == POLICY_TOKEN_LINE_END)
		policy_scan_next(scan);
}

bool
policy_scan_is(const struct policy_scan *scan, const char *word)
{
	const struct policy_token *token = &scan->token;

	return token->type == POLICY_TOKEN_WORD && token->len == strlen(word) &&
	    memcmp(token->text, word, token->len) == 0;
}

bool
policy_scan_take(struct policy_scan *scan, const char *word)
{
	if (!policy_scan_is(scan, word))
		return false;
	policy_scan_next(scan);
	return true;
}
