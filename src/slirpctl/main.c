/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirpctl: a client of the control socket for people and scripts. It is an ordinary
 * program of the user who owns the socket, and holds one connection. It does not trust
 * the daemon: a reply has limits of size and time, and is escaped before it reaches a
 * terminal. Only user of jansson beside the api.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "slirpctl/cmdline.h"
#include "slirpctl/commands.h"
#include "slirpctl/errlines.h"
#include "slirpctl/instances.h"

static enum outcome
run(int argc, char **argv)
{
	struct cmdline cmdline;

	switch (cmdline_parse(&cmdline, commands_all, getenv(CMDLINE_SOCKET_VARIABLE),
	    argc, argv)) {
	case CMDLINE_HELP:
		cmdline_help_write(stdout, commands_all);
		return OUTCOME_OK;
	case CMDLINE_VERSION:
		printf("slirpctl version " SLIRPD_VERSION "\njansson: %s\n",
		    jansson_version_str());
		return OUTCOME_OK;
	case CMDLINE_ERROR:
		log_error("%s", cmdline.error);
		return OUTCOME_USAGE;
	case CMDLINE_RUN:
		break;
	}
	if (cmdline.command->socket != COMMAND_SOCKET_UNUSED &&
	    !instances_find_socket(&cmdline,
		cmdline.command->socket == COMMAND_SOCKET_OPTIONAL))
		return OUTCOME_USAGE;
	return cmdline.command->run(&cmdline);
}

int
main(int argc, char **argv)
{
	enum outcome outcome;

	log_set_emit(errlines_emit);
	/* Otherwise the connection could get the number of standard output. */
	if (fdio_fill_stdio() == -1) {
		log_error("open /dev/null in place of closed standard streams: %s",
		    strerror(errno));
		return OUTCOME_NO_REPLY;
	}
	outcome = run(argc, argv);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		log_error("standard output: %s", strerror(errno));
		return OUTCOME_NO_REPLY;
	}
	return outcome;
}
