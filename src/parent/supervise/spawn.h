/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the other processes, each with its exact descriptors and nothing else. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/ratelimit.h"
#include "ipc/channel.h"
#include "parent/supervise/roles.h"

struct child {
	const struct role *role;
	pid_t pid; /* 0 when there is none */
	struct ipc_channel channel;
	struct ratelimit log_limit; /* of its log lines, also across restarts */
	bool is_reaped;             /* pid is only a number any more */
	bool is_killed;             /* by us */
	bool gave_reason;      /* its end was explained; an exit status adds nothing */
	uint64_t started_ms;   /* CLOCK_MONOTONIC */
	uint32_t last_message; /* number of the last that it sent; IPC_MSG_N for none */
};

/*
 * Starts the role's program through program_fd (borrowed): descriptors as in
 * ipc/fdtable.h, empty environment, default signals but for those that are the parent's,
 * ended with the parent. Greets it. *child is all zeros before
 * its first start. Returns 0, or -1 having logged the reason. The caller
 * ends it by closing its channel, or kill(2), and reaps it with waitpid(2).
 */
int parent_spawn(struct child *child, const struct role *role, int program_fd);

/* The same for the spawner (parent/supervise/spawner.h), which is this program; program_fd
 * (borrowed) is that of the role which it will start. */
int parent_spawn_spawner(struct child *child, const struct role *role, int program_fd);

/*
 * The same for a role that the spawner starts: asks it to, and awaits its `spawned`,
 * which brings the pid. Until then the pid is 0, and what is sent waits in the channel. Of
 * a spawner that is gone its exit tells; then the result is 0, and the channel is closed.
 */
int parent_spawn_by(struct child *child, const struct role *role, struct child *spawner);

/*
 * In a process that was just forked: puts the descriptors into the role's places, with
 * program_fd (close-on-exec) behind them, closes all others, sets the signals, and asks
 * to be ended with parent_pid. Ends the process where that can't be done.
 */
void parent_spawn_arrange(const struct role *role, int program_fd, int channel_fd,
    int null_fd, pid_t parent_pid);

/* The same, and then becomes the role's program. */
_Noreturn void parent_spawn_become(const struct role *role, int program_fd,
    int channel_fd, int null_fd, pid_t parent_pid);

/*
 * "netns-helper exited with status 1"; of a signal also when it came, by what the child
 * has told of itself last: "slirp-worker was killed by SIGSEGV 12.345 s after its start,
 * in service; its last message was ready". in_service: that of slirpd.
 */
void parent_describe_exit(const struct child *child, int wait_status, bool in_service,
    uint64_t now_ms, char *text, size_t text_size);
