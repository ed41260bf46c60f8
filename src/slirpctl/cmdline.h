/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of slirpctl: options, the name of a command, and the number of its
 * arguments. commands.h and request.h interpret the arguments. Nothing is printed
 * here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "slirpctl/outcome.h"

/* The socket's path if --api-socket is not given. */
#define CMDLINE_SOCKET_VARIABLE "SLIRPD_API_SOCKET"

struct cmdline;
struct transport_watch;

/* Options that some commands do not take; see struct command. */
#define CMDLINE_ALL (1U << 0)
#define CMDLINE_WATCH (1U << 1)
#define CMDLINE_JSON (1U << 2)
#define CMDLINE_DRY_RUN (1U << 3)
#define CMDLINE_POLICY (1U << 4)

/* As many as slirpd(1) takes. */
#define CMDLINE_POLICIES_MAX 16

enum command_socket {
	COMMAND_SOCKET_NEEDED,
	COMMAND_SOCKET_OPTIONAL,
	COMMAND_SOCKET_UNUSED,
};

struct command {
	const char *name;
	const char *alias; /* a second name, or NULL */
	const char *usage; /* of its arguments; "": none */
	const char *description;
	size_t n_args_min;
	size_t n_args_max;
	unsigned int options; /* CMDLINE_ bits that it takes */
	enum command_socket socket;
	/* Runs the command, and logs errors itself. */
	enum outcome (*run)(const struct cmdline *cmdline);
};

/* All texts are borrowed from argv and the environment. */
struct cmdline {
	const struct command *command;
	const char *socket_path; /* NULL: not given */
	uint32_t timeout_s;      /* from connecting to the end of the reply */
	bool as_json;
	bool shows_all;
	bool is_dry_run;
	size_t n_policies;
	const char *policies[CMDLINE_POLICIES_MAX];
	bool is_verbose;
	uint32_t watch_s; /* 0: show the result once */
	/* What a command also waits for (transport.h); NULL: nothing. */
	const struct transport_watch *watch;
	const char *const *args; /* of the command, NULL-terminated */
	size_t n_args;
	char error[LOG_TEXT_SIZE]; /* a line, not escaped; empty unless CMDLINE_ERROR */
};

enum cmdline_outcome {
	CMDLINE_RUN,
	CMDLINE_HELP,
	CMDLINE_VERSION,
	CMDLINE_ERROR,
};

/* commands ends with a row without a name. default_socket is the path from the
 * environment, or NULL. getopt(3) changes the order of argv. CMDLINE_HELP and
 * CMDLINE_VERSION leave the rest of *cmdline undefined. */
enum cmdline_outcome cmdline_parse(struct cmdline *cmdline,
    const struct command *commands, const char *default_socket, int argc, char **argv);

void cmdline_help_write(FILE *out, const struct command *commands);

/* Returns the command of this name or alias, or NULL. */
const struct command *cmdline_command_find(const struct command *commands,
    const char *name);

/* Returns an option that is given and is none of the CMDLINE_ bits, or NULL. */
const char *cmdline_option_find(const struct cmdline *cmdline, unsigned int allowed);

/* Writes the usage of one command. */
void cmdline_command_help_write(FILE *out, const struct command *command);
