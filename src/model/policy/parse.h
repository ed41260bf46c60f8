/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the text of a policy into rows. */
#pragma once

#include "model/policy/dest.h"

/* Each is a test of the policy, checked at the load. */
#define POLICY_EXPECTS_MAX 256

/* "expect allow tcp 443 to NAME": checked when all texts are read. */
struct policy_expect {
	const char *source; /* borrowed: the name of the text */
	uint32_t line;
	uint32_t column;
	uint8_t action; /* enum ipc_policy_action: allow or deny */
	uint8_t proto;  /* enum ipc_policy_proto: not any */
	uint16_t port;  /* 0 for icmp */
	bool is_name;
	struct inaddr addr;
	char name[IPC_POLICY_NAME_SIZE];
};

/* The state of the parser: large, zeroed by its owner before the first text. */
struct policy_parser {
	struct policy *policy;
	struct policy_scan scan;
	struct policy_sets sets; /* of the present text */
	uint16_t source;         /* of the present text */
	/* Where each setting was given, "NAME:LINE", over all texts; "": not. */
	char settings_at[8][POLICY_WHERE_SIZE];
	uint32_t n_expects;
	struct policy_expect expects[POLICY_EXPECTS_MAX];
	char error[POLICY_ERROR_SIZE]; /* of the first fault */
};

/* Adds the settings, rules and expects of a text. source is the number of its rules, which come
 * behind those that are there; the policy gets the text's name. text->name must outlive the
 * parser. Returns false with parser->error set; the policy is then of no use. */
bool policy_parse(struct policy_parser *parser, struct policy *policy,
    const struct policy_text *text, uint16_t source);

/* The same for one rule or setting without a header, in a line of its own. first_line is the
 * number of the line. Sets are not known in it. */
bool policy_parse_lines(struct policy_parser *parser, struct policy *policy,
    const struct policy_text *text, uint16_t source, uint32_t first_line);

/* Where the texts give a setting, "NAME:LINE", or "". */
const char *policy_setting_place(const struct policy_parser *parser, const char *word);
