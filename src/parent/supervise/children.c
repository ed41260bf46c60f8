/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives the messages of children, and waits for children that have ended. */
#include "parent/supervise/children.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/dispatch.h"
#include "parent/output/report.h"
#include "process/serve.h"

/* Orphans to wait for in one turn, so that a process that makes them fast cannot occupy
 * the parent. One wait takes a microsecond or two. */
#define ORPHANS_MAX 64

#define CALL(...) IPC_CALL_HANDLER(parent, sv, msg, __VA_ARGS__)

/* Logs a line of a child, escaped: a guest may have chosen some of its bytes. */
static void
log_record(struct child *child, const struct ipc_log *record)
{
	uint64_t n_held_back = child->log_limit.n_held_back;
	char text[LOG_TEXT_SIZE];
	char held_back[64] = "";

	/* One fatal line is logged in any case. The limit holds for the other lines. */
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
children_kill(struct child *child)
{
	ipc_channel_close(&child->channel);
	if (child->pid == 0 || child->is_reaped)
		return;
	child->is_killed = true;
	kill(child->pid, SIGKILL);
}

/* Whether a service that was started again has as complete a jail as the first. If not, it is
 * ended: nobody would notice otherwise. */
static bool
is_as_confined(struct supervisor *sv, struct child *child,
    const struct ipc_confined *reached)
{
	const struct ipc_confined *first = &sv->confined[child->role->id];
	uint32_t lost = first->stages & ~reached->stages;

	if (sv->services[child->role->id].n_restarts == 0 ||
	    (lost == 0 && !(reached->cap_effective & ~first->cap_effective)))
		return true;
	log_error("%s[%d] has less of a jail than the one before it; ending it",
	    child->role->name, child->pid);
	children_kill(child);
	return false;
}

/* A service reports that a peer broke the protocol. The peer may have been replaced meanwhile. */
static void
note_dropped(struct supervisor *sv, const struct child *sender,
    const struct ipc_peer_dropped *msg)
{
	const struct service *peer = &sv->services[msg->role];
	char why[LOG_TEXT_SIZE];

	if (msg->number != peer->n_restarts || peer->child.channel.fd == -1)
		return;
	text_escape(why, sizeof(why), msg->why, strlen(msg->why));
	log_error("%s dropped %s[%d]: %s; ending it", sender->role->name,
	    peer->child.role->name, peer->child.pid, why);
	children_kill(&sv->services[msg->role].child);
}

/* A service had no descriptor left for its channel to a peer; wiring.c makes the channel again. */
static void
note_missed(struct supervisor *sv, const struct child *sender,
    const struct ipc_peer_missed *msg)
{
	/* If the peer has been replaced meanwhile, another channel has come. */
	if (msg->number == sv->services[msg->role].n_restarts)
		sv->services[sender->role->id].missed_peers |= UINT32_C(1) << msg->role;
}

/* Whose messages are received. */
struct sender {
	struct supervisor *sv;
	struct child *child;
};

static bool
take(void *ctx, struct ipc_message *msg)
{
	const struct sender *sender = ctx;
	struct supervisor *sv = sender->sv;
	struct child *child = sender->child;

	/* It tells nothing of what the child did. */
	if (msg->id != IPC_MSG_pong)
		child->last_message = msg->id;
	switch (msg->id) {
	case IPC_MSG_hello:
		break;
	case IPC_MSG_log:
		log_record(child, &msg->payload.log);
		break;
	case IPC_MSG_pong:
		child->n_unanswered = 0;
		break;
	case IPC_MSG_peer_dropped:
		note_dropped(sv, child, &msg->payload.peer_dropped);
		break;
	case IPC_MSG_peer_missed:
		note_missed(sv, child, &msg->payload.peer_missed);
		break;
	case IPC_MSG_confined:
		if (!is_as_confined(sv, child, &msg->payload.confined))
			break;
		sv->confined[child->role->id] = msg->payload.confined;
		if (sv->task->on_confined)
			sv->task->on_confined(sv, child);
		break;
		IPC_ROWS_NETNS_HELPER_TO_PARENT(CALL)
		IPC_ROWS_SLIRP_WORKER_TO_PARENT(CALL)
		IPC_ROWS_CONNECTOR_TO_PARENT(CALL)
		IPC_ROWS_RESOLVER_TO_PARENT(CALL)
		IPC_ROWS_SPAWNER_TO_PARENT(CALL)
		IPC_ROWS_API_TO_PARENT(CALL)
		IPC_ROWS_CGROUP_MOVER_TO_PARENT(CALL)
		IPC_ROWS_POLICY_READER_TO_PARENT(CALL)
		IPC_ROWS_POLICY(CALL)
	default:
		break;
	}
	return true;
}

/* All messages that bring a descriptor to the parent are of the start. */
static void
miss_descriptor(void *ctx, const struct ipc_message *msg, const char *why)
{
	const struct sender *sender = ctx;

	if (sender->sv->phase != SUPERVISE_STARTING)
		return;
	log_error("%s of %s: %s; ending", ipc_descriptions[msg->id].name,
	    sender->child->role->name, why);
	supervise_end(sender->sv, EXITCODE_FAILURE);
}

void
children_receive(struct supervisor *sv, struct child *child, int n_max)
{
	static const struct serve from_child = { .take = take, .miss = miss_descriptor };
	struct sender sender = { .sv = sv, .child = child };
	struct serve_violation violation;

	switch (serve_receive(&child->channel, n_max, &from_child, &sender, &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		/* The child's exit tells the rest. */
		ipc_channel_close(&child->channel);
		break;
	case SERVE_VIOLATED:
		log_error("%s[%d] broke the protocol: %s: %s; ending it",
		    child->role->name, child->pid, violation.row, violation.why);
		child->gave_reason = true;
		children_kill(child);
		break;
	}
}

struct child *
children_find(struct supervisor *sv, pid_t pid)
{
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->services[i].child.pid == pid)
			return &sv->services[i].child;
	return NULL;
}

/* Whether the spawner has started a child and not yet reported its PID. */
static bool
spawner_owes_pid(const struct supervisor *sv)
{
	const struct ipc_channel *spawner = &sv->services[IPC_ROLE_SPAWNER].child.channel;

	return spawner->fd != -1 && spawner->n_awaited[IPC_MSG_spawned] > 0;
}

/* Whether the process that has ended was the command of `slirpd run`. */
static bool
note_command_end(struct supervisor *sv, pid_t pid, int wait_status)
{
	if (sv->command_pid == 0 || pid != sv->command_pid)
		return false;
	sv->command_pid = 0;
	sv->task->on_command_end(sv, wait_status);
	return true;
}

struct child *
children_wait_for_ended(struct supervisor *sv, int *wait_status)
{
	if (!spawner_owes_pid(sv)) {
		for (int i = 0; i < ORPHANS_MAX; i++) {
			pid_t pid = waitpid(-1, wait_status, WNOHANG);

			if (pid <= 0)
				return NULL;
			if (note_command_end(sv, pid, *wait_status))
				continue;
			if (children_find(sv, pid))
				return children_find(sv, pid);
		}
		sv->reap_again = true;
		return NULL;
	}
	if (sv->command_pid != 0 && waitpid(sv->command_pid, wait_status, WNOHANG) > 0)
		note_command_end(sv, sv->command_pid, *wait_status);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->services[i].child.pid != 0 &&
		    waitpid(sv->services[i].child.pid, wait_status, WNOHANG) > 0)
			return &sv->services[i].child;
	return NULL;
}
