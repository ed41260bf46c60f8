/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: the table of options, and the checks of how options fit together. */
#include "parent/cmdline/options.h"

#include <arpa/inet.h>
#include <assert.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "parent/cmdline/optvalue.h"
#include "parent/output/logfile.h"

/* The MTU of Ethernet, and the default of slirp4netns. */
#define MTU_DEFAULT_BYTES 1500

#define NETWORK_DEFAULT "10.0.2.0/24"

/* slirp4netns has this network only. */
#define NETWORK6_DEFAULT "fd00::/64"
#define PREFIX6_DEFAULT "fd00::"

/* An address is the network + its number, as in slirp4netns. Clients compute these
 * addresses. */
#define HOST_NUMBER 2
#define DNS_NUMBER 3
#define DHCP_START_NUMBER 15
#define DHCP_END_NUMBER 30
#define RECOMMENDED_NUMBER 100

/* The kernel's overflow uid and gid, and "nobody" on every Linux. The build cannot look
 * into the user database of the target machine. */
#define NOBODY 65534

/* The column of the descriptions in the help text: the longest option and two spaces. Within
 * 80 columns it leaves them 46 characters. */
#define HELP_COLUMN 34

/* Sections of the help text, as in slirpd(1). A deprecated option is in none. */
enum option_group {
	GROUP_NONE,
	GROUP_GUEST,
	GROUP_NETWORK,
	GROUP_POLICY,
	GROUP_FORWARDS,
	GROUP_LIFE,
	GROUP_CONFINEMENT,
	GROUP_LOG,
	GROUP_HELP,
	N_GROUPS,
};

static const char *const group_titles[N_GROUPS] = {
	[GROUP_GUEST] = "Guest",
	[GROUP_NETWORK] = "Network of the guest",
	[GROUP_POLICY] = "Destinations of the guest",
	[GROUP_FORWARDS] = "Forwards and requests",
	[GROUP_LIFE] = "Start and end",
	[GROUP_CONFINEMENT] = "Confinement",
	[GROUP_LOG] = "Log",
	[GROUP_HELP] = "Help",
};

struct option_spec {
	const char *name;
	const char *value_name;  /* NULL: takes no value */
	const char *description; /* NULL: not in the help text */
	const char *replaced_by; /* NULL unless deprecated */

	/* For an option with a value: checks and keeps it. Returns false if it is
	 * wrong. */
	bool (*take)(struct optvalue_parse *parse, const char *value);
	/* The field in struct options, of an option without a value or of a function for several
	 * options. */
	size_t offset;
	bool flag_value; /* the new value of that field, for an option without a value */

	enum option_group group;
	char letter; /* NUL: has a long form only */
	enum {
		USE_ALWAYS,
		/* --allow-out would make the short form --a of --api-socket ambiguous. */
		USE_OF_SLIRPD, /* not if called as slirp4netns */
		USE_OF_RUN, /* goes with `slirpd run` only, which slirp4netns does not have */
		USE_NOT_OF_RUN, /* names a guest, which is the command of `slirpd run` */
	} use;
};

#define FIELD(field) .offset = offsetof(struct options, field)
#define FLAG(field, value) FIELD(field), .flag_value = (value)

/* The first argument of `slirpd run`, and the interface's name there. */
#define WORD_RUN "run"
#define RUN_TAP_NAME "tap0"

/* Letters that end the parsing. */
#define LETTER_HELP 'h'
#define LETTER_VERSION 'v'

