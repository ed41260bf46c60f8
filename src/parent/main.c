/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpd, the parent: starts the network of a guest, and ends with it.
 *
 * It checks the command line, opens the namespaces and files that the caller named, and
 * starts the other programs. It tells the caller when the network is ready, and
 * supervises. It sees no packet and no request.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "parent/cmdline/banner.h"
#include "parent/cmdline/options.h"
#include "parent/files/instance.h"
#include "parent/files/pidfile.h"
#include "parent/files/pin.h"
#include "parent/files/unixsock.h"
#include "parent/jail.h"
#include "parent/jailreport/jailreport.h"
#include "parent/output/logfile.h"
#include "parent/output/notify.h"
#include "parent/output/report.h"
#include "parent/run/run.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/programs.h"
#include "parent/supervise/signals.h"
#include "parent/supervise/supervise.h"
#include "parent/supervise/target.h"

/* Four packets of 64 KiB: libslirp has one on its stack, and perhaps a second one in an
 * outer call. */
#define STACK_MIN_BYTES 262144U

/*
 * Makes the descriptors that the caller promised by number ours alone. Before anything is
 * opened, which would get the number of one that is not there. Returns the first that is not,
 * and its option, or -1.
 */
static int
take_inherited_fds(const struct options *options, int stdio_closed, const char **option)
{
	const struct {
		int fd;
		const char *option;
	} promised[] = {
		{ options->ready_fd, "--ready-fd" },
		{ options->exit_fd, "--exit-fd" },
		{ options->tap_fd, "TAP descriptor" },
	};

	for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++) {
		int fd = promised[i].fd;

		*option = promised[i].option;
		if (fd != -1 &&
		    ((fd <= STDERR_FILENO && (stdio_closed & (1 << fd))) ||
			fcntl(fd, F_SETFD, FD_CLOEXEC) == -1))
			return fd;
	}
	return -1;
}

/* Moves ready-fd away from standard output or error: its reader must get the ready byte
 * only. /dev/null takes the old number, so no later descriptor gets it. Returns 0, or -1
 * with errno set. */
static int
move_off_stdio(int *ready_fd, int stdio_closed)
{
	autofd int null_fd = -1;
	int moved_fd;

	if (*ready_fd == -1 || *ready_fd > STDERR_FILENO ||
	    (stdio_closed & (1 << *ready_fd)))
		return 0;
	moved_fd = fcntl(*ready_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved_fd == -1)
		return -1;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1 || dup2(null_fd, *ready_fd) == -1)
		return -1;
	*ready_fd = moved_fd;
	return 0;
}

/* Static, because RLIMIT_STACK is the caller's and may be small. */
static struct supervisor supervisor;

static int
print_version(const struct options *options)
{
	int program_fds[IPC_ROLE_END];
	char text[BANNER_SIZE];

	parent_programs_open(program_fds);
	supervise_init(&supervisor, options);
	if (supervise_ask_about(&supervisor, program_fds) == -1)
		return EXITCODE_FAILURE;
	banner_version_format(text, sizeof(text), options->program_name,
	    supervisor.about.libslirp_version, supervisor.about.config_version_max);
	fputs(text, stdout);
	return fflush(stdout) == 0 ? EXITCODE_OK : EXITCODE_FAILURE;
}

static int
check_policy(const struct options *options)
{
	int program_fds[IPC_ROLE_END];

	supervise_init(&supervisor, options);
	policy_open(&supervisor);
	parent_programs_open(program_fds);
	return supervise_check_policy(&supervisor, program_fds);
}

