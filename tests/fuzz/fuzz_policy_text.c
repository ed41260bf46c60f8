/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a policy: whoever starts slirpd writes it, or lets a program write it, and a client
 * of the control socket sends it. Rows of an accepted text pass the checks of messages, and the
 * canonical text of these rows gives the same rows again.
 */

#include <stdlib.h>
#include <string.h>

#include "ipc/validate_policy.h"
#include "model/policy/expect.h"
#include "model/policy/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A canonical text is longer than its source, which a set makes short. */
#define TEXT_MAX 4000000

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static struct policy policy, again;
static struct policy_parser parser;
static struct policy_matcher matcher;

struct output {
	char *text;
	size_t len;
};

static void
put(void *ctx, const char *text, size_t len)
{
	struct output *output = ctx;

	promise(output->len + len <= TEXT_MAX);
	memcpy(output->text + output->len, text, len);
	output->len += len;
}

static void
check_warning(void *ctx, uint32_t rule, const char *text)
{
	(void)ctx;
	promise(rule < policy.n_rules && text[0] != '\0');
}

static void
check_rows(void)
{
	const char *why;

	promise(ipc_check_policy_settings(&policy.settings, &why) == 0);
	for (uint32_t i = 0; i < policy.n_rules; i++)
		promise(ipc_check_policy_rule(&policy.rules[i], &why) == 0);
	for (uint32_t i = 0; i < policy.n_prefixes; i++)
		promise(ipc_check_policy_prefix(&policy.prefixes[i], &why) == 0);
	for (uint32_t i = 0; i < policy.n_names; i++)
		promise(ipc_check_policy_name(&policy.names[i], &why) == 0);
	promise(policy_is_whole(&policy, &why));
}

/* Rules differ in their lines only. */
static void
check_again(struct output *first)
{
	struct policy_text source = { "fuzz", first->text, first->len };
	struct output second = { malloc(TEXT_MAX), 0 };

	promise(second.text != NULL);
	memset(&parser, 0, sizeof(parser));
	policy_init(&again);
	/* A larger text than one may be: prefixes that a set repeats. */
	if (first->len <= POLICY_TEXT_MAX) {
		promise(policy_parse(&parser, &again, &source, IPC_POLICY_FROM_FILE));
		policy_print(&again, put, &second);
		promise(second.len == first->len &&
		    memcmp(second.text, first->text, first->len) == 0);
		for (uint32_t i = 0; i < policy.n_rules; i++)
			promise(again.rules[i].key == policy.rules[i].key);
	}
	free(second.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_text source = { "fuzz", (const char *)data, size };
	struct output first = { malloc(TEXT_MAX), 0 };

	promise(first.text != NULL);
	memset(&parser, 0, sizeof(parser));
	memset(parser.error, 'x', sizeof(parser.error));
	policy_init(&policy);
	if (policy_parse(&parser, &policy, &source, IPC_POLICY_FROM_FILE)) {
		check_rows();
		policy_matcher_make(&matcher, &policy);
		policy_expects_check(&parser, &matcher);
		policy_lint(&policy, check_warning, NULL);
		policy_print(&policy, put, &first);
		check_again(&first);
	} else {
		size_t len = strnlen(parser.error, sizeof(parser.error));

		promise(
		    len < sizeof(parser.error) && strncmp(parser.error, "fuzz:", 5) == 0);
		for (size_t i = 0; i < len; i++)
			promise(parser.error[i] >= ' ' && parser.error[i] < 0x7f);
	}
	free(first.text);
	return 0;
}
