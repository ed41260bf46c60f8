/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit statuses of the daemon's programs. */
#pragma once

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FAILURE = 1,
	EXITCODE_USAGE = 2, /* of slirpd only: the command line was refused */
	/* Between fork(2) and the program's own begin a child can report a status only. */
	EXITCODE_CANNOT_EXECUTE = 124,
	EXITCODE_NO_MEMORY = 125,      /* to execute a program */
	EXITCODE_CANNOT_ARRANGE = 126, /* descriptors at their numbers */
	EXITCODE_CANNOT_LOAD = 127,    /* of the dynamic loader, ld.so(8) */

	/* `slirpd run`, with the numbers of env(1). Other statuses are those of the command; the
	 * base plus the number of the signal that ended it, as in sh(1). */
	EXITCODE_RUN_FAILED = 125, /* slirpd itself */
	EXITCODE_RUN_CANNOT_EXECUTE = 126,
	EXITCODE_RUN_NOT_FOUND = 127,
	EXITCODE_RUN_SIGNAL_BASE = 128,
};
