/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the other processes, each with its table of descriptors and no others. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/ratelimit.h"
#include "ipc/channel.h"
#include "parent/roles.h"

struct child {
	const struct role *role;
	pid_t pid; /* 0 when there is none */
	struct ipc_channel channel;
	struct ratelimit log_limit; /* of its log lines, across restarts */
	bool is_reaped;        /* it was waited for: pid may belong to another process */
	bool is_killed;        /* by the parent */
	uint32_t n_unanswered; /* pings since its last pong */
	bool gave_reason;      /* the reason of its end was logged */
	uint64_t started_ms;   /* CLOCK_MONOTONIC */
	uint32_t last_message; /* the last message that it sent; IPC_MSG_N for none */
};

/*
 * Starts the role's process and greets it. If `run` is NULL, the child executes the program
 * extra_fd (borrowed), with an empty environment. Otherwise it is a fork of the parent: it
 * has extra_fd, unless that is -1, as the descriptor after its table, calls `run`, and exits. Both have the
 * descriptors of ipc/fdtable.h and default signals, except the parent's, and end with the
 * parent. *child is all zeros before its first start. Returns 0, or -1 having logged the
 * reason. To end the child, close its channel or kill it, and wait for it.
 */
int parent_spawn(struct child *child, const struct role *role, int extra_fd,
    void (*run)(pid_t parent_pid));

/* The same for a role that the spawner starts. Its message `spawned` brings the PID.
 * Until then pid is 0, and messages to the child wait in the channel. If the spawner has
 * ended, returns 0 with the channel closed; the spawner's exit gives the reason. */
int parent_spawn_by(struct child *child, const struct role *role, struct child *spawner);

/* Called in the child after fork(2). Arranges its descriptors and signals, and executes the
 * role's program. Exits if a step fails. */
_Noreturn void parent_spawn_become(const struct role *role, int program_fd,
    int channel_fd, int null_fd, pid_t parent_pid);

/* Describes the end of a child, for example "netns-helper exited with status 1". After a
 * signal it adds the time and the last message: "slirp-worker was killed by SIGSEGV
 * 12.345 s after its start, in service; its last message was ready". in_service is the
 * state of slirpd. */
void parent_describe_exit(const struct child *child, int wait_status, bool in_service,
    uint64_t now_ms, char *text, size_t text_size);
