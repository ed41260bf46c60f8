/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the command line of slirpctl with getopt_long(3). */
#include "slirpctl/cmdline.h"

#include <bsd/stdlib.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <sys/un.h>

/* A daemon answers in milliseconds, and restarts a dead api within a second. */
#define TIMEOUT_DEFAULT_S 10

/* An hour. A longer timeout or interval is taken for a mistake. */
#define SECONDS_MAX 3600

/* The longest path of a socket, with its NUL. */
#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* The column of the descriptions in the help text: the longest option and two spaces. */
#define HELP_COLUMN 27

enum {
	LETTER_SOCKET = 'a',
	LETTER_JSON = 'j',
	LETTER_ALL = 'A',
	LETTER_WATCH = 'w',
	LETTER_TIMEOUT = 't',
	LETTER_DRY_RUN = 'n',
	LETTER_POLICY = 'p',
	LETTER_VERBOSE = 'V',
	LETTER_HELP = 'h',
	LETTER_VERSION = 'v',
};

static const struct option long_options[] = {
	{ "api-socket", required_argument, NULL, LETTER_SOCKET },
	{ "json", no_argument, NULL, LETTER_JSON },
	{ "all", no_argument, NULL, LETTER_ALL },
	{ "watch", required_argument, NULL, LETTER_WATCH },
	{ "timeout", required_argument, NULL, LETTER_TIMEOUT },
	{ "dry-run", no_argument, NULL, LETTER_DRY_RUN },
	{ "policy", required_argument, NULL, LETTER_POLICY },
	{ "verbose", no_argument, NULL, LETTER_VERBOSE },
	{ "help", no_argument, NULL, LETTER_HELP },
	{ "version", no_argument, NULL, LETTER_VERSION },
	{ 0 },
};

/* The colon makes getopt(3) print nothing, and return ':' for a missing value. */
static const char short_options[] = ":a:jAw:t:np:Vhv";

static enum cmdline_outcome LOG_PRINTF(2, 3)
    refuse(struct cmdline *cmdline, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cmdline->error, sizeof(cmdline->error), format, args);
	va_end(args);
	return CMDLINE_ERROR;
}

/* Reports what getopt(3) returned as '?' or ':'. */
static enum cmdline_outcome
refuse_option(struct cmdline *cmdline, int returned, const char *arg)
{
	if (returned == ':')
		return refuse(cmdline, "option '%s' needs a value", arg);
	if (optopt != 0 && strchr(short_options, optopt) != NULL)
		return refuse(cmdline, "option '%s' takes no value", arg);
	if (optopt != 0)
		return refuse(cmdline, "unknown option '-%c'", optopt);
	return refuse(cmdline, "option '%s' is unknown, or short for more than one", arg);
}

static enum cmdline_outcome
take_seconds(struct cmdline *cmdline, const char *option, const char *value,
    uint32_t *result)
{
	const char *problem = NULL;
	long long seconds = 0;

	/* strtonum(3) also accepts white space and signs. Refuse them. */
	if (value[strspn(value, "0123456789")] == '\0')
		seconds = strtonum(value, 1, SECONDS_MAX, &problem);
	if (seconds == 0)
		return refuse(cmdline, "%s: '%s' is not a number of seconds, 1 to %d",
		    option, value, SECONDS_MAX);
	*result = (uint32_t)seconds;
	return CMDLINE_RUN;
}

static enum cmdline_outcome
take_socket(struct cmdline *cmdline, const char *path)
{
	if (path[0] == '\0')
		return refuse(cmdline, "--api-socket: the path is empty");
	cmdline->socket_path = path;
	return CMDLINE_RUN;
}

static enum cmdline_outcome
take_policy(struct cmdline *cmdline, const char *value)
{
	if (cmdline->n_policies == CMDLINE_POLICIES_MAX)
		return refuse(cmdline, "more than %d times --policy",
		    CMDLINE_POLICIES_MAX);
	cmdline->policies[cmdline->n_policies++] = value;
	return CMDLINE_RUN;
}

