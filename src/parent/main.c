/*
 * slirpd, the parent: what the user starts, and what ends when the network ends. It
 * checks the command line, opens what the caller named, starts the other programs,
 * tells the caller when all is ready, and supervises. It sees no packet and no request.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "parent/apisock.h"
#include "parent/banner.h"
#include "parent/options.h"
#include "parent/report.h"
#include "parent/roles.h"
#include "parent/supervise.h"
#include "parent/target.h"

/* A descriptor that the caller promised by number. It is ours alone from now on. */
static void
take_inherited_fd(int fd, const char *option, int stdio_closed)
{
	if (fd == -1)
		return;
	if (fd <= STDERR_FILENO && (stdio_closed & (1 << fd)))
		errno = EBADF;
	else if (fcntl(fd, F_SETFD, FD_CLOEXEC) != -1)
		return;
	fatal("%s %d", option, fd);
}

static int
print_version(const struct options *options)
{
	int program_fds[ROLE_N];
	struct supervisor supervisor;
	char text[BANNER_SIZE];

	roles_open_programs(program_fds);
	supervise_init(&supervisor, options);
	if (supervise_ask_about(&supervisor, program_fds) == -1)
		return EXITCODE_FAILURE;
	banner_version_format(text, sizeof(text), options->program_name,
	    supervisor.about.libslirp_version, supervisor.about.config_version_max);
	fputs(text, stdout);
	return fflush(stdout) == 0 ? EXITCODE_OK : EXITCODE_FAILURE;
}

static int
run(const struct options *options, int stdio_closed)
{
	int program_fds[ROLE_N];
	struct supervisor supervisor;

	take_inherited_fd(options->ready_fd, "--ready-fd", stdio_closed);
	take_inherited_fd(options->exit_fd, "--exit-fd", stdio_closed);
	take_inherited_fd(options->tap_fd, "TAP descriptor", stdio_closed);
	supervise_init(&supervisor, options);
	parent_target_open(&supervisor.target, options);
	roles_open_programs(program_fds);
	if (options->api_socket_path)
		supervisor.api.listen_fd =
		    parent_apisock_listen(options->api_socket_path);
	return supervise_run(&supervisor, program_fds);
}

int
main(int argc, char **argv)
{
	struct options options;
	struct options_messages messages;
	enum options_outcome outcome;
	int stdio_closed;

	supervise_block_signals();
	outcome = options_parse(&options, &messages, argc, argv);
	stdio_closed = fdio_fill_stdio();
	report_init(options.program_name);
	if (stdio_closed == -1)
		fatal("open /dev/null in place of closed standard streams");
	for (size_t i = 0; i < messages.n_warnings; i++)
		log_warning("%s", messages.warnings[i]);
	switch (outcome) {
	case OPTIONS_HELP:
		options_help_write(stdout, options.program_name);
		return fflush(stdout) == 0 ? EXITCODE_OK : EXITCODE_FAILURE;
	case OPTIONS_VERSION:
		return print_version(&options);
	case OPTIONS_ERROR:
		fatalx("%s", messages.error);
	case OPTIONS_RUN:
		break;
	}
	return run(&options, stdio_closed);
}