static int
serve(struct options *options)
{
	int program_fds[IPC_ROLE_END];

	if (options->command)
		run_prepare(options);
	supervise_init(&supervisor, options);
	/* A caller with --ready-fd, or of slirp4netns, passes on its own NOTIFY_SOCKET, and its
	 * manager would take our messages for the caller's. */
	if (options->ready_fd == -1 && !options_is_slirp4netns(options->program_name))
		parent_notify_open();
	parent_notify("STATUS=Starting");
	policy_open(&supervisor);
	parent_outbound_open(&supervisor.outbound, options);
	if (options->create_netns)
		parent_pin_make(options->netns_path);
	parent_target_open(&supervisor.target, options);
	parent_target_check(&supervisor.target);
	parent_programs_open(program_fds);
	if (options->pidfile_path)
		parent_pidfile_check(options->pidfile_path);
	if (options->api_socket_path) {
		parent_instance_prepare(options->api_socket_path);
		supervisor.api_listen_fd =
		    parent_unixsock_listen(PLACED_API_SOCKET, options->api_socket_path);
		parent_instance_link(options->api_socket_path);
	}
	if (options->target == OPTIONS_TARGET_BESS)
		return supervise_without_helper(&supervisor, program_fds,
		    parent_unixsock_listen(PLACED_BESS_SOCKET, options->bess_path));
	if (options->command)
		return run_supervise(&supervisor, program_fds);
	return supervise_all(&supervisor, program_fds);
}

/* libslirp has whole packets on its stack (if_encap, src/slirp.c). Check now, instead of
 * crashing at the first packet. */
static void
ensure_stack(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) == -1)
		fatal("ask for RLIMIT_STACK");
	if (limit.rlim_cur >= STACK_MIN_BYTES)
		return;
	if (limit.rlim_max < STACK_MIN_BYTES)
		fatalx("RLIMIT_STACK allows %llu bytes, and the worker needs %u",
		    (unsigned long long)limit.rlim_max, STACK_MIN_BYTES);
	limit.rlim_cur = STACK_MIN_BYTES;
	if (setrlimit(RLIMIT_STACK, &limit) == -1)
		fatal("raise RLIMIT_STACK");
}

int
main(int argc, char **argv)
{
	/* Static, as the supervisor is. */
	static struct options options;
	static struct options_messages messages;
	enum options_outcome outcome;
	const char *missing_option;
	int stdio_closed, missing_fd;
	bool has_stdio;

	signals_prepare();
	outcome = options_parse(&options, &messages, argc, argv);
	stdio_closed = fdio_fill_stdio();
	missing_fd = take_inherited_fds(&options, stdio_closed, &missing_option);
	has_stdio =
	    stdio_closed != -1 && move_off_stdio(&options.ready_fd, stdio_closed) == 0;
	report_init(options.program_name);
	if (options.is_run)
		log_set_fatal_status(EXITCODE_RUN_FAILED);
	if (!has_stdio)
		fatal("open /dev/null in place of standard streams");
	report_set_level(options.log_level);
	if (options.log_file_path)
		parent_logfile_open(options.log_file_path);
	for (size_t i = 0; i < messages.n_warnings; i++)
		log_warning("%s", messages.warnings[i]);
	switch (outcome) {
	case OPTIONS_HELP:
		options_help_write(stdout, options.program_name);
		return fflush(stdout) == 0 ? EXITCODE_OK : EXITCODE_FAILURE;
	case OPTIONS_VERSION:
		return print_version(&options);
	case OPTIONS_ERROR:
		log_set_fatal_status(options_usage_status(&options));
		fatalx("%s", messages.error);
	case OPTIONS_CHECK_POLICY:
	case OPTIONS_PRINT_CONFINEMENT:
	case OPTIONS_START:
		break;
	}
	parent_jail_check(&options);
	ensure_stack();
	if (missing_fd != -1) {
		log_set_fatal_status(options_usage_status(&options));
		errno = EBADF;
		fatal("%s %d", missing_option, missing_fd);
	}
	if (outcome == OPTIONS_CHECK_POLICY)
		return check_policy(&options);
	return outcome == OPTIONS_START ? serve(&options)
					: jailreport_make(&supervisor, &options);
}
