/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals of the parent, read from a signalfd(2). */
#include "parent/supervise/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/log.h"

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

	/* The arguments are valid, so the calls cannot fail. */
	sigprocmask(SIG_SETMASK, &taken, NULL);
	/* An ignored SIGCHLD would make the kernel discard the exit statuses of
	 * children. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* The caller's limit on file sizes must not kill the parent when it writes a log
	 * line or the copy of resolv.conf. */
	signal(SIGXFSZ, SIG_IGN);
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
	struct ipc_get_stats request = { 0 };

	if (sv->phase == SUPERVISE_RUNNING && ipc_send_get_stats(worker, &request) == 0)
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