static const struct option_spec option_specs[] = {
	{ "configure", NULL, "bring the interface up, with its addresses", .letter = 'c',
	    FLAG(configure, true), .group = GROUP_NETWORK },
	{ "exit-fd", "FD", "end when the other side of FD is closed", .letter = 'e',
	    .take = optvalue_take_fd, FIELD(exit_fd), .group = GROUP_LIFE },
	{ "ready-fd", "FD", "write \"1\" to FD when the network works", .letter = 'r',
	    .take = optvalue_take_fd, FIELD(ready_fd), .group = GROUP_LIFE },
	{ "mtu", "MTU", "MTU of the interface (default=1500, max=65521)", .letter = 'm',
	    .take = optvalue_take_mtu, .group = GROUP_NETWORK },
	{ "enable-ipv6", NULL, "IPv6 beside IPv4, with router advertisements",
	    .letter = '6', FLAG(enable_ipv6, true), .group = GROUP_NETWORK },
	{ "api-socket", "PATH", "socket for requests while running", .letter = 'a',
	    .take = optvalue_take_api_socket, .group = GROUP_FORWARDS },
	{ "publish", "FORWARD", "[ADDR:]PORT[-PORT]:[GUEST:]PORT[/udp]",
	    .take = optvalue_take_publish, .group = GROUP_FORWARDS },
	{ "cidr", "CIDR", "network of the guest (default=" NETWORK_DEFAULT ")",
	    .take = optvalue_take_cidr, .group = GROUP_NETWORK },
	{ "cidr6", "CIDR6", "IPv6 network of the guest (default=" NETWORK6_DEFAULT ")",
	    .take = optvalue_take_cidr6, .group = GROUP_NETWORK },
	{ "disable-host-loopback", NULL, "no access to 127.0.0.1 and ::1 on the host",
	    FLAG(allow_host_loopback, false), .group = GROUP_NETWORK },
	{ "allow-host-loopback", NULL, "with run: access to them, closed otherwise",
	    FLAG(allow_host_loopback, true), .use = USE_OF_RUN, .group = GROUP_NETWORK },
	{ "no-host-loopback", .replaced_by = "disable-host-loopback",
	    FLAG(allow_host_loopback, false) },
	{ "netns-type", "TYPE", "type of argument 1: pid (default), path, tapfd",
	    .take = optvalue_take_netns_type, .use = USE_NOT_OF_RUN,
	    .group = GROUP_GUEST },
	{ "create-netns", NULL, "make the namespace and pin it on PATH",
	    FLAG(create_netns, true), .use = USE_NOT_OF_RUN, .group = GROUP_GUEST },
	{ "userns-path", "PATH", "user namespace to join",
	    .take = optvalue_take_userns_path, .use = USE_NOT_OF_RUN,
	    .group = GROUP_GUEST },
	{ "enable-sandbox", NULL, "fail if the sandbox cannot be made",
	    FLAG(require_sandbox, true), .group = GROUP_CONFINEMENT },
	{ "create-sandbox", .replaced_by = "enable-sandbox",
	    FLAG(require_sandbox, true) },
	{ "disable-sandbox", NULL, "do without the sandbox", FLAG(use_sandbox, false),
	    .group = GROUP_CONFINEMENT },
	{ "enable-seccomp", NULL, "fail if there can be no system call filter",
	    FLAG(require_seccomp, true), .group = GROUP_CONFINEMENT },
	{ "disable-seccomp", NULL, "do without the system call filter",
	    FLAG(use_seccomp, false), .group = GROUP_CONFINEMENT },
	{ "runas", "USER[:GROUP]", "as root: user of the worker (default=nobody)",
	    .take = optvalue_take_runas, .group = GROUP_CONFINEMENT },
	{ "print-confinement", NULL, "report all jails as JSON and exit",
	    FLAG(print_confinement, true), .use = USE_NOT_OF_RUN,
	    .group = GROUP_CONFINEMENT },
	{ "keep-id", NULL, "with run: keep uid and gid; else both are 0",
	    FLAG(keep_id, true), .use = USE_OF_RUN, .group = GROUP_GUEST },
	{ "policy", "PROFILE|PATH", "destinations: open, internet, closed, a file",
	    .take = optvalue_take_policy, .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "allow-out", "HOST:PORT[/udp]", "the guest may reach this, and no more",
	    .take = optvalue_take_allow_out, .use = USE_OF_SLIRPD,
	    .group = GROUP_POLICY },
	{ "deny-out", "HOST:PORT[/udp]", "the guest may not reach this",
	    .take = optvalue_take_deny_out, .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "policy-mode", "MODE", "audit: count what is denied, and let it pass",
	    .take = optvalue_take_policy_mode, .use = USE_OF_SLIRPD,
	    .group = GROUP_POLICY },
	{ "policy-lock", NULL, "requests may deny more, and open nothing",
	    FLAG(policy_lock, true), .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "check-policy", NULL, "check the policy and exit", FLAG(check_policy, true),
	    .use = USE_OF_SLIRPD, .group = GROUP_POLICY },
	{ "outbound-addr", "IPv4|IFNAME", "source address of IPv4 connections",
	    .take = optvalue_take_outbound_addr4, .group = GROUP_NETWORK },
	{ "outbound-addr6", "IPv6|IFNAME", "source address of IPv6 connections",
	    .take = optvalue_take_outbound_addr6, .group = GROUP_NETWORK },
	{ "disable-dns", NULL, "no built-in DNS server", FLAG(enable_dns, false),
	    .group = GROUP_NETWORK },
	{ "macaddress", "MAC", "address of the interface (only with -c)",
	    .take = optvalue_take_macaddress, .group = GROUP_NETWORK },
	{ "target-type", "TYPE", "type of the other end: netns (default) or bess",
	    .take = optvalue_take_target_type, .use = USE_NOT_OF_RUN,
	    .group = GROUP_GUEST },
	{ "pidfile", "PATH", "file to write the PID to", .take = optvalue_take_file_path,
	    FIELD(pidfile_path), .group = GROUP_LIFE },
	{ "restart", "yes|no", "start a process that died again (default=yes)",
	    .take = optvalue_take_restart, .group = GROUP_LIFE,
	    /* slirp4netns takes --re for --ready-fd. */
	    .use = USE_OF_SLIRPD },
	{ "log-file", "PATH", "file to log to, with PATH.1 of at most 2 MiB",
	    .take = optvalue_take_file_path, FIELD(log_file_path), .group = GROUP_LOG },
	{ "log-level", "LEVEL", "error, warning, info (the default) or debug",
	    .take = optvalue_take_log_level, .group = GROUP_LOG },
	{ "help", NULL, "show this text and exit", .letter = LETTER_HELP,
	    .group = GROUP_HELP },
	{ "version", NULL, "show the version and exit", .letter = LETTER_VERSION,
	    .group = GROUP_HELP },
};

