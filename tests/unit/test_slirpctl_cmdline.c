/* SPDX-License-Identifier: BSD-2-Clause */
/* slirpctl/cmdline: options, command names, and numbers of arguments. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "slirpctl/cmdline.h"
#include "slirpctl/commands.h"

/* Arguments of one call, without the program's name. */
#define N_ARGS_MAX 15

/* The longest path that fits. */
#define PATH_50 "/x2345678/x2345678/x2345678/x2345678/x2345678/x234"
#define PATH_107 PATH_50 PATH_50 "/x23456"

static struct cmdline cmdline;

static enum cmdline_outcome
parse(const char *default_socket, const char *const *args)
{
	static char *argv[N_ARGS_MAX + 2] = { (char *)"slirpctl" };
	int argc = 1;

	while (args[argc - 1] != NULL) {
		argv[argc] = (char *)args[argc - 1];
		argc++;
	}
	argv[argc] = NULL;
	memset(&cmdline, 0xa5, sizeof(cmdline));
	return cmdline_parse(&cmdline, commands_all, default_socket, argc, argv);
}

/* PARSE("list"): the environment names the socket /s. */
#define PARSE(...) parse("/s", (const char *const[N_ARGS_MAX + 1]){ __VA_ARGS__ })

#define ASSERT_RUNS(...) \
	do { \
		if (PARSE(__VA_ARGS__) != CMDLINE_RUN) \
			fail_msg("refused: %s", cmdline.error); \
		assert_string_equal(cmdline.error, ""); \
	} while (0)

#define ASSERT_REFUSED(text, ...) \
	do { \
		assert_int_equal(PARSE(__VA_ARGS__), CMDLINE_ERROR); \
		assert_string_equal(cmdline.error, text); \
	} while (0)

static void
test_defaults(void **state)
{
	(void)state;
	ASSERT_RUNS("list");
	assert_string_equal(cmdline.command->name, "list");
	assert_string_equal(cmdline.socket_path, "/s");
	assert_int_equal(cmdline.timeout_s, 10);
	assert_false(cmdline.as_json);
	assert_false(cmdline.shows_all);
	assert_false(cmdline.is_verbose);
	assert_int_equal(cmdline.watch_s, 0);
	assert_int_equal(cmdline.n_args, 0);
	assert_null(cmdline.args[0]);
}

static void
test_policies(void **state)
{
	(void)state;
	ASSERT_RUNS("policy", "test", "icmp", "::1", "-p", "open", "--policy=./p");
	assert_int_equal(cmdline.n_policies, 2);
	assert_string_equal(cmdline.policies[0], "open");
	assert_string_equal(cmdline.policies[1], "./p");
	assert_string_equal(cmdline_option_find(&cmdline, CMDLINE_JSON), "--policy");
	assert_null(cmdline_option_find(&cmdline, CMDLINE_POLICY));
	ASSERT_REFUSED("list does not take --policy", "list", "--policy=open");
	ASSERT_REFUSED("option '-p' needs a value", "policy", "test", "-p");
}

static void
test_options_anywhere(void **state)
{
	(void)state;
	ASSERT_RUNS("-a", "/o", "-j", "-t", "3", "remove", "7", "8");
	assert_string_equal(cmdline.socket_path, "/o");
	assert_int_equal(cmdline.timeout_s, 3);
	assert_true(cmdline.as_json);
	assert_int_equal(cmdline.n_args, 2);
	assert_string_equal(cmdline.args[0], "7");
	assert_string_equal(cmdline.args[1], "8");
	assert_null(cmdline.args[2]);

	ASSERT_RUNS("remove", "7", "--api-socket=/o", "8", "--json", "--timeout", "3600");
	assert_string_equal(cmdline.socket_path, "/o");
	assert_int_equal(cmdline.timeout_s, 3600);
	assert_true(cmdline.as_json);
	assert_int_equal(cmdline.n_args, 2);
	assert_string_equal(cmdline.args[1], "8");

	ASSERT_RUNS("raw", "--", "-1");
	assert_string_equal(cmdline.args[0], "-1");
}

static void
test_socket(void **state)
{
	const char *const list[] = { "list", NULL };
	const char *const longest[] = { "-a", PATH_107, "list", NULL };

	(void)state;
	assert_int_equal(sizeof(PATH_107) - 1, 107);
	/* The caller looks for the only slirpd then. */
	assert_int_equal(parse(NULL, list), CMDLINE_RUN);
	assert_null(cmdline.socket_path);
	assert_int_equal(parse("", list), CMDLINE_RUN);
	assert_null(cmdline.socket_path);
	assert_int_equal(parse(NULL, longest), CMDLINE_RUN);
	ASSERT_REFUSED("--api-socket: the path is empty", "-a", "", "list");
	ASSERT_REFUSED("the path of the socket is longer than 107 bytes: " PATH_107 "x",
	    "-a", PATH_107 "x", "list");
}

