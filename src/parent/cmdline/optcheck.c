/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks how the options of a command line fit together. */
#include "parent/cmdline/optcheck.h"

#include <string.h>

#include "parent/cmdline/opttable.h"
#include "parent/output/logfile.h"

static bool
check_macaddress(struct optvalue_parse *parse)
{
	const struct options *options = parse->options;

	if ((options->has_mac || parse->bad_mac_text != NULL) && !options->configure) {
		if (options_is_slirp4netns(options->program_name))
			return optvalue_refuse(parse,
			    "--macaddr cannot be specified when --configure or -c "
			    "is not specified");
		return optvalue_refuse(parse, "--macaddress needs --configure");
	}
	return parse->bad_mac_text == NULL || optvalue_refuse_macaddress(parse);
}

/* Two options that do not go together, or of which the first needs the second. After "=" is
 * the value that counts. */
static const struct {
	const char *one;
	enum { CONFLICTS, NEEDS } relation;
	const char *other;
} pairs[] = {
	/* There is no namespace to configure or to join. */
	{ "configure", CONFLICTS, "target-type=bess" },
	{ "configure", CONFLICTS, "netns-type=tapfd" },
	{ "netns-type", CONFLICTS, "target-type=bess" },
	{ "userns-path", CONFLICTS, "target-type=bess" },
	{ "userns-path", CONFLICTS, "netns-type=tapfd" },
	{ "create-netns", CONFLICTS, "target-type=bess" },
	{ "create-netns", CONFLICTS, "netns-type=tapfd" },
	{ "create-netns", NEEDS, "netns-type=path" },
	/* The new namespace belongs to the user namespace of the parent. */
	{ "create-netns", CONFLICTS, "userns-path" },
	{ "cidr6", NEEDS, "enable-ipv6" },
	{ "enable-sandbox", CONFLICTS, "disable-sandbox" },
	{ "enable-seccomp", CONFLICTS, "disable-seccomp" },
	/* The report has a guest of its own, and nothing gets ready. */
	{ "print-confinement", CONFLICTS, "ready-fd" },
	{ "print-confinement", CONFLICTS, "netns-type" },
	{ "print-confinement", CONFLICTS, "create-netns" },
	{ "print-confinement", CONFLICTS, "userns-path" },
	{ "print-confinement", CONFLICTS, "target-type" },
	{ "print-confinement", CONFLICTS, "pidfile" },
	{ "check-policy", CONFLICTS, "print-confinement" },
};

bool
optcheck_is_given(const struct optvalue_parse *parse, const char *option)
{
	size_t len = strcspn(option, "=");
	const char *value = parse->values[opttable_find(option, len) - opttable];

	return value != NULL &&
	    (option[len] == '\0' || strcmp(value, option + len + 1) == 0);
}

bool
optcheck_conflicts(struct optvalue_parse *parse)
{
	const struct options *options = parse->options;

	if (!check_macaddress(parse))
		return false;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (optcheck_is_given(parse, pairs[i].one) &&
		    optcheck_is_given(parse, pairs[i].other) ==
			(pairs[i].relation == CONFLICTS))
			return optvalue_refuse(parse, "--%s %s --%s", pairs[i].one,
			    pairs[i].relation == NEEDS ? "needs" : "conflicts with",
			    pairs[i].other);
	if (options->check_policy && options->is_run)
		return optvalue_refuse(parse,
		    "run conflicts with --check-policy, which starts nothing");
	if ((options->policy_audit || options->policy_lock || options->check_policy) &&
	    !options_has_policy(options))
		return optvalue_refuse(parse,
		    "--%s needs --policy, --allow-out or --deny-out",
		    options->check_policy      ? "check-policy"
			: options->policy_lock ? "policy-lock"
					       : "policy-mode");
	if (options->ready_fd >= 0 && options->ready_fd == options->exit_fd)
		return optvalue_refuse(parse, "--ready-fd and --exit-fd are both %d",
		    options->ready_fd);
	return true;
}

bool
optcheck_run(struct optvalue_parse *parse)
{
	for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
		const struct option_spec *spec = &opttable[i];

		if (parse->values[i] == NULL)
			continue;
		if (parse->options->is_run && spec->use == USE_NOT_OF_RUN)
			return optvalue_refuse(parse, "run conflicts with --%s",
			    spec->name);
		if (!parse->options->is_run && spec->use == USE_OF_RUN)
			return optvalue_refuse(parse, "--%s needs `slirpd run`",
			    spec->name);
	}
	return true;
}

bool
optcheck_paths(struct optvalue_parse *parse)
{
	const struct options *options = parse->options;
	const struct {
		const char *what;
		const char *path; /* NULL for none */
	} made[] = {
		{ "--api-socket", options->api_socket_path },
		{ "--pidfile", options->pidfile_path },
		{ "--log-file", options->log_file_path },
		{ "the PATH of --target-type=bess", options->bess_path },
		{ "the PATH of --create-netns",
		    options->create_netns ? options->netns_path : NULL },
	};
	const char *log = options->log_file_path;
	size_t log_len = log ? strlen(log) : 0;

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		const char *path = made[i].path;

		if (path == NULL)
			continue;
		for (size_t j = 0; j < i; j++)
			if (made[j].path != NULL && strcmp(path, made[j].path) == 0)
				return optvalue_refuse(parse, "%s and %s are both \"%s\"",
				    made[j].what, made[i].what,
				    optvalue_show(parse, path));
		if (log != NULL && strncmp(path, log, log_len) == 0 &&
		    strcmp(path + log_len, LOGFILE_OLDER_SUFFIX) == 0)
			return optvalue_refuse(parse,
			    "%s and the older file of --log-file are both \"%s\"",
			    made[i].what, optvalue_show(parse, path));
	}
	return true;
}