static_assert(sizeof(option_specs) / sizeof(option_specs[0]) == OPTVALUE_N_OPTIONS,
    "one row each");

/* getopt returns the letter of an option, or this + the index in the table. It is above
 * all letters. */
#define ID_WITHOUT_LETTER 0x110000

static int
option_id(const struct option_spec *spec)
{
	return spec->letter ? spec->letter
			    : ID_WITHOUT_LETTER + (int)(spec - option_specs);
}

static const struct option_spec *
option_spec_of_id(int id)
{
	for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
		if (option_id(&option_specs[i]) == id)
			return &option_specs[i];
	}
	return NULL;
}

/* name has len bytes, and is in the table. */
static const struct option_spec *
option_spec_of_name(const char *name, size_t len)
{
	const struct option_spec *spec = option_specs;

	while (strncmp(spec->name, name, len) != 0 || spec->name[len] != '\0')
		spec++;
	return spec;
}

static bool
is_known(const char *program_name, const struct option_spec *spec)
{
	return (spec->use != USE_OF_RUN && spec->use != USE_OF_SLIRPD) ||
	    !options_is_slirp4netns(program_name);
}

/* An option whose name differs in more bytes is another one, not a slip. */
#define SLIP_MAX 2

/* Returns the option that is meant by `arg`, or NULL if none is near. */
static const char *
nearest_option(const char *arg)
{
	const char *nearest = NULL;
	size_t least = SLIP_MAX + 1;

	for (size_t i = 0; i < OPTVALUE_N_OPTIONS && strncmp(arg, "--", 2) == 0; i++) {
		size_t distance = text_distance(arg + 2, strcspn(arg + 2, "="),
		    option_specs[i].name, strlen(option_specs[i].name));

		if (option_specs[i].replaced_by == NULL && distance < least) {
			least = distance;
			nearest = option_specs[i].name;
		}
	}
	return nearest;
}

