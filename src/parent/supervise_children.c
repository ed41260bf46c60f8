#include "parent/supervise_children.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/text.h"
#include "ipc/dispatch.h"
#include "parent/report.h"
#include "parent/supervise.h"
#include "parent/supervise_signals.h"

/* Children end on the end of their channel within a millisecond. What has not ended by
 * now is killed, so that nothing is left a second after the end was asked for. */
#define END_GRACE_MS 500

/* Messages taken from one child per turn, so that none can keep the parent from its
 * signals and the others; poll tells of the rest. All that a child has to say at its
 * start, and far more than one sends in service. */
#define RECEIVE_MAX 64

/* Messages taken from a child that is gone. Somebody else may have its end of the channel and
 * go on sending. A queue holds fewer: each message takes 768 bytes or more of the 212,992 of
 * net.core.wmem_default, and this has room for a host where that is 14 times as much. */
#define LAST_RECEIVE_MAX 4096

/* Orphans waited for per turn, so that somebody who makes them as fast as they are waited for
 * can't keep the parent from everything else. A wait takes a microsecond or two. */
#define ORPHANS_MAX 64

#define CALL(...) IPC_CALL_HANDLER(parent, sv, &msg, __VA_ARGS__)

/* The child's line, with what a guest could have put into it made harmless. */
static void
log_record(struct child *child, const struct ipc_log *record)
{
	uint64_t n_held_back = child->log_limit.n_held_back;
	char text[LOG_TEXT_SIZE];
	char held_back[64] = "";

	/* Last words are said once; a child that goes on talking is held to the limit. */
	if (record->level == LOG_LEVEL_FATAL && !child->gave_reason)
		child->gave_reason = true;
	else if (!ratelimit_allow(&child->log_limit, clock_now_ms()))
		return;
	else if (n_held_back > 0)
		snprintf(held_back, sizeof(held_back), " (%llu lines held back)",
		    (unsigned long long)n_held_back);
	text_escape(text, sizeof(text), record->text, strlen(record->text));
	report_line((enum log_level)record->level, "%s[%d]: %s%s", child->role->name,
	    child->pid, text, held_back);
}

void
supervise_kill(struct child *child)
{
	ipc_channel_close(&child->channel);
	if (child->pid == 0 || child->is_reaped)
		return;
	child->is_killed = true;
	kill(child->pid, SIGKILL);
}

/* A message came without its descriptor. All that bring one to the parent are of the start. */
static void
miss_descriptor(struct supervisor *sv, const struct child *child,
    const struct ipc_message *msg, const char *why)
{
	if (sv->phase != SUPERVISE_STARTING)
		return;
	log_error("%s of %s: %s; ending", ipc_descriptions[msg->id].name,
	    child->role->name, why);
	supervise_end(sv, EXITCODE_FAILURE);
}

/* Receives up to n_max messages. */
static void
receive(struct supervisor *sv, struct child *child, int n_max)
{
	for (int i = 0; i < n_max && child->channel.fd != -1; i++) {
		struct ipc_message msg;
		const char *why;

		switch (ipc_channel_recv(&child->channel, &msg, &why)) {
		case IPC_OUTCOME_NONE:
			return;
		case IPC_OUTCOME_CLOSED:
			/* Its exit tells the rest. */
			ipc_channel_close(&child->channel);
			return;
		case IPC_OUTCOME_VIOLATION:
			log_error("%s[%d] broke the protocol: %s: %s; ending it",
			    child->role->name, child->pid,
			    msg.id < IPC_MSG_N ? ipc_descriptions[msg.id].name
					       : "message",
			    why);
			child->gave_reason = true;
			supervise_kill(child);
			return;
		case IPC_OUTCOME_SHORTAGE:
			miss_descriptor(sv, child, &msg, why);
			continue;
		case IPC_OUTCOME_MESSAGE:
			break;
		}
		child->last_message = msg.id;
		switch (msg.id) {
		case IPC_MSG_hello:
			break;
		case IPC_MSG_log:
			log_record(child, &msg.payload.log);
			break;
		case IPC_MSG_confined:
			sv->confined[child - sv->children] = msg.payload.confined;
			if (sv->report)
				parent_confinement_see(sv->report,
				    (enum ipc_role)(child - sv->children), child->pid);
			break;
			IPC_ROWS_NETNS_HELPER_TO_PARENT(CALL)
			IPC_ROWS_SLIRP_WORKER_TO_PARENT(CALL)
			IPC_ROWS_SPAWNER_TO_PARENT(CALL)
			IPC_ROWS_API_TO_PARENT(CALL)
		default:
			break;
		}
	}
}

void
supervise_receive(struct supervisor *sv, struct child *child)
{
	receive(sv, child, RECEIVE_MAX);
}

/* A child is gone, and what it had to say has been read. A signal that was not ours is
 * told whatever it said: it may have been taken over, and have said it to hide that. */