static enum cmdline_outcome
take_options(struct cmdline *cmdline, int argc, char **argv)
{
	int letter;

	/* Not 1: glibc and musl restart at 0 only, also in the middle of a "-abc". */
	optind = 0;
	while (
	    (letter = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		switch (letter) {
		case LETTER_SOCKET:
			if (take_socket(cmdline, optarg) != CMDLINE_RUN)
				return CMDLINE_ERROR;
			break;
		case LETTER_JSON:
			cmdline->as_json = true;
			break;
		case LETTER_TIMEOUT:
			if (take_seconds(cmdline, "--timeout", optarg,
				&cmdline->timeout_s) != CMDLINE_RUN)
				return CMDLINE_ERROR;
			break;
		case LETTER_ALL:
			cmdline->shows_all = true;
			break;
		case LETTER_WATCH:
			if (take_seconds(cmdline, "--watch", optarg, &cmdline->watch_s) !=
			    CMDLINE_RUN)
				return CMDLINE_ERROR;
			break;
		case LETTER_DRY_RUN:
			cmdline->is_dry_run = true;
			break;
		case LETTER_POLICY:
			if (take_policy(cmdline, optarg) != CMDLINE_RUN)
				return CMDLINE_ERROR;
			break;
		case LETTER_VERBOSE:
			cmdline->is_verbose = true;
			break;
		case LETTER_HELP:
			return CMDLINE_HELP;
		case LETTER_VERSION:
			return CMDLINE_VERSION;
		default:
			return refuse_option(cmdline, letter, argv[optind - 1]);
		}
	}
	return CMDLINE_RUN;
}

const struct command *
cmdline_command_find(const struct command *commands, const char *name)
{
	for (; commands->name != NULL; commands++) {
		if (strcmp(commands->name, name) == 0 ||
		    (commands->alias != NULL && strcmp(commands->alias, name) == 0))
			return commands;
	}
	return NULL;
}

const char *
cmdline_option_find(const struct cmdline *cmdline, unsigned int allowed)
{
	const struct {
		const char *name;
		bool is_given;
		unsigned int bit;
	} checked[] = {
		{ "--json", cmdline->as_json, CMDLINE_JSON },
		{ "--all", cmdline->shows_all, CMDLINE_ALL },
		{ "--watch", cmdline->watch_s > 0, CMDLINE_WATCH },
		{ "--dry-run", cmdline->is_dry_run, CMDLINE_DRY_RUN },
		{ "--policy", cmdline->n_policies > 0, CMDLINE_POLICY },
	};

	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
		if (checked[i].is_given && (allowed & checked[i].bit) == 0)
			return checked[i].name;
	}
	return NULL;
}

static enum cmdline_outcome
check_options(struct cmdline *cmdline)
{
	const struct command *command = cmdline->command;
	const char *option = cmdline_option_find(cmdline, command->options);

	if (option != NULL)
		return refuse(cmdline, "%s does not take %s", command->name, option);
	return CMDLINE_RUN;
}

static enum cmdline_outcome
take_command(struct cmdline *cmdline, const struct command *commands, char *const *args)
{
	const struct command *command;

	if (args[0] == NULL)
		return refuse(cmdline, "no command; slirpctl help lists them");
	command = cmdline_command_find(commands, args[0]);
	if (command == NULL)
		return refuse(cmdline,
		    "there is no command '%s'; slirpctl help lists them", args[0]);
	cmdline->command = command;
	cmdline->args = (const char *const *)args + 1;
	while (cmdline->args[cmdline->n_args] != NULL)
		cmdline->n_args++;
	if (cmdline->n_args < command->n_args_min ||
	    cmdline->n_args > command->n_args_max)
		return refuse(cmdline,
		    "%s: wrong number of arguments; usage: slirpctl %s%s%s",
		    command->name, command->name, command->usage[0] == '\0' ? "" : " ",
		    command->usage);
	return check_options(cmdline);
}

