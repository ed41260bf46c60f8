/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the command line. */
#include "parent/cmdline/options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "parent/cmdline/optcheck.h"
#include "parent/cmdline/opttable.h"
#include "parent/cmdline/optvalue.h"

/* The MTU of Ethernet, and the default of slirp4netns. */
#define MTU_DEFAULT_BYTES 1500

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

/* The first argument of `slirpd run`, and the interface's name there. */
#define WORD_RUN "run"
#define RUN_TAP_NAME "tap0"

/* getopt returns the letter of an option, or this + the index in the table. It is above
 * all letters. */
#define ID_WITHOUT_LETTER 0x110000

static int
option_id(const struct option_spec *spec)
{
	return spec->letter ? spec->letter : ID_WITHOUT_LETTER + (int)(spec - opttable);
}

static const struct option_spec *
option_spec_of_id(int id)
{
	for (size_t i = 0; i < OPTVALUE_N_OPTIONS; i++) {
		if (option_id(&opttable[i]) == id)
			return &opttable[i];
	}
	return NULL;
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
		    opttable[i].name, strlen(opttable[i].name));

		if (opttable[i].replaced_by == NULL && distance < least) {
			least = distance;
			nearest = opttable[i].name;
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
		const char *name = opttable[i].name;

		if (strncmp(name, arg + 2, name_len - 2) != 0 ||
		    !opttable_is_known(parse->options->program_name, &opttable[i]))
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
		const struct option_spec *spec = &opttable[i];

		if (!opttable_is_known(options->program_name, spec))
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
		    opttable_find(spec->replaced_by, strlen(spec->replaced_by)), value);
	parse->values[spec - opttable] = value != NULL ? value : "";
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
		if (id == OPTTABLE_LETTER_HELP)
			return OPTIONS_HELP;
		if (id == OPTTABLE_LETTER_VERSION)
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
		if (parse->values[i] != NULL && opttable[i].replaced_by != NULL)
			optvalue_warn(parse, "--%s is deprecated, use --%s",
			    opttable[i].name, opttable[i].replaced_by);
	}
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

	if (!optcheck_run(parse) || !optcheck_conflicts(parse))
		return OPTIONS_ERROR;
	if (optcheck_is_given(parse, "target-type=bess"))
		parse->options->target = OPTIONS_TARGET_BESS;
	if (!take_arguments(parse, argv + optind))
		return OPTIONS_ERROR;
	if (!optcheck_paths(parse))
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
	cidr_parse(OPTTABLE_NETWORK, IPC_PREFIX_LEN_MIN, IPC_PREFIX_LEN_MAX,
	    &options->network);
	inet_pton(AF_INET6, OPTTABLE_PREFIX6, &options->prefix6);
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
