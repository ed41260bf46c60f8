/* Starts the other programs, each with its exact descriptors and nothing else. */
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
	struct ratelimit log_limit; /* of its log lines */
	bool is_reaped;             /* pid is only a number any more */
	bool gave_reason; /* its last words were logged; its exit status adds nothing */
};

/*
 * Starts the role's program through program_fd (borrowed): descriptors as in
 * ipc/fdtable.h, empty environment, default signals but for those that are the parent's, ended with the parent. Greets it.
 * Returns 0, or -1 having logged the reason. The caller ends it by closing
 * its channel, or kill(2), and reaps it with waitpid(2).
 */
int parent_spawn(struct child *child, const struct role *role, int program_fd);

/* "netns-helper exited with status 1", "slirp-worker was killed by SIGSEGV". */
void parent_describe_exit(const struct child *child, int wait_status, char *text,
    size_t text_size);
