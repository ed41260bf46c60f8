/*
 * The parent's service: from the start of the children to the end of the last. One
 * loop, one poll: signals, the caller's exit-fd, the children's channels, the
 * namespace. The parent is on no packet's path; nothing here is fast or needs to be.
 *
 * The loop is in supervise.c; its parts are supervise_start (until READY),
 * supervise_children (what they say, how they die), supervise_api (the api's life),
 * supervise_rules (forwards) and supervise_signals.
 */
#pragma once

#include "base/ratelimit.h"
#include "ipc/dispatch.h"
#include "ipc/rules.h"
#include "parent/confinement.h"
#include "parent/nswatch.h"
#include "parent/options.h"
#include "parent/outbound.h"
#include "parent/resolv.h"
#include "parent/roles.h"
#include "parent/spawn.h"
#include "parent/supervise_api.h"
#include "parent/supervise_rules.h"
#include "parent/target.h"

enum supervise_phase {
	SUPERVISE_STARTING,
	SUPERVISE_RUNNING,
	SUPERVISE_ENDED, /* `status` tells how */
};

struct supervisor {
	const struct options *options; /* borrowed */
	struct target target;          /* closed once the helper is done */
	struct child children[IPC_ROLE_END];
	struct ipc_confine orders; /* for every child's jail */
	struct nswatch watch;
	struct outbound outbound;
	struct resolv resolv; /* the worker's copy of resolv.conf */
	int resolv_copy_fd;   /* owned; until it is followed, from ready on */
	struct ipc_confined confined[IPC_ROLE_END]; /* what each role reached */
	struct ipc_about about; /* what the worker said of its libraries */
	struct api_life api;
	struct rules *rules; /* owned; the worker's, as it told */
	struct ratelimit
	    contradictions; /* lines on a worker that tells nonsense of them */
	size_t n_published; /* of options->publish */
	bool worker_is_ready;
	bool reap_again;            /* at the next turn, without a signal */
	struct confinement *report; /* borrowed: printed instead of serving; or NULL */
	enum supervise_phase phase;
	int status;           /* exit status, once SUPERVISE_ENDED */
	int signal_fd;        /* owned */
	int ready_fd;         /* owned, -1 once told or if none */
	int exit_fd;          /* owned, -1 for none */
	int tap_fd;           /* owned; kept, so that a worker could be started again */
	uint64_t ready_at_ms; /* CLOCK_MONOTONIC, of the begin of service */
	uint64_t deadline_ms; /* CLOCK_MONOTONIC, of the start */
};

/* Fatal on failure. */
void supervise_init(struct supervisor *sv, const struct options *options);

/* Starts the children, waits until all is ready, serves until the end, and ends them.
 * Returns the exit status; the reason of a failure has been logged. */
int supervise_run(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* Like supervise_run without the helper: the worker gets adopt_tap_fd in the place of a
 * TAP, which is the listening socket of --target-type=bess, or for a report where there
 * is no guest nothing that can be used. */
int supervise_run_worker(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd);

/* Starts the worker alone and asks for its libraries. Returns 0, or -1 having logged
 * the reason. */
int supervise_ask_about(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* The rest is what supervision's own files share. */

#define SUPERVISE_DECLARE(...) IPC_DECLARE_HANDLER(parent, struct supervisor, __VA_ARGS__)
IPC_ROWS_NETNS_HELPER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_SLIRP_WORKER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_SPAWNER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_API_TO_PARENT(SUPERVISE_DECLARE)

/* The end begins, with this exit status unless it has begun already. */
void supervise_end(struct supervisor *sv, int status);
