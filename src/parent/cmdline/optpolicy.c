/* SPDX-License-Identifier: BSD-2-Clause */
/* The options that limit the guest's destinations. */
#include <limits.h>
#include <string.h>

#include "parent/cmdline/optvalue.h"

bool
options_has_policy(const struct options *options)
{
	return options->n_policy > 0 || options->n_out > 0;
}

bool
optvalue_take_policy(struct optvalue_parse *parse, const char *value)
{
	struct options *options = parse->options;

	if (value[0] == '\0' || strlen(value) >= PATH_MAX)
		return optvalue_refuse(parse, "--policy=%s: neither a profile nor a path",
		    optvalue_show(parse, value));
	if (options->n_policy == IPC_POLICY_FILES_MAX)
		return optvalue_refuse(parse, "--policy: more than %d of them",
		    IPC_POLICY_FILES_MAX);
	options->policy[options->n_policy++] = value;
	return true;
}

bool
optvalue_take_policy_mode(struct optvalue_parse *parse, const char *value)
{
	if (strcmp(value, "audit") != 0)
		return optvalue_refuse(parse,
		    "--policy-mode=%s: it is audit, or left out to enforce",
		    optvalue_show(parse, value));
	parse->options->policy_audit = true;
	return true;
}

static bool
take_out(struct optvalue_parse *parse, const char *value, bool is_deny)
{
	struct options *options = parse->options;

	if (strlen(value) >= IPC_POLICY_INLINE_SIZE)
		return optvalue_refuse(parse, "--%s=%s: too long", parse->name,
		    optvalue_show(parse, value));
	if (options->n_out == OPTIONS_OUT_MAX)
		return optvalue_refuse(parse,
		    "--allow-out and --deny-out: more than %d; --policy takes a file",
		    OPTIONS_OUT_MAX);
	options->out[options->n_out++] = (struct options_out){ value, is_deny };
	return true;
}

bool
optvalue_take_allow_out(struct optvalue_parse *parse, const char *value)
{
	return take_out(parse, value, false);
}

bool
optvalue_take_deny_out(struct optvalue_parse *parse, const char *value)
{
	return take_out(parse, value, true);
}