static void
test_help_and_version_need_nothing_else(void **state)
{
	const char *const help[] = { "--help", NULL };
	const char *const version[] = { "-v", NULL };

	(void)state;
	assert_int_equal(parse(NULL, help), CMDLINE_HELP);
	assert_int_equal(parse(NULL, version), CMDLINE_VERSION);
	assert_int_equal(PARSE("-h"), CMDLINE_HELP);
	assert_int_equal(PARSE("--version"), CMDLINE_VERSION);
	assert_int_equal(PARSE("no-command", "--help"), CMDLINE_HELP);
}

static void
test_bad_options(void **state)
{
	(void)state;
	ASSERT_REFUSED("unknown option '-x'", "-x", "list");
	ASSERT_REFUSED("unknown option '-1'", "remove", "-1");
	ASSERT_REFUSED("option '--nope' is unknown, or short for more than one", "--nope",
	    "list");
	ASSERT_REFUSED("option '--json=yes' takes no value", "--json=yes", "list");
	ASSERT_REFUSED("option '--api-socket' needs a value", "list", "--api-socket");
	ASSERT_REFUSED("option '-a' needs a value", "list", "-a");
}

static void
test_options_of_some_commands(void **state)
{
	(void)state;
	ASSERT_RUNS("stats", "--watch=2", "--all", "-V");
	assert_int_equal(cmdline.watch_s, 2);
	assert_true(cmdline.shows_all);
	assert_true(cmdline.is_verbose);
	ASSERT_RUNS("-A", "status", "-j");
	ASSERT_RUNS("top", "-w", "5");
	ASSERT_REFUSED("list does not take --all", "ls", "--all");
	ASSERT_REFUSED("status does not take --watch", "status", "-w", "1");
	ASSERT_REFUSED("top does not take --json", "top", "--json");
	ASSERT_REFUSED("--watch: '0' is not a number of seconds, 1 to 3600", "stats",
	    "-w0");
}

static void
test_aliases(void **state)
{
	(void)state;
	ASSERT_RUNS("ls");
	assert_string_equal(cmdline.command->name, "list");
	ASSERT_RUNS("rm", "1");
	assert_string_equal(cmdline.command->name, "remove");
	assert_ptr_equal(cmdline.command, cmdline_command_find(commands_all, "remove"));
	assert_null(cmdline_command_find(commands_all, "l"));
	assert_null(cmdline_command_find(commands_all, ""));
}

static void
test_bad_timeouts(void **state)
{
	static const char *const bad[] = { "", "0", "3601", "-1", "+1", " 1", "1 ", "1.5",
		"1s", "99999999999999999999" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
		    "--timeout: '%s' is not a number of seconds, 1 to 3600", bad[i]);
		ASSERT_REFUSED(text, "--timeout", bad[i], "list");
	}
}

static void
test_number_of_arguments(void **state)
{
	(void)state;
	ASSERT_REFUSED("no command; slirpctl help lists them", NULL);
	ASSERT_REFUSED("there is no command 'lists'; slirpctl help lists them", "lists");
	ASSERT_REFUSED("there is no command ''; slirpctl help lists them", "");
	ASSERT_REFUSED("list: wrong number of arguments; usage: slirpctl list", "list",
	    "x");
	ASSERT_REFUSED(
	    "add: wrong number of arguments; usage: slirpctl add PROTO HOST GUEST", "add",
	    "tcp", "80");
	ASSERT_REFUSED(
	    "add: wrong number of arguments; usage: slirpctl add PROTO HOST GUEST", "add",
	    "tcp", "80", "80", "80");
	ASSERT_REFUSED(
	    "remove: wrong number of arguments; usage: slirpctl remove ID...|all",
	    "remove");
	ASSERT_REFUSED("raw: wrong number of arguments; usage: slirpctl raw [JSON]",
	    "raw", "{}", "{}");
	ASSERT_RUNS("raw");
	ASSERT_RUNS("events");
	ASSERT_RUNS("events", "A", "B", "C");
}

static void
test_empty_argv(void **state)
{
	char *argv[] = { NULL };

	(void)state;
	assert_int_equal(cmdline_parse(&cmdline, commands_all, "/s", 0, argv),
	    CMDLINE_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_options_anywhere),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_help_and_version_need_nothing_else),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_options_of_some_commands),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_bad_timeouts),
		cmocka_unit_test(test_number_of_arguments),
		cmocka_unit_test(test_empty_argv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