enum cmdline_outcome
cmdline_parse(struct cmdline *cmdline, const struct command *commands,
    const char *default_socket, int argc, char **argv)
{
	enum cmdline_outcome outcome;

	*cmdline = (struct cmdline){
		.socket_path = default_socket != NULL && default_socket[0] != '\0'
		    ? default_socket
		    : NULL,
		.timeout_s = TIMEOUT_DEFAULT_S,
	};
	/* execve(2) allows an empty argv, and getopt(3) may read beyond it. */
	if (argc < 1)
		return refuse(cmdline, "no command; slirpctl help lists them");
	outcome = take_options(cmdline, argc, argv);
	if (outcome != CMDLINE_RUN)
		return outcome;
	if (take_command(cmdline, commands, argv + optind) != CMDLINE_RUN)
		return CMDLINE_ERROR;
	if (cmdline->socket_path != NULL &&
	    strlen(cmdline->socket_path) >= SOCKET_PATH_SIZE)
		return refuse(cmdline,
		    "the path of the socket is longer than %zu bytes: %s",
		    SOCKET_PATH_SIZE - 1, cmdline->socket_path);
	return CMDLINE_RUN;
}

/* Columns of a row of the help text. */
static void
help_row_write(FILE *out, int len, const char *description)
{
	fprintf(out, "%*s%s\n", len < HELP_COLUMN ? HELP_COLUMN - len : 1, "",
	    description);
}

void
cmdline_help_write(FILE *out, const struct command *commands)
{
	static const struct {
		const char *option;
		const char *description;
	} options[] = {
		{ "-a, --api-socket=PATH", "the daemon's socket (see below)" },
		{ "-j, --json", "print JSON, one object per line" },
		{ "-A, --all", "show zeros and internal values too" },
		{ "-w, --watch=SECONDS", "show again at this interval" },
		{ "-t, --timeout=SECONDS", "wait this long for a reply (default=10)" },
		{ "-n, --dry-run", "check a policy, and change nothing" },
		{ "-p, --policy=POLICY", "judge by this profile or file" },
		{ "-V, --verbose", "show errors with the daemon's own prefixes" },
		{ "-h, --help", "show this text and exit" },
		{ "-v, --version", "show the version and exit" },
	};

	_Static_assert(TIMEOUT_DEFAULT_S == 10, "the help text says so");
	fputs("Usage: slirpctl [OPTION]... COMMAND [ARGUMENT]...\n", out);
	fputs("Sends requests to the control socket of slirpd, or of slirp4netns.\n\n",
	    out);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		help_row_write(out, fprintf(out, "%s", options[i].option),
		    options[i].description);
	fputs("\nCommands:\n", out);
	for (; commands->name != NULL; commands++) {
		int len = fprintf(out, "%s %s", commands->name, commands->usage);

		help_row_write(out, len, commands->description);
	}
	fputs(
	    "\nls is list, and rm is remove.\n\n"
	    "HOST and GUEST are [ADDRESS:]PORT, HOST also [ADDRESS:]FIRST-LAST, with IPv6\n"
	    "addresses in brackets. Without --api-socket, the socket is that of the\n"
	    "environment variable " CMDLINE_SOCKET_VARIABLE ", or of the only slirpd in\n"
	    "`slirpctl ps`. Exit status: 0 done, 1 refused by the daemon, 2 wrong\n"
	    "arguments, 3 no reply.\n",
	    out);
}

void
cmdline_command_help_write(FILE *out, const struct command *command)
{
	fprintf(out, "Usage: slirpctl [OPTION]... %s%s%s\n", command->name,
	    command->usage[0] == '\0' ? "" : " ", command->usage);
	fprintf(out, "%s: %s\n", command->name, command->description);
	if (command->alias != NULL)
		fprintf(out, "The same: slirpctl %s\n", command->alias);
}