/* Letters that other programs have for the same. */
static const char *
option_of_letter(char letter)
{
	switch (letter) {
	case 'p':
		return "publish";
	case 'V':
		return "version";
	default:
		return NULL;
	}
}

/* suggestion is the name of an option, or NULL. slirp4netns gives no hints. */
static void
refuse_unknown(struct optvalue_parse *parse, const char *what, const char *arg,
    const char *suggestion)
{
	const char *shown = optvalue_show(parse, arg);

	if (options_is_slirp4netns(parse->options->program_name))
		optvalue_refuse(parse, "%s '%s'", what, shown);
	else if (suggestion != NULL)
		optvalue_refuse(parse, "%s '%s'; did you mean --%s? See slirpd --help",
		    what, shown, suggestion);
	else
		optvalue_refuse(parse, "%s '%s'; see slirpd --help", what, shown);
}

/* Refuses an argument for which getopt names no option: it is unknown, or it abbreviates
 * several. */
static void
refuse_long_option(struct optvalue_parse *parse, const char *arg)
{
	size_t name_len = strcspn(arg, "=");
	char candidates[OPTIONS_MESSAGE_SIZE] = "";
	size_t candidates_len = 0;

	for (size_t i = 0; i < OPTVALUE_N_OPTIONS && strncmp(arg, "--", 2) == 0; i++) {
		const char *name = option_specs[i].name;

		if (strncmp(name, arg + 2, name_len - 2) != 0 ||
		    !is_known(parse->options->program_name, &option_specs[i]))
			continue;
		candidates_len += (size_t)snprintf(candidates + candidates_len,
		    sizeof(candidates) - candidates_len, " '--%s'", name);
		if (candidates_len >= sizeof(candidates))
			break;
	}
	if (candidates_len == 0)
		refuse_unknown(parse, "unrecognized option", arg, nearest_option(arg));
	else
		optvalue_refuse(parse, "option '%s' is ambiguous; possibilities:%s",
		    optvalue_show(parse, arg), candidates);
}

/* Refuses an option for which getopt returned '?' or ':'. */
static void
refuse_syntax(struct optvalue_parse *parse, int returned, char **argv)
{
	const struct option_spec *spec = option_spec_of_id(optopt);
	const char letter[] = { (char)optopt, '\0' };

	if (returned == ':' && spec != NULL)
		optvalue_refuse(parse, "option '--%s' requires an argument", spec->name);
	else if (spec != NULL)
		optvalue_refuse(parse, "option '--%s' doesn't allow an argument",
		    spec->name);
	else if (optopt != 0)
		refuse_unknown(parse, "invalid option --", letter,
		    option_of_letter(letter[0]));
	else
		refuse_long_option(parse, argv[optind - 1]);
}

/* Fills in what getopt_long(3) needs; long_options holds OPTVALUE_N_OPTIONS + 1 and
 * short_options two bytes for each, the leading plus and colon and the NUL. The plus ends
 * the options at the first argument, which is a command there. The colon has getopt print
 * nothing, and tell a missing value from an unknown option. */
static void
describe_options(const struct options *options, struct option *long_options,
    char *short_options)
{
	if (options->is_run)
		*short_options++ = '+';
	*short_options++ = ':';
	for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!is_known(options->program_name, spec))
			continue;
		*long_options++ = (struct option){
			.name = spec->name,
			.has_arg = spec->value_name ? required_argument : no_argument,
			.val = option_id(spec),
		};
		if (spec->letter)
			*short_options++ = spec->letter;
		if (spec->letter && spec->value_name)
			*short_options++ = ':';
	}
	*long_options = (struct option){ 0 };
	*short_options = '\0';
}

/* Keeps the last value of each option, "" for an option without one. */
static void
note_value(struct optvalue_parse *parse, const struct option_spec *spec,
    const char *value)
{
	if (spec->replaced_by != NULL)
		note_value(parse,
		    option_spec_of_name(spec->replaced_by, strlen(spec->replaced_by)),
		    value);
	parse->values[spec - option_specs] = value != NULL ? value : "";
}

