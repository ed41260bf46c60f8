/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals of the parent, read from a signalfd(2). */
#include "parent/supervise/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/log.h"

/* The signals whose dispositions are not left as they are. */
static const int changed[] = { SIGCHLD, SIGTERM, SIGUSR1, SIGPIPE, SIGXFSZ, SIGQUIT };

#define N_CHANGED (sizeof(changed) / sizeof(changed[0]))

/* What slirpd was started with: set once, by signals_prepare(). */
static struct sigaction caller_actions[N_CHANGED];
static sigset_t caller_mask;

static bool
is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static sigset_t
signals_taken(void)
{
	sigset_t taken;

	sigemptyset(&taken);
	sigaddset(&taken, SIGTERM);
	sigaddset(&taken, SIGCHLD);
	sigaddset(&taken, SIGUSR1);
	/* A shell ignores SIGINT, and nohup(1) SIGHUP, for programs that shall go on.
	 * Blocking such a signal would deliver it to us. */
	if (!is_ignored(SIGINT))
		sigaddset(&taken, SIGINT);
	if (!is_ignored(SIGHUP))
		sigaddset(&taken, SIGHUP);
	return taken;
}

void
signals_prepare(void)
{
	sigset_t taken = signals_taken();

	/* None of this can fail: the arguments are good. */
	sigprocmask(SIG_SETMASK, &taken, &caller_mask);
	for (size_t i = 0; i < N_CHANGED; i++)
		sigaction(changed[i], NULL, &caller_actions[i]);
	/* Of children that end nothing is told to those who ignore it. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* The caller's limit on file sizes must not kill the parent when it writes a log
	 * line or the copy of resolv.conf. */
	signal(SIGXFSZ, SIG_IGN);
}

void
signals_restore(void)
{
	for (size_t i = 0; i < N_CHANGED; i++)
		sigaction(changed[i], &caller_actions[i], NULL);
	sigprocmask(SIG_SETMASK, &caller_mask, NULL);
}

void
signals_leave_keys(void)
{
	/* SIGINT is taken all the same, and on_signal() does nothing. */
	signal(SIGQUIT, SIG_IGN);
}

int
signals_open(void)
{
	sigset_t taken = signals_taken();
	int fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		fatal("make a signal descriptor");
	return fd;
}

static void
ask_for_stats(struct supervisor *sv)
{
	struct ipc_channel *worker = supervisor_channel(sv, IPC_ROLE_SLIRP_WORKER);

	if (sv->services[IPC_ROLE_SLIRP_WORKER].is_ready &&
	    ipc_send_get_stats(worker) == 0)
		ipc_channel_await_reply(worker, IPC_MSG_stats);
}

bool
signals_take(struct supervisor *sv)
{
	struct signalfd_siginfo info;
	bool child_ended = false;

	while (read(sv->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
		case SIGHUP:
			if (sv->task->on_signal)
				sv->task->on_signal(sv, (int)info.ssi_signo);
			else
				supervise_end(sv, EXITCODE_OK);
			break;
		case SIGUSR1:
			ask_for_stats(sv);
			break;
		case SIGCHLD:
			child_ended = true;
			break;
		}
	}
	return child_ended;
}
