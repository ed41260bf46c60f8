/* SPDX-License-Identifier: BSD-2-Clause */
/* What the exit statuses of the daemon's programs mean. */
#pragma once

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FAILURE = 1,
	/* Between fork and exec nobody can be told more than a status. sh(1) and the
	 * dynamic loader use 127 for the same; 126 is free here. */
	EXITCODE_CANNOT_ARRANGE = 126, /* descriptors at their numbers */
	EXITCODE_CANNOT_EXECUTE = 127,
};