/* Returns OPTIONS_START if all options are valid; optind is then the index of the first
 * argument. */
static enum options_outcome
take_options(struct optvalue_parse *parse, int argc, char **argv)
{
	struct option long_options[OPTVALUE_N_OPTIONS + 1];
	char short_options[2 * OPTVALUE_N_OPTIONS + 3];
	int id;

	describe_options(parse->options, long_options, short_options);
	/* Not 1: glibc and musl start afresh at 0, also in the midst of a "-abc". */
	optind = 0;
	while ((id = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		const struct option_spec *spec = option_spec_of_id(id);

		if (spec == NULL) {
			refuse_syntax(parse, id, argv);
			return OPTIONS_ERROR;
		}
		if (id == LETTER_HELP)
			return OPTIONS_HELP;
		if (id == LETTER_VERSION)
			return OPTIONS_VERSION;
		parse->name = spec->name;
		parse->field = (char *)parse->options + spec->offset;
		if (spec->take == NULL)
			*(bool *)parse->field = spec->flag_value;
		else if (!spec->take(parse, optarg))
			return OPTIONS_ERROR;
		note_value(parse, spec, optarg);
	}
	return OPTIONS_START;
}

static void
warn_deprecated(struct optvalue_parse *parse)
{
	for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
		if (parse->values[i] != NULL && option_specs[i].replaced_by != NULL)
			optvalue_warn(parse, "--%s is deprecated, use --%s",
			    option_specs[i].name, option_specs[i].replaced_by);
	}
}

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

/* option: a name, or a name with "=" and a value. */
static bool
is_given(const struct optvalue_parse *parse, const char *option)
{
	size_t len = strcspn(option, "=");
	const char *value =
	    parse->values[option_spec_of_name(option, len) - option_specs];

	return value != NULL &&
	    (option[len] == '\0' || strcmp(value, option + len + 1) == 0);
}

