/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the other processes, and describes how they end. */
#include "parent/supervise/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "ipc/fdtable.h"

/* The limit on a child's log lines: enough at once for a whole story, then one in five
 * minutes. A client may keep our output in memory for ever (Podman's is an unlinked tmpfs
 * file), and a guest must not fill it. This is 100 KiB a day. */
#define CHILD_LOG_BURST 64
#define CHILD_LOG_INTERVAL_MS (5 * 60 * 1000)

/* Fits "SIGVTALRM" and "signal 64" with the NUL. */
#define SIGNAL_NAME_SIZE 16

/* Duplicates descriptor `from` to the number `to`. The two must differ: dup2(n, n) keeps
 * close-on-exec. */
static void
place_fd(int from, int to)
{
	if (dup2(from, to) == -1)
		_exit(EXITCODE_CANNOT_ARRANGE);
}

/* Moves a descriptor above the numbers that are to be placed. */
static int
move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, IPC_CHILD_FD_PROGRAM + 1);

	if (moved == -1)
		_exit(EXITCODE_CANNOT_ARRANGE);
	return moved;
}

/* Called in the child after fork(2). Puts the descriptors at the role's numbers and extra_fd,
 * unless it is -1, at extra_number (close-on-exec). Closes all others, sets the signals, and asks the kernel to kill
 * the process when parent_pid ends. Exits if a step fails. */
