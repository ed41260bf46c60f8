/* SPDX-License-Identifier: BSD-2-Clause */
/* How a run of slirpctl ends: its exit status, which scripts rely on; slirpctl(1). */
#pragma once

enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_REFUSED = 1,  /* the daemon answered with an error */
	OUTCOME_USAGE = 2,    /* the command line is wrong; nothing was sent */
	OUTCOME_NO_REPLY = 3, /* none, not in time, broken, or it can't be shown */
};
