/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the supervision. Its files, from the bottom to the top: children (messages
 * and ends), service (starts, restarts and the results of ends), wiring (connections),
 * forwards, status, watchdog, start, signals, and supervise, the loop. Each includes only files
 * before it. */
#pragma once

#include "base/ratelimit.h"
#include "ipc/dispatch.h"
#include "model/forward_table.h"
#include "model/policy/rows.h"
#include "parent/cgroup/watch.h"
#include "parent/cmdline/options.h"
#include "parent/files/kept.h"
#include "parent/policy/texts.h"
#include "parent/roles.h"
#include "parent/supervise/spawn.h"
#include "parent/supervise/target.h"
#include "parent/watch/hostlist.h"
#include "parent/watch/nswatch.h"
#include "parent/watch/outbound.h"
#include "parent/watch/resolv.h"

enum supervise_phase {
	SUPERVISE_STARTING,
	SUPERVISE_RUNNING,
	SUPERVISE_ENDED, /* with the exit status `status` */
};

/* A vital service that dies so often in SERVICE_DEATHS_MS ends slirpd: the caller learns of it, and a
 * service manager may have a better remedy. The delays allow ten deaths in a minute only if each
 * comes at once. */
#define SERVICE_DEATHS_MAX 10
#define SERVICE_DEATHS_MS UINT64_C(60000)

/* A process and its restarts; service.c alone changes the times. */
struct service {
	struct child child;
	bool is_owed;           /* its starter has not reported the PID */
	bool is_ready;          /* the process has reported it */
	uint64_t started_at_ms; /* CLOCK_MONOTONIC, of the last start */
	/* Deadlines (base/deadline.h). */
	uint64_t start_at_ms; /* of the next start */
	uint64_t ready_by_ms; /* the process hangs if it is not ready by then */
	uint32_t delay_ms;    /* before the next start */
	uint32_t n_restarts;
	uint32_t missed_peers; /* set of roles: it had no room for their channels */
	uint64_t deaths_ms[SERVICE_DEATHS_MAX]; /* a ring of the last ones */
};

/* The policy that limits the guest's destinations. */
struct parent_policy {
	struct policy_texts texts;
	struct policy *rows;     /* owned; NULL: no policy */
	struct policy *next;     /* owned; the rows of a change, if `rows` is whole */
	struct policy_take take; /* from the policy-reader, then from the api */
	uint64_t generation;     /* of `rows` */
	uint64_t request;        /* of the api, for the change, if owes_answer */
	bool owes_answer;        /* the change is not known to all yet */
	uint64_t follow_by_ms;   /* who does not follow `rows` by then hangs */
	bool has_next;           /* `next` is whole */
	struct policy_feed feeds[IPC_ROLE_END]; /* to connector, resolver and api */
	bool is_known;                          /* the resolver judges names by it */
	bool is_read;                           /* `rows` is whole */
	bool is_in_force;                       /* the connector follows it */
};

/* What a connector that was started again gets of the one before. */
struct handover {
	bool is_active;
	uint32_t place; /* of the forward in the table */
	bool is_begun;  /* the forward itself is sent */
	uint32_t port;  /* the place of its next socket in `kept` */
};

struct supervisor;

/* The task of this slirpd: to serve a guest (start.h), to serve one command (run/run.h), or to
 * report its jails (jailreport/jailreport.h). */
struct supervise_task {
	/* A child has reported its jail; NULL for no action. */
	void (*on_confined)(struct supervisor *sv, const struct child *child);
	/* All children are ready, and the parent is in its jail. */
	void (*on_ready)(struct supervisor *sv);
	/* SIGTERM, SIGINT or SIGHUP has come; NULL: slirpd ends. */
	void (*on_signal)(struct supervisor *sv, int number);
	/* The process command_pid has ended and been waited for; NULL: there is none. */
	void (*on_command_end)(struct supervisor *sv, int wait_status);
};

struct supervisor {
	const struct options *options; /* borrowed */
	const struct supervise_task *task;
	struct target target; /* closed once the helper is done */
	struct service services[IPC_ROLE_END];
	struct ipc_confine orders; /* for every child's jail */
	struct nswatch watch;
	struct cgroup_watch cgroup;
	struct outbound outbound;
	struct parent_policy policy;
	struct hostlist hostlist; /* for the policy */
	struct resolv resolv;
	struct ipc_confined
	    confined[IPC_ROLE_END]; /* the stages that each role has reached */
	struct ipc_about about;     /* the worker's libraries */
	int api_listen_fd; /* owned; the control socket; -1 without --api-socket */
	struct forward_table *forwards; /* owned; a copy of the connector's forwards */
	struct kept kept;               /* their sockets */
	uint32_t last_forward;          /* the highest id so far */
	struct handover handover;
	bool owes_dropped; /* table_dropped to the connector, whose queue was full */
	/* The connector has the forwards and the policy, and the others have channels to it. */
	bool is_connector_settled;
	struct ratelimit
	    contradictions; /* limit on lines about contradictions to the copy */
	uint32_t
	    links_wanted;   /* set of links (wiring.c) whose processes have full queues */
	size_t n_published; /* of options->publish */
	pid_t command_pid;  /* of `slirpd run`; 0 for none, and once it has ended */
	bool reap_again;    /* at the next turn, without a signal */
	enum supervise_phase phase;
	int status;             /* exit status, once SUPERVISE_ENDED */
	int signal_fd;          /* owned */
	int ready_fd;           /* owned; -1 after it was written, or for none */
	int exit_fd;            /* owned, -1 for none */
	int fallback_userns_fd; /* owned; the guest's, for each start; -1 for none */
	int tap_fd;             /* owned; kept for a restart of the worker */
	struct ipc_tap_made tap_made; /* of tap_fd */
	struct mac guest_mac;         /* of the TAP's interface, if has_guest_mac */
	bool has_guest_mac;
	uint64_t ping_at_ms;  /* CLOCK_MONOTONIC, of the next pings (watchdog.h) */
	uint64_t ready_at_ms; /* CLOCK_MONOTONIC; the beginning of service */
	uint64_t deadline_ms; /* CLOCK_MONOTONIC, of the start */
};

static inline struct child *
supervisor_child(struct supervisor *sv, enum ipc_role role)
{
	return &sv->services[role].child;
}

static inline struct ipc_channel *
supervisor_channel(struct supervisor *sv, enum ipc_role role)
{
	return &sv->services[role].child.channel;
}

/* Begins the end with this exit status, unless it has begun. */
static inline void
supervise_end(struct supervisor *sv, int status)
{
	if (sv->phase == SUPERVISE_ENDED)
		return;
	sv->phase = SUPERVISE_ENDED;
	sv->status = status;
}

/* The handlers of the children's messages; each is in the file of its subject. */
#define SUPERVISE_DECLARE(...) IPC_DECLARE_HANDLER(parent, struct supervisor, __VA_ARGS__)
IPC_ROWS_NETNS_HELPER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_SLIRP_WORKER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_CONNECTOR_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_RESOLVER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_SPAWNER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_API_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_CGROUP_MOVER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_POLICY_READER_TO_PARENT(SUPERVISE_DECLARE)
IPC_ROWS_POLICY(SUPERVISE_DECLARE)
