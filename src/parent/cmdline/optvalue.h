/* SPDX-License-Identifier: BSD-2-Clause */
/* Single values of the command line: a function for each checks the value and keeps it in
 * struct options. The rows of opttable.c name them. */
#pragma once

#include "parent/cmdline/options.h"

#define OPTVALUE_USAGE "[OPTION]... PID|PATH|FD [TAPNAME]"
#define OPTVALUE_USAGE_RUN "run [OPTION]... [--] COMMAND [ARG]..."

/* The size of a value in a message: more than most paths have, and small enough that the
 * reason after it fits into OPTIONS_MESSAGE_SIZE. */
#define OPTVALUE_SHOWN_SIZE 256

/* The rows of the table of options in opttable.c. */
#define OPTVALUE_N_OPTIONS 40

/* The state of one parse of a command line. */
struct optvalue_parse {
	struct options *options;
	struct options_messages *messages;
	char shown[OPTVALUE_SHOWN_SIZE]; /* the result of optvalue_show() */

	/* The option whose value is taken. */
	const char *name;
	void *field; /* of struct options, if its row in opttable.c names one */

	/* Values that are checked when all options are known. */
	const char *bad_mac_text;               /* the first invalid MAC address */
	const char *values[OPTVALUE_N_OPTIONS]; /* "": has none; NULL: not given */
};

/* Makes value printable for the next message, which can show one value only. */
const char *optvalue_show(struct optvalue_parse *parse, const char *value);

/* Keeps the text of the error. Returns false, for the caller to return. */
bool optvalue_refuse(struct optvalue_parse *parse, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a missing argument; shows the usage. */
bool optvalue_refuse_missing(struct optvalue_parse *parse, const char *what);

/* Keeps the text of a warning. */
void optvalue_warn(struct optvalue_parse *parse, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Each function returns false, with the error kept, if the value is wrong. value is
 * borrowed until the options are not used any more. */
bool optvalue_take_mtu(struct optvalue_parse *parse, const char *value);
bool optvalue_take_cidr(struct optvalue_parse *parse, const char *value);
bool optvalue_take_cidr6(struct optvalue_parse *parse, const char *value);
bool optvalue_take_api_socket(struct optvalue_parse *parse, const char *value);
bool optvalue_take_restart(struct optvalue_parse *parse, const char *value);
bool optvalue_take_publish(struct optvalue_parse *parse, const char *value);
bool optvalue_take_netns_type(struct optvalue_parse *parse, const char *value);
bool optvalue_take_target_type(struct optvalue_parse *parse, const char *value);
bool optvalue_take_userns_path(struct optvalue_parse *parse, const char *value);
bool optvalue_take_outbound_addr4(struct optvalue_parse *parse, const char *value);
bool optvalue_take_outbound_addr6(struct optvalue_parse *parse, const char *value);
bool optvalue_take_macaddress(struct optvalue_parse *parse, const char *value);
bool optvalue_take_runas(struct optvalue_parse *parse, const char *value);
bool optvalue_take_log_level(struct optvalue_parse *parse, const char *value);
bool optvalue_take_policy(struct optvalue_parse *parse, const char *value);
bool optvalue_take_policy_mode(struct optvalue_parse *parse, const char *value);
bool optvalue_take_allow_out(struct optvalue_parse *parse, const char *value);
bool optvalue_take_deny_out(struct optvalue_parse *parse, const char *value);

/* The same for options of one kind, which keep the value in parse->field: the number
 * of a descriptor (int), and a path that can name a file (const char *). The file is checked when
 * it is opened. */
bool optvalue_take_fd(struct optvalue_parse *parse, const char *value);
bool optvalue_take_file_path(struct optvalue_parse *parse, const char *value);

/* Refuses parse->bad_mac_text. */
bool optvalue_refuse_macaddress(struct optvalue_parse *parse);

/* The functions for arguments. The value of TAPNAME may be NULL, if it is missing. */
bool optvalue_take_tap_name(struct optvalue_parse *parse, const char *value);
bool optvalue_take_target_path(struct optvalue_parse *parse, const char *value);
bool optvalue_take_tap_fd(struct optvalue_parse *parse, const char *value);
bool optvalue_take_bess_path(struct optvalue_parse *parse, const char *value);
/* next is the argument after it, or NULL, and helps to guess the mistake. */
bool optvalue_take_target_pid(struct optvalue_parse *parse, const char *value,
    const char *next);