static bool
check_conflicts(struct optvalue_parse *parse)
{
	const struct options *options = parse->options;

	if (!check_macaddress(parse))
		return false;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (is_given(parse, pairs[i].one) &&
		    is_given(parse, pairs[i].other) == (pairs[i].relation == CONFLICTS))
			return optvalue_refuse(parse, "--%s %s --%s", pairs[i].one,
			    pairs[i].relation == NEEDS ? "needs" : "conflicts with",
			    pairs[i].other);
	if (options->check_policy && options->is_run)
		return optvalue_refuse(parse, "run conflicts with --check-policy");
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

static bool
check_run(struct optvalue_parse *parse)
{
	for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
		const struct option_spec *spec = &option_specs[i];

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

/* args: what is left of argv, ending in NULL. */
static bool
take_no_argument(struct optvalue_parse *parse, char *const *args)
{
	if (args[0] == NULL)
		return true;
	if (parse->options->check_policy)
		return optvalue_refuse(parse,
		    "--check-policy starts nothing, and takes no \"%s\"",
		    optvalue_show(parse, args[0]));
	return optvalue_refuse(parse,
	    "--print-confinement makes its own guest, and takes no \"%s\"",
	    optvalue_show(parse, args[0]));
}

/* args: what is left of argv, ending in NULL. */
static bool
take_command(struct optvalue_parse *parse, char *const *args)
{
	if (args[0] == NULL)
		return optvalue_refuse_missing(parse, "COMMAND");
	parse->options->command = args;
	return true;
}

/* args: what is left of argv, ending in NULL. */
static bool
take_positionals(struct optvalue_parse *parse, char *const *args)
{
	struct options *options = parse->options;
	/* bess has no interface to name. The name of an inherited TAP may be given and is
	 * not needed, as in slirp4netns(1). */
	size_t n_taken = options->target == OPTIONS_TARGET_BESS ? 1 : 2;
	size_t n = 0;

	while (n <= n_taken && args[n] != NULL)
		n++;
	if (n == 0)
		return optvalue_refuse_missing(parse, "PID, PATH or FD");
	if (n > n_taken)
		optvalue_warn(parse,
		    "too many arguments: \"%s\" and all after it are ignored",
		    optvalue_show(parse, args[n_taken]));

	switch (options->target) {
	case OPTIONS_TARGET_PID:
		return optvalue_take_target_pid(parse, args[0], args[1]) &&
		    optvalue_take_tap_name(parse, args[1]);
	case OPTIONS_TARGET_PATH:
		return optvalue_take_target_path(parse, args[0]) &&
		    optvalue_take_tap_name(parse, args[1]);
	case OPTIONS_TARGET_TAPFD:
		return optvalue_take_tap_fd(parse, args[0]);
	case OPTIONS_TARGET_BESS:
		return optvalue_take_bess_path(parse, args[0]);
	}
	return false;
}

/* Refuses a path that two options name. Different paths may lead to the same file; then
 * making the second file fails. */
static bool
check_paths(struct optvalue_parse *parse)
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

/* Without --enable and --disable the build decides. A drop-in for slirp4netns must not
 * fail if slirp4netns works. */
static enum ipc_jail_mode
jail_mode(const struct options *options, bool use, bool require)
{
	if (!use)
		return IPC_JAIL_OFF;
	if (require)
		return IPC_JAIL_REQUIRED;
	if (options_is_slirp4netns(options->program_name))
		return IPC_JAIL_BEST_EFFORT;
	return SLIRPD_CONFINEMENT;
}

/* args: what is left of argv, ending in NULL. */
static bool
take_arguments(struct optvalue_parse *parse, char *const *args)
{
	if (parse->options->is_run)
		return take_command(parse, args);
	return parse->options->print_confinement || parse->options->check_policy
	    ? take_no_argument(parse, args)
	    : take_positionals(parse, args);
}

static enum options_outcome
parse_all(struct optvalue_parse *parse, int argc, char **argv)
{
	enum options_outcome outcome;

	/* execve(2) allows an empty argv, beyond which getopt may read. */
	if (argc < 1) {
		optvalue_refuse_missing(parse, "PID, PATH or FD");
		return OPTIONS_ERROR;
	}
	/* What getopt takes for the program's name. */
	if (parse->options->is_run) {
		argc--;
		argv++;
	}
	outcome = take_options(parse, argc, argv);
	warn_deprecated(parse);
	if (outcome != OPTIONS_START)
		return outcome;

	if (!check_run(parse) || !check_conflicts(parse))
		return OPTIONS_ERROR;
	if (is_given(parse, "target-type=bess"))
		parse->options->target = OPTIONS_TARGET_BESS;
	if (!take_arguments(parse, argv + optind))
		return OPTIONS_ERROR;
	if (!check_paths(parse))
		return OPTIONS_ERROR;
	if (parse->options->outbound_addr[1] != NULL && !parse->options->enable_ipv6)
		optvalue_warn(parse,
		    "--outbound-addr6 is without effect: there is no --enable-ipv6");
	options_addresses_derive(&parse->options->network, &parse->options->addresses);
	parse->options->sandbox_mode = jail_mode(parse->options,
	    parse->options->use_sandbox, parse->options->require_sandbox);
	parse->options->seccomp_mode = jail_mode(parse->options,
	    parse->options->use_seccomp, parse->options->require_seccomp);
	if (parse->options->check_policy)
		return OPTIONS_CHECK_POLICY;
	return parse->options->print_confinement ? OPTIONS_PRINT_CONFINEMENT
						 : OPTIONS_START;
}

static const char *
program_name_of(int argc, char **argv)
{
	const char *name = argc < 1 || argv[0] == NULL ? "" : argv[0];
	const char *slash = strrchr(name, '/');

	if (slash != NULL)
		name = slash + 1;
	return name[0] == '\0' ? OPTIONS_NAME_SLIRPD : name;
}

/* Whether the command line begins with "run". Not where the name is slirp4netns, which takes that
 * for a wrong PID. */
static bool
is_run(const char *program_name, int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], WORD_RUN) == 0 &&
	    !options_is_slirp4netns(program_name);
}

