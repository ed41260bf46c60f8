/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit statuses of slirpctl. Scripts rely on them; see slirpctl(1). */
#pragma once

enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_REFUSED = 1,  /* the daemon answered with an error */
	OUTCOME_USAGE = 2,    /* the command line is wrong; nothing was sent */
	OUTCOME_NO_REPLY = 3, /* no reply, or it is late, broken or can't be shown */
};
