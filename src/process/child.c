/* SPDX-License-Identifier: BSD-2-Clause */
/* The start of every child, its log lines, and its wait for messages of the parent. */
#include "process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "ipc/fdtable.h"

/* The channel of the log lines. The log function takes no context, and a process has one
 * parent. */
static struct ipc_channel *log_channel;

static void
log_emit_to_parent(enum log_level level, const char *text)
{
	struct ipc_log record = { .level = (uint8_t)level };

	snprintf(record.text, sizeof(record.text), "%s", text);
	/* A line is lost and counted if the queue is full. The child does not wait. */
	(void)ipc_send_log(log_channel, &record);
}

void
child_die_with_parent(const struct ipc_channel *to_parent)
{
	struct pollfd channel = { .fd = to_parent->fd };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		fatal("set the parent-death signal");
	/* The parent may have died before the call: its end of the channel is then
	 * closed. */
	if (poll(&channel, 1, 0) == 1 && (channel.revents & POLLHUP))
		_exit(EXITCODE_OK);
}

void
child_begin(struct ipc_channel *to_parent, enum ipc_role role, const char *comm)
{
	if (!fdio_is_open(IPC_CHILD_FD_PARENT)) {
		fprintf(stderr, "%s is started by slirpd, not by hand\n", comm);
		exit(EXITCODE_FAILURE);
	}
	ipc_channel_open(to_parent, IPC_CHILD_FD_PARENT, role, IPC_ROLE_PARENT);
	log_channel = to_parent;
	log_set_emit(log_emit_to_parent);
	child_die_with_parent(to_parent);
	/* The kernel names a program after the descriptor that it was executed
	 * through. */
	prctl(PR_SET_NAME, comm);
	/* A closed peer, or the caller's limit on file sizes, must give an error and not
	 * end the process. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	child_check_sent(ipc_channel_greet(to_parent), "greet the parent");
}

void
child_check_sent(int result, const char *what)
{
	if (result == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		exit(EXITCODE_OK);
	fatal("%s", what);
}

bool
child_wait(struct ipc_channel *to_parent, struct ipc_message *msg)
{
	for (;;) {
		struct pollfd channel = { .fd = to_parent->fd, .events = POLLIN };
		const char *why;

		if (poll(&channel, 1, -1) == -1 && errno != EINTR)
			fatal("wait for the parent");
		switch (ipc_channel_recv(to_parent, msg, &why)) {
		case IPC_OUTCOME_MESSAGE:
			if (msg->id == IPC_MSG_hello)
				continue;
			return true;
		case IPC_OUTCOME_NONE:
			continue;
		case IPC_OUTCOME_CLOSED:
			return false;
		case IPC_OUTCOME_SHORTAGE:
		case IPC_OUTCOME_VIOLATION:
			fatalx("message from the parent: %s", why);
		}
	}
}

bool
child_receive(struct ipc_channel *to_parent, const struct serve *serve, void *ctx)
{
	struct serve_violation violation;
	enum serve_end end = serve_receive(to_parent, INT_MAX, serve, ctx, &violation);

	if (end == SERVE_VIOLATED)
		fatalx("message from the parent: %s", violation.why);
	return end != SERVE_CLOSED;
}
