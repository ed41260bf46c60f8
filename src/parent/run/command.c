/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command of `slirpd run`, in the process that becomes it: a child of the parent, in namespaces
 * of its own. What is not said here it has from the caller: environment, directory, descriptors,
 * signals, terminal, process group.
 */
#include "parent/run/command.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/run/resolvconf.h"
#include "parent/supervise/signals.h"

/* How much of a command's name is shown in a message. */
#define NAME_SHOWN_SIZE 256

int
command_prepare(const void *context, const char **step)
{
	const struct options *options = context;

	signals_restore();
	/* A mount outside, such as one on /etc/resolv.conf, is not to appear here. */
	*step = "make mounts private";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -1;
	/* Without the built-in server there is none in the guest that a file could name. */
	return options->enable_dns ? resolvconf_cover(options, step) : 0;
}

void
command_begin(const void *context)
{
	const struct options *options = context;
	const char *name = options->command[0];
	char shown[NAME_SHOWN_SIZE];
	int error;

	execvp(name, options->command);
	error = errno;
	text_escape(shown, sizeof(shown), name, strlen(name));
	log_error("cannot execute \"%s\": %s", shown, strerror(error));
	_exit(error == ENOENT ? EXITCODE_RUN_NOT_FOUND : EXITCODE_RUN_CANNOT_EXECUTE);
}
