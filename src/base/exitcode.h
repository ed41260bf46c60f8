/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit statuses of the daemon's programs. */
#pragma once

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FAILURE = 1,
	/* Between fork(2) and execve(2) a child can report a status only. sh(1) and the
	 * dynamic loader use 127 for this; 126 is free here. */
	EXITCODE_CANNOT_ARRANGE = 126, /* descriptors at their numbers */
	EXITCODE_CANNOT_EXECUTE = 127,
};
