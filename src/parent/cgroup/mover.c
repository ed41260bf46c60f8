/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroup-mover: a process that moves the children into the control group of the parent. */
#include "parent/cgroup/mover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "confine/limits.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "ipc/dispatch.h"
#include "process/child.h"
#include "seccomp/cgroup-mover_policy.h"

/* The root of cgroup2 (O_PATH), behind the descriptors of every child. */
#define CGROUP_ROOT_FD (IPC_CHILD_FD_PARENT + 1)

/* "2147483647" with its NUL. */
#define PID_TEXT_SIZE 11

struct mover {
	struct ipc_channel to_parent;
};

#define DECLARE(...) IPC_DECLARE_HANDLER(mover, struct mover, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(mover, &mover, &msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_CGROUP_MOVER(DECLARE)

void
cgroup_mover_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	reached->stages |= IPC_STAGE_BIT(descriptors);
	(void)confine_ns_query(&reached->namespaces);
	if (orders->sandbox_mode != IPC_JAIL_OFF) {
		confine_stage_kept_capabilities(orders, reached, 0);
		confine_stage_limits(orders, reached,
		    CONFINE_LIMIT_NO_NEW_PRIVS | CONFINE_LIMIT_NOT_DUMPABLE |
			CONFINE_LIMIT_NO_CORE | CONFINE_LIMIT_NO_LOCKED_MEMORY);
		/* The next control group is not known yet, and may not exist yet. */
		confine_stage_landlock(orders, reached, CGROUP_ROOT_FD,
		    CONFINE_LANDLOCK_DENY_TCP | CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX |
			CONFINE_LANDLOCK_DENY_SIGNALS);
	}
	confine_stage_seccomp(orders, reached, seccomp_cgroup_mover_filter,
	    SECCOMP_CGROUP_MOVER_FILTER_LEN, seccomp_cgroup_mover_self_at,
	    SECCOMP_CGROUP_MOVER_N_CALLS);
}

void
mover_on_confine(struct mover *mover, const struct ipc_confine *msg)
{
	struct ipc_confined reached = { 0 };

	cgroup_mover_lock(msg, &reached);
	child_check_sent(ipc_send_confined(&mover->to_parent, &reached),
	    "report the jail to the parent");
	ipc_channel_set_running(&mover->to_parent);
	child_check_sent(ipc_send_cgroup_ready(&mover->to_parent),
	    "report to the parent");
}

/* Writes the PID to cgroup.procs, which moves all threads (cgroups(7)). Returns 0, or -1 with
 * errno set. A process that has ended meanwhile is not an error. */
static int
move(int procs_fd, uint32_t pid)
{
	char text[PID_TEXT_SIZE];
	int len = snprintf(text, sizeof(text), "%u", pid);

	return write(procs_fd, text, (size_t)len) != -1 || errno == ESRCH ? 0 : -1;
}

/* Moves each process that can be moved. Returns 0, or -1 with errno set to the first error. */
static int
move_all(const struct ipc_cgroup_follow *msg)
{
	char path[1 + IPC_CGROUP_SIZE + sizeof("/cgroup.procs")];
	autofd int procs_fd = -1;
	int error = 0;

	snprintf(path, sizeof(path), ".%s/cgroup.procs", msg->cgroup);
	procs_fd = openat(CGROUP_ROOT_FD, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (procs_fd == -1)
		return -1;
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (msg->pids[i] != 0 && move(procs_fd, msg->pids[i]) == -1 && error == 0)
			error = errno;
	errno = error;
	return error == 0 ? 0 : -1;
}

void
mover_on_cgroup_follow(struct mover *mover, const struct ipc_cgroup_follow *msg)
{
	(void)mover;
	if (move_all(msg) == 0)
		log_info("slirpd's processes follow it into control group %s",
		    msg->cgroup);
	else
		/* The path comes last: a line may be too short for it. */
		log_warning("move slirpd's processes: %s; those that stay in their "
			    "control group end with it; slirpd is in %s",
		    strerror(errno), msg->cgroup);
}

void
cgroup_mover_run(pid_t parent_pid)
{
	struct mover mover;
	struct ipc_message msg;

	(void)parent_pid;
	child_begin(&mover.to_parent, IPC_ROLE_CGROUP_MOVER, "slirpd-cgroup");
	while (child_wait(&mover.to_parent, &msg)) {
		switch (msg.id) {
			IPC_ROWS_PARENT_TO_CHILD(CALL)
			IPC_ROWS_PARENT_TO_CGROUP_MOVER(CALL)
		default:
			break;
		}
	}
}
