/* SPDX-License-Identifier: BSD-2-Clause */
/* The spawner: starts the services, and keeps a filter that allows that. */
#include "parent/supervise/spawner.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "confine/caps.h"
#include "confine/stages.h"
#include "ipc/dispatch.h"
#include "parent/supervise/spawn.h"
#include "process/child.h"
#include "seccomp/spawner_policy.h"

/* The state of the spawner. It has descriptors 0 to 3, as every child, and the programs of
 * the services. Its only input is the parent's messages. After the jail it alone may still
 * fork and execute. */
struct spawner {
	struct ipc_channel to_parent;
	int program_fds[IPC_ROLE_END]; /* owned; -1 until the message program */
	bool keeps_bind;               /* as in ipc_confine */
	pid_t parent_pid;
};

#define DECLARE(...) IPC_DECLARE_HANDLER(spawner, struct spawner, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(spawner, &spawner, &msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_SPAWNER(DECLARE)

void
spawner_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	/* No Landlock: a service could not mount its root under it. No limit on processes.
	 * execve(2) makes the service dumpable again, which its user namespace needs. */
	confine_stages_limited(orders, reached, seccomp_spawner_filter,
	    SECCOMP_SPAWNER_FILTER_LEN, seccomp_spawner_self_at, SECCOMP_SPAWNER_N_CALLS);
}

void
spawner_on_confine(struct spawner *spawner, const struct ipc_confine *msg)
{
	struct ipc_confined reached = { 0 };

	spawner_lock(msg, &reached);
	child_check_sent(ipc_send_confined(&spawner->to_parent, &reached),
	    "report the jail to the parent");
	spawner->keeps_bind = msg->keeps_bind;
	ipc_channel_set_running(&spawner->to_parent);
}

/* Forks, with the parent as the parent of the child: it gets SIGCHLD and waits for the
 * child. No libc has a function for that. */
static pid_t
fork_sibling(void)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PARENT | SIGCHLD, 0UL, 0UL,
	    0UL, 0UL);
}

void
spawner_on_program(struct spawner *spawner, const struct ipc_program *msg, int adopt_fd)
{
	if (spawner->program_fds[msg->role] != -1)
		fatalx("the parent sent the program of %s twice", roles[msg->role].name);
	spawner->program_fds[msg->role] = adopt_fd;
}

void
spawner_on_spawn(struct spawner *spawner, const struct ipc_spawn *msg, int adopt_fd)
{
	autofd int channel_fd = adopt_fd;
	struct ipc_spawned spawned = { .role = msg->role };
	int program_fd = spawner->program_fds[msg->role];
	pid_t pid;

	if (program_fd == -1)
		fatalx("the parent did not send the program of %s",
		    roles[msg->role].name);
	pid = fork_sibling();
	/* If this fails, the connector does without, in its whole jail. */
	if (pid == 0 && spawner->keeps_bind && msg->role == IPC_ROLE_CONNECTOR)
		(void)confine_caps_pass_on(CAP_NET_BIND_SERVICE);
	if (pid == 0)
		parent_spawn_become(&roles[msg->role], program_fd, channel_fd,
		    STDIN_FILENO, spawner->parent_pid);
	if (pid == -1)
		spawned.error = (uint32_t)errno;
	else
		spawned.pid = (uint32_t)pid;
	while (ipc_send_spawned(&spawner->to_parent, &spawned) == -1) {
		if (!ipc_channel_can_retry(errno))
			child_check_sent(-1, "report the new process to the parent");
		fdio_pause();
	}
}

void
spawner_run(pid_t parent_pid)
{
	struct spawner spawner = { .parent_pid = parent_pid };
	struct ipc_message msg;

	for (size_t i = 0; i < IPC_ROLE_END; i++)
		spawner.program_fds[i] = -1;
	child_begin(&spawner.to_parent, IPC_ROLE_SPAWNER, "slirpd-spawner");
	while (child_wait(&spawner.to_parent, &msg)) {
		switch (msg.id) {
			IPC_ROWS_PARENT_TO_CHILD(CALL)
			IPC_ROWS_PARENT_TO_SPAWNER(CALL)
		default:
			break;
		}
	}
}
