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
#include "confine/namespaces.h"

/* The guest's report of its start. */
struct guest_report {
	enum confine_ns_bar bar; /* valid unless has_netns */
	char has_netns;
};

/* Makes the namespaces, reports the result, and waits until the other end of hold_fd is
 * closed. */
static _Noreturn void
run_guest(int report_fd, int hold_fd)
{
	struct guest_report report = { .has_netns = 1 };
	const char *step;
	char byte;

	if (confine_ns_own(CLONE_NEWUSER | CLONE_NEWNET, NULL, &step) == -1) {
		report.bar = confine_ns_bar(CLONE_NEWUSER | CLONE_NEWNET, errno);
		/* If a later step failed, the new user namespace is of no use. */
		report.has_netns = strcmp(step, "unshare") == 0 &&
		    confine_ns_own(CLONE_NEWNET, NULL, NULL) == 0;
	}
	/* The kernel forgot the parent-death signal when the credentials changed. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    write(report_fd, &report, sizeof(report)) != sizeof(report))
		_exit(EXITCODE_FAILURE);
	/* Nobody writes to hold_fd. If the parent died before prctl(2), this is an end of
	 * file as well. */
	if (report.has_netns && read(hold_fd, &byte, 1) == 0)
		_exit(EXITCODE_OK);
	_exit(EXITCODE_FAILURE);
}

int
parent_guest_make(struct guest *guest)
{
	int hold_fds[2], report_fds[2];
	autofd int hold_read_fd = -1, hold_write_fd = -1;
	autofd int report_read_fd = -1, report_write_fd = -1;
	struct guest_report report;

	*guest = (struct guest){ .hold_fd = -1 };
	if (pipe2(hold_fds, O_CLOEXEC) == -1)
		return -1;
	hold_read_fd = hold_fds[0];
	hold_write_fd = hold_fds[1];
	if (pipe2(report_fds, O_CLOEXEC) == -1)
		return -1;
	report_read_fd = report_fds[0];
	report_write_fd = report_fds[1];

	guest->pid = fork();
	if (guest->pid == -1) {
		guest->pid = 0;
		return -1;
	}
	if (guest->pid == 0) {
		close(take_fd(&hold_write_fd));
		run_guest(report_write_fd, hold_read_fd);
	}
	close(take_fd(&report_write_fd));
	guest->hold_fd = take_fd(&hold_write_fd);
	if (read(report_read_fd, &report, sizeof(report)) != sizeof(report)) {
		parent_guest_end(guest);
		errno = ECHILD;
		return -1;
	}
	if (!report.has_netns) {
		parent_guest_end(guest);
		guest->bar = confine_ns_bar_str(report.bar);
	}
	return 0;
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