static void
options_reset(struct options *options, const char *program_name, bool with_command)
{
	*options = (struct options){
		.program_name = program_name,
		.is_run = with_command,
		.target = OPTIONS_TARGET_PID,
		.target_pid = -1,
		.tap_fd = -1,
		.mtu_bytes = MTU_DEFAULT_BYTES,
		.enable_dns = true,
		.allow_host_loopback = true,
		.use_sandbox = true,
		.use_seccomp = true,
		.runas_uid = NOBODY,
		.runas_gid = NOBODY,
		.exit_fd = -1,
		.ready_fd = -1,
		.log_level = LOG_LEVEL_INFO,
		.restart = true,
	};
	if (with_command) {
		options->tap_name = RUN_TAP_NAME;
		options->configure = true;
		/* A sandbox that is made in passing is to be closed. */
		options->allow_host_loopback = false;
		/* Standard error is the command's. */
		options->log_level = LOG_LEVEL_WARNING;
	}
	cidr_parse(NETWORK_DEFAULT, IPC_PREFIX_LEN_MIN, IPC_PREFIX_LEN_MAX,
	    &options->network);
	inet_pton(AF_INET6, PREFIX6_DEFAULT, &options->prefix6);
}

enum options_outcome
options_parse(struct options *options, struct options_messages *messages, int argc,
    char **argv)
{
	const char *program_name = program_name_of(argc, argv);
	bool with_command = is_run(program_name, argc, argv);
	struct optvalue_parse parse = { .options = options, .messages = messages };
	enum options_outcome outcome;

	options_reset(options, program_name, with_command);
	memset(messages, 0, sizeof(*messages));
	outcome = parse_all(&parse, argc, argv);
	if (outcome != OPTIONS_START && outcome != OPTIONS_PRINT_CONFINEMENT &&
	    outcome != OPTIONS_CHECK_POLICY)
		options_reset(options, program_name, with_command);
	return outcome;
}

void
options_addresses_derive(const struct cidr *network, struct options_addresses *addresses)
{
	*addresses = (struct options_addresses){
		.netmask_be = cidr_netmask_be(network->prefix_len),
		.host_be = cidr_host_be(network, HOST_NUMBER),
		.dns_be = cidr_host_be(network, DNS_NUMBER),
		.dhcp_start_be = cidr_host_be(network, DHCP_START_NUMBER),
		.dhcp_end_be = cidr_host_be(network, DHCP_END_NUMBER),
		.recommended_be = cidr_host_be(network, RECOMMENDED_NUMBER),
	};
}

/* A row of the help text. Long options stand below each other. */
static void
write_option(FILE *out, const struct option_spec *spec)
{
	int len;

	if (spec->letter)
		len = fprintf(out, "-%c, --%s", spec->letter, spec->name);
	else
		len = fprintf(out, "    --%s", spec->name);
	if (spec->value_name != NULL)
		len += fprintf(out, "=%s", spec->value_name);
	fprintf(out, "%*s%s\n", HELP_COLUMN - len, "", spec->description);
}

void
options_help_write(FILE *out, const char *program_name)
{
	fprintf(out, "Usage: %s " OPTVALUE_USAGE "\n", program_name);
	if (!options_is_slirp4netns(program_name))
		fprintf(out, "       %s " OPTVALUE_USAGE_RUN "\n", program_name);
	fputs("User-mode networking for unprivileged network namespaces.\n", out);
	for (int group = GROUP_NONE + 1; group < N_GROUPS; group++) {
		if (group == GROUP_POLICY && options_is_slirp4netns(program_name))
			continue;
		fprintf(out, "\n%s:\n", group_titles[group]);
		for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
			const struct option_spec *spec = &option_specs[i];

			if ((int)spec->group == group && is_known(program_name, spec))
				write_option(out, spec);
		}
	}
	fprintf(out,
	    "\nExample: %s --configure --disable-host-loopback PID tap0\n"
	    "See slirpd(1).\n",
	    program_name);
}
