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

/* An hour. A longer timeout is taken for a mistake. */
#define TIMEOUT_MAX_S 3600

/* The longest path of a socket, with its NUL. */
#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* The column of the descriptions in the help text: the longest option and two spaces. */
#define HELP_COLUMN 27

enum {
	LETTER_SOCKET = 'a',
	LETTER_JSON = 'j',
	LETTER_TIMEOUT = 't',
	LETTER_HELP = 'h',
	LETTER_VERSION = 'v',
};

static const struct option long_options[] = {
	{ "api-socket", required_argument, NULL, LETTER_SOCKET },
	{ "json", no_argument, NULL, LETTER_JSON },
	{ "timeout", required_argument, NULL, LETTER_TIMEOUT },
	{ "help", no_argument, NULL, LETTER_HELP },
	{ "version", no_argument, NULL, LETTER_VERSION },
	{ 0 },
};

/* The colon makes getopt(3) print nothing, and return ':' for a missing value. */
static const char short_options[] = ":a:jt:hv";

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
take_timeout(struct cmdline *cmdline, const char *value)
{
	const char *problem = NULL;
	long long seconds = 0;

	/* strtonum(3) also accepts white space and signs. Refuse them. */
	if (value[strspn(value, "0123456789")] == '\0')
		seconds = strtonum(value, 1, TIMEOUT_MAX_S, &problem);
	if (seconds == 0)
		return refuse(cmdline,
		    "--timeout: '%s' is not a number of seconds, 1 to %d", value,
		    TIMEOUT_MAX_S);
	cmdline->timeout_s = (uint32_t)seconds;
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
			cmdline->socket_path = optarg;
			break;
		case LETTER_JSON:
			cmdline->as_json = true;
			break;
		case LETTER_TIMEOUT:
			if (take_timeout(cmdline, optarg) != CMDLINE_RUN)
				return CMDLINE_ERROR;
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

static enum cmdline_outcome
take_command(struct cmdline *cmdline, const struct command *commands, char *const *args)
{
	const struct command *command = commands;

	if (args[0] == NULL)
		return refuse(cmdline, "no command; slirpctl --help lists them");
	while (command->name != NULL && strcmp(command->name, args[0]) != 0)
		command++;
	if (command->name == NULL)
		return refuse(cmdline,
		    "there is no command '%s'; slirpctl --help lists them", args[0]);
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
	return CMDLINE_RUN;
}

enum cmdline_outcome
cmdline_parse(struct cmdline *cmdline, const struct command *commands,
    const char *default_socket, int argc, char **argv)
{
	enum cmdline_outcome outcome;

	*cmdline = (struct cmdline){
		.socket_path = default_socket,
		.timeout_s = TIMEOUT_DEFAULT_S,
	};
	/* execve(2) allows an empty argv, and getopt(3) may read beyond it. */
	if (argc < 1)
		return refuse(cmdline, "no command; slirpctl --help lists them");
	outcome = take_options(cmdline, argc, argv);
	if (outcome != CMDLINE_RUN)
		return outcome;
	if (take_command(cmdline, commands, argv + optind) != CMDLINE_RUN)
		return CMDLINE_ERROR;
	if (cmdline->socket_path == NULL || cmdline->socket_path[0] == '\0')
		return refuse(cmdline,
		    "which socket? Neither --api-socket nor $" CMDLINE_SOCKET_VARIABLE
		    " names one");
	if (strlen(cmdline->socket_path) >= SOCKET_PATH_SIZE)
		return refuse(cmdline,
		    "the path of the socket is longer than %zu bytes: %s",
		    SOCKET_PATH_SIZE - 1, cmdline->socket_path);
	return CMDLINE_RUN;
}

void
cmdline_help_write(FILE *out, const struct command *commands)
{
	static const struct {
		const char *option;
		const char *description;
	} options[] = {
		{ "-a, --api-socket=PATH",
		    "the daemon's socket (default=$" CMDLINE_SOCKET_VARIABLE ")" },
		{ "-j, --json", "print JSON, one object per line" },
		{ "-t, --timeout=SECONDS", "wait this long for a reply (default=10)" },
		{ "-h, --help", "show this text and exit" },
		{ "-v, --version", "show the version and exit" },
	};

	_Static_assert(TIMEOUT_DEFAULT_S == 10, "the help text says so");
	fputs("Usage: slirpctl [OPTION]... COMMAND [ARGUMENT]...\n", out);
	fputs("Sends requests to the control socket of slirpd, or of slirp4netns.\n\n",
	    out);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		fprintf(out, "%-*s%s\n", HELP_COLUMN, options[i].option,
		    options[i].description);
	fputs("\nCommands:\n", out);
	for (; commands->name != NULL; commands++) {
		int len = fprintf(out, "%s %s", commands->name, commands->usage);

		fprintf(out, "%*s%s\n", len < HELP_COLUMN ? HELP_COLUMN - len : 1, "",
		    commands->description);
	}
	fputs(
	    "\nHOST and GUEST are [ADDRESS:]PORT, HOST also [ADDRESS:]FIRST-LAST, with IPv6\n"
	    "addresses in brackets. Exit status: 0 done, 1 refused by the daemon, 2 wrong\n"
	    "arguments, 3 no reply.\n",
	    out);
}
