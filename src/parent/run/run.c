/* SPDX-License-Identifier: BSD-2-Clause */
/* `slirpd run`: the parent's part. The start is that of any other guest; only the process that names
 * it is a child, which waits for the network and then becomes the command. */
#include "parent/run/run.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "parent/run/command.h"
#include "parent/run/guest.h"
#include "parent/supervise/service.h"
#include "parent/supervise/signals.h"
#include "parent/supervise/start.h"

/* From SIGTERM to SIGKILL, for a command that outlives its network: enough for a shell to write its
 * history, and little enough that a caller does not take slirpd for hanging. */
#define END_GRACE_MS 2000

/* There is one command in a process. */
static struct guest guest;
static int command_status; /* its exit status, once it has ended */

void
run_prepare(struct options *options)
{
	const struct confine_ids root = { 0 };
	const struct guest_work work = {
		.more_namespaces = CLONE_NEWNS,
		.inside = options->keep_id ? NULL : &root,
		.prepare = command_prepare,
		.begin = command_begin,
		.context = options,
	};
	const char *step;

	signals_leave_keys();
	if (parent_guest_make(&guest, &work, &step) == -1)
		fatal("start the command: %s", step);
	if (guest.pid == 0)
		fatalx("start the command: user, network and mount namespace: %s",
		    guest.bar);
	options->target_pid = guest.pid;
}

static void
begin_command(struct supervisor *sv)
{
	start_task.on_ready(sv);
	/* If that fails, the process has ended, and SIGCHLD is on its way. */
	if (sv->phase == SUPERVISE_RUNNING)
		(void)parent_guest_release(&guest);
}

static void
pass_signal(struct supervisor *sv, int number)
{
	/* A terminal sends it to all processes in the foreground, and so to the command. One that
	 * another process has sent looks the same if it went to the whole group. */
	if (number == SIGINT || sv->command_pid == 0)
		return;
	kill(sv->command_pid, number);
}

static void
end_with_command(struct supervisor *sv, int wait_status)
{
	command_status = WIFSIGNALED(wait_status)
	    ? EXITCODE_RUN_SIGNAL_BASE + WTERMSIG(wait_status)
	    : WEXITSTATUS(wait_status);
	supervise_end(sv, EXITCODE_OK);
}

static const struct supervise_task command_task = {
	.on_ready = begin_command,
	.on_signal = pass_signal,
	.on_command_end = end_with_command,
};

static bool
command_has_ended(const struct supervisor *sv)
{
	return sv->command_pid == 0;
}

/* The network ends before the command. */
static void
end_command(struct supervisor *sv)
{
	int wait_status;

	kill(sv->command_pid, SIGTERM);
	service_wait_until(sv, command_has_ended, clock_now_ms() + END_GRACE_MS);
	if (sv->command_pid == 0)
		return;
	log_warning("the command does not end by itself; killing it");
	kill(sv->command_pid, SIGKILL);
	if (waitpid(sv->command_pid, &wait_status, 0) == sv->command_pid)
		end_with_command(sv, wait_status);
	sv->command_pid = 0;
}

int
run_supervise(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	int status;

	sv->task = &command_task;
	sv->command_pid = guest.pid;
	status = supervise_all(sv, program_fds);
	if (sv->command_pid == 0)
		return command_status;
	end_command(sv);
	return status == EXITCODE_OK ? command_status : EXITCODE_RUN_FAILED;
}
