/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the values of --allow-out and --deny-out. */
#include "model/policy/out.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The words around HOST, PORT and protocol. */
#define LINE_SIZE (POLICY_LINE_MAX + 1)

static bool
refuse(struct policy_parser *parser, const struct policy_text *text, const char *why)
{
	char shown[IPC_POLICY_INLINE_SIZE / 2];

	text_escape(shown, sizeof(shown), text->text, text->len);
	snprintf(parser->error, sizeof(parser->error), "%s=%s: %s", text->name, shown,
	    why);
	return false;
}

/* Copies the reason of an error without its place, which is in a line that nobody wrote. */
static bool
refuse_line(struct policy_parser *parser, const struct policy_text *text)
{
	char why[POLICY_ERROR_SIZE];
	const char *at = parser->error;

	/* "NAME:LINE:COLUMN: " */
	for (int i = 0; i < 3 && strchr(at, ':') != NULL; i++)
		at = strchr(at, ':') + 1;
	snprintf(why, sizeof(why), "%s", at + strspn(at, " "));
	return refuse(parser, text, why);
}

bool
policy_parse_out(struct policy_parser *parser, struct policy *policy,
    const struct policy_text *text, uint16_t source, uint32_t line)
{
	char value[IPC_POLICY_INLINE_SIZE], rule[LINE_SIZE];
	struct policy_text source_text = { .name = text->name, .text = rule };
	const char *proto = "tcp", *action;
	char *port, *slash;
	int len;

	if (text->len >= sizeof(value) || memchr(text->text, '\n', text->len) != NULL ||
	    strcspn(text->text, " \t\r,#=@\\") < text->len)
		return refuse(parser, text, "not HOST:PORT[-PORT][/udp]");
	memcpy(value, text->text, text->len);
	value[text->len] = '\0';
	port = strrchr(value, ':');
	if (port == NULL || port == value || port[1] == '\0' || strchr(port, ']') != NULL)
		return refuse(parser, text,
		    "no port: HOST:PORT[-PORT][/udp], with IPv6 in brackets");
	*port++ = '\0';
	slash = strchr(port, '/');
	if (slash != NULL) {
		*slash++ = '\0';
		proto = slash;
	}
	if (strcmp(proto, "tcp") != 0 && strcmp(proto, "udp") != 0)
		return refuse(parser, text, "the protocol is neither tcp nor udp");
	/* 2001:db8::1:443 could be an address alone. */
	if (strchr(value, ':') != NULL && value[0] != '[')
		return refuse(parser, text, "an IPv6 address is in brackets here");
	action = source == IPC_POLICY_FROM_DENY_OUT ? "deny" : "allow";
	len = snprintf(rule, sizeof(rule), "%s %s %s to %s", action, proto, port, value);
	source_text.len = (size_t)len;
	return policy_parse_lines(parser, policy, &source_text, source, line) ||
	    refuse_line(parser, text);
}