static void
bury(struct supervisor *sv, struct child *child, int wait_status)
{
	bool done = child->role->id == IPC_ROLE_NETNS_HELPER && sv->tap_fd != -1;
	bool of_signal = WIFSIGNALED(wait_status) &&
	    !(child->is_killed && WTERMSIG(wait_status) == SIGKILL);
	bool in_order = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXITCODE_OK;
	char text[LOG_TEXT_SIZE];

	parent_describe_exit(child, wait_status, sv->ready_at_ms != 0, clock_now_ms(),
	    text, sizeof(text));
	child->pid = 0;
	ipc_channel_close(&child->channel);
	if (done || sv->phase == SUPERVISE_ENDED) {
		if (in_order || (WIFSIGNALED(wait_status) && !of_signal))
			return;
		/* A failure has its reason already, which may be the child's too. */
		if (of_signal || (!child->gave_reason && sv->status == EXITCODE_OK))
			log_error("%s; its work was done", text);
		if (sv->phase == SUPERVISE_ENDED)
			sv->status = EXITCODE_FAILURE;
		return;
	}
	if (sv->phase == SUPERVISE_RUNNING && child->role->id == IPC_ROLE_API) {
		supervise_api_lost(sv, text);
		return;
	}
	if (sv->phase == SUPERVISE_RUNNING && child->role->id == IPC_ROLE_SPAWNER) {
		supervise_api_spawner_lost(sv, text);
		return;
	}
	if (of_signal || !child->gave_reason)
		log_error("%s; ending", text);
	if (child->role->id == IPC_ROLE_SLIRP_WORKER)
		supervise_api_tell(sv, IPC_EVENT_WORKER_EXITED);
	supervise_end(sv, EXITCODE_FAILURE);
}

static struct child *
find_child(struct supervisor *sv, pid_t pid)
{
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->children[i].pid == pid)
			return &sv->children[i];
	return NULL;
}

/* Whether there may be a child whose PID only the spawner knows yet. */
static bool
spawner_owes_pid(const struct supervisor *sv)
{
	const struct ipc_channel *spawner = &sv->children[IPC_ROLE_SPAWNER].channel;

	return spawner->fd != -1 && spawner->n_awaited > 0;
}

/*
 * Waits for a child that has ended; NULL if there is none. As PID 1 of a container, or a
 * subreaper, the parent is given orphans that it has not started, and they stay zombies until it
 * waits for them (pid_namespaces(7)).
 */
static struct child *
wait_for_ended(struct supervisor *sv, int *wait_status)
{
	if (!spawner_owes_pid(sv)) {
		for (int i = 0; i < ORPHANS_MAX; i++) {
			pid_t pid = waitpid(-1, wait_status, WNOHANG);

			if (pid <= 0)
				return NULL;
			if (find_child(sv, pid))
				return find_child(sv, pid);
		}
		sv->reap_again = true;
		return NULL;
	}
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->children[i].pid != 0 &&
		    waitpid(sv->children[i].pid, wait_status, WNOHANG) > 0)
			return &sv->children[i];
	return NULL;
}

/* The child has been waited for: its number may be another's from now on. */
static void
take_leave(struct supervisor *sv, struct child *child, int wait_status)
{
	child->is_reaped = true;
	receive(sv, child, LAST_RECEIVE_MAX);
	bury(sv, child, wait_status);
}

void
supervise_reap(struct supervisor *sv)
{
	struct child *child;
	int wait_status;

	sv->reap_again = false;
	while ((child = wait_for_ended(sv, &wait_status)))
		take_leave(sv, child, wait_status);
}

int
supervise_adopt(struct supervisor *sv, struct child *child, pid_t pid)
{
	int wait_status;
	pid_t ended;

	if (find_child(sv, pid))
		return -1;
	ended = waitpid(pid, &wait_status, WNOHANG);
	if (ended == -1)
		return -1;
	child->pid = pid;
	/* It has died before its number was known. */
	if (ended == pid)
		take_leave(sv, child, wait_status);
	return 0;
}

static bool
any_child_left(const struct supervisor *sv)
{
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->children[i].pid != 0)
			return true;
	return false;
}

void
supervise_end_children(struct supervisor *sv)
{
	uint64_t grace_ends_ms = clock_now_ms() + END_GRACE_MS;

	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		ipc_channel_close(&sv->children[i].channel);
	for (;;) {
		struct pollfd signals = { .fd = sv->signal_fd, .events = POLLIN };
		uint64_t now_ms = clock_now_ms();

		supervise_reap(sv);
		if (!any_child_left(sv) || now_ms >= grace_ends_ms)
			break;
		poll(&signals, 1, sv->reap_again ? 0 : (int)(grace_ends_ms - now_ms));
		supervise_signals_take(sv);
	}
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		struct child *child = &sv->children[i];
		int wait_status;

		if (child->pid == 0)
			continue;
		log_warning("%s[%d] does not end by itself; killing it",
		    child->role->name, child->pid);
		supervise_kill(child);
		if (waitpid(child->pid, &wait_status, 0) == child->pid)
			bury(sv, child, wait_status);
	}
}