static void
arrange(const struct role *role, int extra_fd, int extra_number, int channel_fd,
    int null_fd, pid_t parent_pid)
{
	sigset_t all, none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent_pid)
		_exit(EXITCODE_CANNOT_EXECUTE);

	/* The parent's descriptors may have any number, also one of the table. */
	if (extra_fd != -1)
		extra_fd = move_up(extra_fd);
	channel_fd = move_up(channel_fd);
	null_fd = move_up(null_fd);
	for (int fd = 0; fd < role->n_fds; fd++) {
#ifdef SLIRPD_ROLES_KEEP_STDERR
		if (fd == STDERR_FILENO)
			continue;
#endif
		place_fd(fd == IPC_CHILD_FD_PARENT ? channel_fd : null_fd, fd);
	}
	for (int fd = role->n_fds; fd < extra_number; fd++)
		close(fd);
	if (extra_fd != -1 && dup3(extra_fd, extra_number, O_CLOEXEC) == -1)
		_exit(EXITCODE_CANNOT_ARRANGE);
	closefrom(extra_fd != -1 ? extra_number + 1 : extra_number);

	/* A signal to the whole group must not come between the default action and the next. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* execve(2) keeps ignored signals. The calls fail for SIGKILL, SIGSTOP and the
	 * two signals of libc. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	/* A terminal or service manager sends these to a whole process group or control
	 * group. The parent handles them and ends its children. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* A terminal sends it to the whole group; with `slirpd run` it is for the command. */
	signal(SIGQUIT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void
parent_spawn_become(const struct role *role, int program_fd, int channel_fd, int null_fd,
    pid_t parent_pid)
{
	char *const argv[] = { (char *)(uintptr_t)role->program, NULL };
	char *const envp[] = { NULL };

	arrange(role, program_fd, IPC_CHILD_FD_PROGRAM, channel_fd, null_fd, parent_pid);
	fexecve(IPC_CHILD_FD_PROGRAM, argv, envp);
	_exit(errno == ENOMEM ? EXITCODE_NO_MEMORY : EXITCODE_CANNOT_EXECUTE);
}

/* Initialises the child's record and makes the channel to it, with a greeting in the
 * queue. Returns the child's end, owned by the caller, or -1 having logged the reason. */
static int
make_channel(struct child *child, const struct role *role)
{
	struct ratelimit log_limit = child->log_limit;
	int parent_end_fd, child_end_fd;

	/* All starts of a role share one limit. */
	if (!child->role)
		log_limit = (struct ratelimit){
			.burst = CHILD_LOG_BURST,
			.interval_ms = CHILD_LOG_INTERVAL_MS,
		};
	*child = (struct child){
		.role = role,
		.channel.fd = -1,
		.log_limit = log_limit,
		.started_ms = clock_now_ms(),
		.last_message = IPC_MSG_N,
	};
	if (ipc_channel_pair(&parent_end_fd, &child_end_fd) == -1) {
		log_error("make a channel to %s: %s", role->name, strerror(errno));
		return -1;
	}
	ipc_channel_open(&child->channel, parent_end_fd, IPC_ROLE_PARENT, role->id);
	(void)ipc_channel_greet(&child->channel);
	return child_end_fd;
}

int
parent_spawn(struct child *child, const struct role *role, int extra_fd,
    void (*run)(pid_t parent_pid))
{
	autofd int child_end_fd = make_channel(child, role);
	autofd int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t parent_pid = getpid();
	pid_t pid;

	if (child_end_fd == -1)
		return -1;
	if (null_fd == -1) {
		log_error("open /dev/null for %s: %s", role->name, strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid == -1) {
		log_error("fork for %s: %s", role->name, strerror(errno));
		return -1;
	}
	if (pid == 0 && !run)
		parent_spawn_become(role, extra_fd, child_end_fd, null_fd, parent_pid);
	if (pid == 0) {
		arrange(role, extra_fd, role->n_fds, child_end_fd, null_fd, parent_pid);
		run(parent_pid);
		/* Not exit(3), which would run the exit functions of the parent. */
		_exit(EXITCODE_OK);
	}
	child->pid = pid;
	return 0;
}

int
parent_spawn_by(struct child *child, const struct role *role, struct child *spawner)
{
	const struct ipc_spawn msg = { .role = role->id };
	autofd int child_end_fd = make_channel(child, role);

	if (child_end_fd == -1)
		return -1;
	if (ipc_send_spawn(&spawner->channel, &msg, child_end_fd) == -1) {
		bool is_gone = errno == EPIPE || errno == ECONNRESET || errno == EBADF;

		if (!is_gone)
			log_error("ask the spawner for %s: %s", role->name,
			    strerror(errno));
		ipc_channel_close(&child->channel);
		return is_gone ? 0 : -1;
	}
	ipc_channel_await_reply(&spawner->channel, IPC_MSG_spawned);
	return 0;
}

void
parent_describe_exit(const struct child *child, int wait_status, bool in_service,
    uint64_t now_ms, char *text, size_t text_size)
{
	const char *name = child->role->name;
	const char *abbreviation = sigabbrev_np(WTERMSIG(wait_status));
	uint64_t age_ms = now_ms - child->started_ms;
	char signal_name[SIGNAL_NAME_SIZE];

	if (WIFEXITED(wait_status)) {
		if (WEXITSTATUS(wait_status) == EXITCODE_CANNOT_EXECUTE)
			snprintf(text, text_size, "program %s can't be executed",
			    child->role->program);
		else if (WEXITSTATUS(wait_status) == EXITCODE_CANNOT_LOAD)
			snprintf(text, text_size,
			    "the libraries of %s can't be loaded: one is missing, or the "
			    "memory for them",
			    child->role->program);
		else if (WEXITSTATUS(wait_status) == EXITCODE_NO_MEMORY)
			snprintf(text, text_size, "program %s can't be executed: %s",
			    child->role->program, strerror(ENOMEM));
		else if (WEXITSTATUS(wait_status) == EXITCODE_CANNOT_ARRANGE)
			snprintf(text, text_size,
			    "%s can't have its descriptors: the limit on open files is "
			    "too low",
			    name);
		else
			snprintf(text, text_size, "%s exited with status %d", name,
			    WEXITSTATUS(wait_status));
		return;
	}
	if (abbreviation)
		snprintf(signal_name, sizeof(signal_name), "SIG%s", abbreviation);
	else
		snprintf(signal_name, sizeof(signal_name), "signal %d",
		    WTERMSIG(wait_status));
	snprintf(text, text_size,
	    "%s was killed by %s%s %" PRIu64 ".%03" PRIu64
	    " s after its start, %s; its last message was %s",
	    name, signal_name, WCOREDUMP(wait_status) ? " (core dumped)" : "",
	    age_ms / CLOCK_MS_PER_S, age_ms % CLOCK_MS_PER_S,
	    in_service ? "in service" : "before service",
	    child->last_message < IPC_MSG_N ? ipc_descriptions[child->last_message].name
					    : "none");
}
