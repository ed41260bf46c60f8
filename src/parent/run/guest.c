/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that slirpd makes: for --print-confinement and for run. */
#include "parent/run/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/exitcode.h"

/* What the guest says of its start. It is a fork of the parent, so a static text has the same address
 * in both. */
struct guest_report {
	enum confine_ns_bar bar; /* valid unless has_netns */
	char has_netns;
	const char *failed_step; /* of `prepare`; NULL: it went well */
	int error;
};

static void
enter(const struct guest_work *work, struct guest_report *report)
{
	const int flags = CLONE_NEWUSER | CLONE_NEWNET | work->more_namespaces;
	const char *step;

	report->has_netns = 1;
	if (confine_ns_own(flags, work->inside, &step) == 0)
		return;
	report->bar = confine_ns_bar(flags, errno);
	/* After a later step there is a user namespace, but a useless one. */
	report->has_netns = work->may_lack_userns && strcmp(step, "unshare") == 0 &&
	    confine_ns_own(CLONE_NEWNET, NULL, NULL) == 0;
}

/* Makes the namespaces, says how that went, and stays until it is released or nobody holds the other
 * end of hold_fd. */
static _Noreturn void
live(const struct guest_work *work, int report_fd, int hold_fd)
{
	struct guest_report report = { .failed_step = NULL };
	char byte;
	ssize_t n;

	enter(work, &report);
	/* The kernel forgot it when the credentials changed. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(EXITCODE_FAILURE);
	if (report.has_netns && work->prepare &&
	    work->prepare(work->context, &report.failed_step) == 0)
		report.failed_step = NULL;
	report.error = errno;
	if (write(report_fd, &report, sizeof(report)) != sizeof(report))
		_exit(EXITCODE_FAILURE);
	if (!report.has_netns || report.failed_step)
		_exit(EXITCODE_FAILURE);
	/* A parent that died before the prctl is an end of file as well. */
	do
		n = read(hold_fd, &byte, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		work->begin(work->context);
	_exit(n == 0 ? EXITCODE_OK : EXITCODE_FAILURE);
}

/* Ends a guest that failed, with this errno for the caller. */
static int
fail(struct guest *guest, int error)
{
	parent_guest_end(guest);
	errno = error;
	return -1;
}

int
parent_guest_make(struct guest *guest, const struct guest_work *work, const char **step)
{
	int hold_fds[2], report_fds[2];
	autofd int hold_read_fd = -1, hold_write_fd = -1;
	autofd int report_read_fd = -1, report_write_fd = -1;
	struct guest_report report;

	*guest = (struct guest){ .hold_fd = -1 };
	*step = "make a pipe";
	if (pipe2(hold_fds, O_CLOEXEC) == -1)
		return -1;
	hold_read_fd = hold_fds[0];
	hold_write_fd = hold_fds[1];
	if (pipe2(report_fds, O_CLOEXEC) == -1)
		return -1;
	report_read_fd = report_fds[0];
	report_write_fd = report_fds[1];

	*step = "fork";
	guest->pid = fork();
	if (guest->pid == -1) {
		guest->pid = 0;
		return -1;
	}
	if (guest->pid == 0) {
		close(take_fd(&hold_write_fd));
		live(work, report_write_fd, hold_read_fd);
	}
	close(take_fd(&report_write_fd));
	guest->hold_fd = take_fd(&hold_write_fd);
	*step = "make namespaces";
	if (read(report_read_fd, &report, sizeof(report)) != sizeof(report))
		return fail(guest, ECHILD);
	if (report.failed_step) {
		*step = report.failed_step;
		return fail(guest, report.error);
	}
	if (!report.has_netns) {
		parent_guest_end(guest);
		guest->bar = confine_ns_bar_str(report.bar);
	}
	return 0;
}

int
parent_guest_release(struct guest *guest)
{
	autofd int hold_fd = take_fd(&guest->hold_fd);

	return write(hold_fd, "", 1) == 1 ? 0 : -1;
}

void
parent_guest_end(struct guest *guest)
{
	if (guest->hold_fd != -1)
		close(take_fd(&guest->hold_fd));
	if (guest->pid != 0)
		waitpid(guest->pid, NULL, 0);
	guest->pid = 0;
}
