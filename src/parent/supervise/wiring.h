/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is connected to whom, what each process is told first, and what its end means. */
#pragma once

#include "parent/supervise/supervisor.h"

/* A row is all zeros for a process that is forked once and whose end ends slirpd. */
struct wiring {
	/* Starts the process, at first and again; IPC_ROLE_NONE: the parent forks it once. */
	enum ipc_role starter;
	/* The end of the process in service does not end slirpd. */
	bool may_be_missing;
	/* Sends all that the process is told at its begin. Returns 0, or -1 with errno set. */
	int (*instruct)(struct supervisor *sv);
	/* Whether the work is done, so that the end of the process means nothing. */
	bool (*is_done)(const struct supervisor *sv);
	/* Takes back what only the process that has ended could have used. */
	void (*on_end)(struct supervisor *sv);
	/* The process will not be started again. */
	void (*on_given_up)(struct supervisor *sv);
};

/* Indexed by enum ipc_role. */
extern const struct wiring wirings[IPC_ROLE_END];

/* Gives the worker the TAP. A failure ends slirpd. */
void wiring_give_tap(struct supervisor *sv, int adopt_tap_fd,
    const struct ipc_tap_made *made);

/* Gives the worker its end of the channel to the api, unless it has it. */
void wiring_connect_api(struct supervisor *sv);

/* Tells the api's sessions of something. */
void wiring_tell_api(struct supervisor *sv, enum ipc_event_kind kind);

/* A message of the start could not be sent, errno says why. If that is because the child
 * is gone, its exit tells the reason; if a signal ended it and us, there is none to
 * tell. */
void wiring_fail_send(struct supervisor *sv, const char *what);
