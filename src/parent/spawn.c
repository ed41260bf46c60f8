#include "parent/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "ipc/fdtable.h"

/* A child's lines on the log: as many at once as tell a whole story, and after that
 * one in five minutes, because a client may keep our output in memory for ever
 * (Podman's is an unlinked tmpfs file) and a guest must not fill it: 100 KiB a day. */
#define CHILD_LOG_BURST 64
#define CHILD_LOG_INTERVAL_MS (5 * 60 * 1000)

/* Where the program's own descriptor is parked for the exec, just after the table. */
#define CHILD_FD_PROGRAM IPC_CHILD_FD_END

/* Gives descriptor `from` the number `to`. Never the same two: dup2(n, n) would leave
 * close-on-exec set. */
static void
place_fd(int from, int to)
{
	if (dup2(from, to) == -1)
		_exit(EXITCODE_CANNOT_EXECUTE);
}

/* Gets a descriptor out of the way of the table's numbers. */
static int
move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FD_PROGRAM + 1);

	if (moved == -1)
		_exit(EXITCODE_CANNOT_EXECUTE);
	return moved;
}

/* Runs between fork and exec. */
static _Noreturn void
become(const struct role *role, int program_fd, int channel_fd, int null_fd,
    pid_t parent_pid)
{
	char *const argv[] = { (char *)(uintptr_t)role->program, NULL };
	char *const envp[] = { NULL };
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent_pid)
		_exit(EXITCODE_CANNOT_EXECUTE);

	/* The parent assumes nothing about the numbers of what it holds: any of them
	 * may be one that the table needs. */
	program_fd = move_up(program_fd);
	channel_fd = move_up(channel_fd);
	null_fd = move_up(null_fd);
	place_fd(null_fd, STDIN_FILENO);
	place_fd(null_fd, STDOUT_FILENO);
#ifndef SLIRPD_ROLES_KEEP_STDERR
	place_fd(null_fd, STDERR_FILENO);
#endif
	place_fd(channel_fd, IPC_CHILD_FD_PARENT);
	if (dup3(program_fd, CHILD_FD_PROGRAM, O_CLOEXEC) == -1)
		_exit(EXITCODE_CANNOT_EXECUTE);
	closefrom(CHILD_FD_PROGRAM + 1);

	/* exec keeps what is ignored, by us or by whoever started us. The two numbers
	 * that libc keeps for itself, and SIGKILL and SIGSTOP, can't be set. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	/* Sent to a whole process group or control group, these are for the parent, which
	 * ends its children in order. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fexecve(CHILD_FD_PROGRAM, argv, envp);
	_exit(EXITCODE_CANNOT_EXECUTE);
}

int
parent_spawn(struct child *child, const struct role *role, int program_fd)
{
	autofd int parent_end_fd = -1;
	autofd int child_end_fd = -1;
	autofd int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t parent_pid = getpid();
	pid_t pid;

	*child = (struct child){
		.role = role,
		.channel.fd = -1,
		.log_limit = {
			.burst = CHILD_LOG_BURST,
			.interval_ms = CHILD_LOG_INTERVAL_MS,
		},
	};
	if (null_fd == -1) {
		log_error("open /dev/null for %s: %s", role->name, strerror(errno));
		return -1;
	}
	if (ipc_channel_pair(&parent_end_fd, &child_end_fd) == -1) {
		log_error("make a channel to %s: %s", role->name, strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid == -1) {
		log_error("fork for %s: %s", role->name, strerror(errno));
		return -1;
	}
	if (pid == 0)
		become(role, program_fd, child_end_fd, null_fd, parent_pid);
	child->pid = pid;
	ipc_channel_open(&child->channel, take_fd(&parent_end_fd), IPC_ROLE_PARENT,
	    role->id);
	/* A child that died already is seen by its exit, not by this. */
	(void)ipc_channel_greet(&child->channel);
	return 0;
}

void
parent_describe_exit(const struct child *child, int wait_status, char *text,
    size_t text_size)
{
	const char *name = child->role->name;
	const char *signal_name = sigabbrev_np(WTERMSIG(wait_status));

	if (WIFSIGNALED(wait_status) && !signal_name)
		snprintf(text, text_size, "%s was killed by signal %d", name,
		    WTERMSIG(wait_status));
	else if (WIFSIGNALED(wait_status))
		snprintf(text, text_size, "%s was killed by SIG%s%s", name, signal_name,
		    WCOREDUMP(wait_status) ? " (core dumped)" : "");
	else if (WEXITSTATUS(wait_status) == EXITCODE_CANNOT_EXECUTE)
		snprintf(text, text_size, "program %s can't be executed",
		    child->role->program);
	else
		snprintf(text, text_size, "%s exited with status %d", name,
		    WEXITSTATUS(wait_status));
}
