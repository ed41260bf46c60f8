/* SPDX-License-Identifier: BSD-2-Clause */
/* The connections between the processes, their first instructions, and the results of
 * their ends. */
#pragma once

#include "parent/supervise/supervisor.h"

/* A row is all zeros for a process that is forked once and whose end ends slirpd. */
struct wiring {
	/* Starts the process, at first and again; IPC_ROLE_NONE: the parent forks it once. */
	enum ipc_role starter;
	/* The end of the process in service does not end slirpd. */
	bool may_be_missing;
	/* Nor does its end during the start, unless the task is to report its jail. */
	bool may_miss_start;
	/* If the process dies again and again, slirpd ends. */
	bool is_vital;
	/* Such a process without a starter: what slirpd cannot do without it, for the log. */
	const char *loss;
	/* Sends what only this process is told at its begin; NULL: nothing. Returns 0, or -1 with
	 * errno set. */
	int (*instruct)(struct supervisor *sv);
	/* Whether the work is done, so that the end of the process means nothing. */
	bool (*is_done)(const struct supervisor *sv);
	/* Tells of the end. */
	void (*on_end)(struct supervisor *sv);
	/* The process will not be started again; NULL: slirpd ends. */
	void (*on_given_up)(struct supervisor *sv);
};

/* Indexed by enum ipc_role. */
extern const struct wiring wirings[IPC_ROLE_END];

/* Keeps the TAP for the worker. */
void wiring_give_tap(struct supervisor *sv, int adopt_tap_fd,
    const struct ipc_tap_made *made);

/* Starts the worker once there is a TAP, and a connector in its jail: if a jail cannot be made,
 * one process alone gives the reason. A failure ends slirpd. */
void wiring_start_worker(struct supervisor *sv);

/* Starts the resolver, unless there is no DNS; the connector must be in its jail, as above. */
void wiring_start_resolver(struct supervisor *sv);

/* Tells the connector the guest's own IPv6 address, if there is one. Returns 0, or -1 with errno
 * set. */
int wiring_tell_guest_addr6(struct supervisor *sv);

/* A service has become ready: joins it with the others that are ready. */
void wiring_connect(struct supervisor *sv, enum ipc_role role);

/* Joins a connector with the others once it has the forwards and the policy: until then requests
 * for sockets wait, and are not refused. */
void wiring_settle_connector(struct supervisor *sv);

/* Whether a channel of the role waits for room in a queue, its own or that of the other end. */
bool wiring_waits_for(const struct supervisor *sv, enum ipc_role role);

/* Makes the channels again for which a process had no descriptor left. */
void wiring_connect_missed(struct supervisor *sv);

/* Makes the channels that wait. */
void wiring_connect_waiting(struct supervisor *sv);

/* Lets the mover move all children into the control group of the parent. */
void wiring_follow_cgroup(struct supervisor *sv);

/* Sends an event to the sessions of the api. */
void wiring_tell_api(struct supervisor *sv, enum ipc_event_kind kind, enum ipc_role role);

/* Handles a failed send of the start, with errno set. If the child has ended, its exit
 * gives the reason, unless a signal ended both. */
void wiring_fail_send(struct supervisor *sv, const char *what);
