/* SPDX-License-Identifier: BSD-2-Clause */
/* How processes are started and started again, and what their ends mean. */
#include "parent/supervise/service.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "parent/supervise/children.h"
#include "parent/supervise/signals.h"
#include "parent/supervise/wiring.h"

/* After a life of at least this a process is started again at once. */
#define GOOD_LIFE_MS UINT64_C(60000)

/* From its start until it is ready a process takes milliseconds, and on a loaded machine some
 * more; after this, something hangs, and clients wait for it. */
#define READY_TIMEOUT_MS 10000

/* Otherwise the wait doubles: from a delay that nobody notices, to one that keeps a process
 * which can't live from costing anything. */
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS (30 * 1000)

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

void
service_fork(struct supervisor *sv, enum ipc_role role,
    const int program_fds[IPC_ROLE_END])
{
	struct child *child = supervisor_child(sv, role);
	int failed;

	/* The spawner is this program; it starts the api's. */
	if (role == IPC_ROLE_SPAWNER)
		failed =
		    parent_spawn_spawner(child, &roles[role], program_fds[IPC_ROLE_API]);
	else
		failed = parent_spawn(child, &roles[role], program_fds[role]);
	if (failed)
		supervise_end(sv, EXITCODE_FAILURE);
	else
		/* A child that is gone already is seen by its exit. */
		(void)ipc_send_confine(&child->channel, &sv->orders);
}

/* Returns 0, or -1 having logged the reason. */
static int
start(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];
	const struct wiring *wiring = &wirings[role];

	service->started_at_ms = clock_now_ms();
	service->start_at_ms = 0;
	service->ready_by_ms = service->started_at_ms + READY_TIMEOUT_MS;
	service->is_ready = false;
	if (parent_spawn_by(&service->child, &roles[role],
		supervisor_child(sv, wiring->starter)) == -1)
		return -1;
	if (service->child.channel.fd != -1 && wiring->instruct(sv) == -1) {
		log_error("instruct %s: %s", roles[role].name, strerror(errno));
		/* It comes to life, finds its channel closed, and ends. */
		ipc_channel_close(&service->child.channel);
	}
	return 0;
}

void
service_begin(struct supervisor *sv, enum ipc_role role)
{
	if (start(sv, role) == -1)
		supervise_end(sv, EXITCODE_FAILURE);
}

void
service_set_ready(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];

	service->is_ready = true;
	service->ready_by_ms = 0;
	ipc_channel_set_running(&service->child.channel);
}

/* Plans the next start. */
static void
schedule(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];
	uint64_t now_ms = clock_now_ms();

	wirings[role].on_end(sv);
	service->ready_by_ms = 0;
	if (now_ms - service->started_at_ms >= GOOD_LIFE_MS)
		service->delay_ms = 0;
	service->start_at_ms = now_ms + service->delay_ms;
	if (service->delay_ms == 0)
		service->delay_ms = DELAY_FIRST_MS;
	else if (service->delay_ms < DELAY_MAX_MS / 2)
		service->delay_ms *= 2;
	else
		service->delay_ms = DELAY_MAX_MS;
}

static void
give_up(struct supervisor *sv, enum ipc_role role)
{
	sv->services[role].start_at_ms = 0;
	sv->services[role].ready_by_ms = 0;
	/* One may have been instructed, and never have had a PID. */
	wirings[role].on_end(sv);
	wirings[role].on_given_up(sv);
}

/* A process with a starter is gone; text says how. */
static void
start_again(struct supervisor *sv, enum ipc_role role, const char *text)
{
	if (supervisor_child(sv, wirings[role].starter)->pid == 0) {
		log_error("%s", text);
		give_up(sv, role);
		return;
	}
	sv->services[role].n_restarts++;
	/* Each death is told, so that none can be hidden behind others: the waits bound how often
	 * there can be one. */
	log_error("%s; starting it again", text);
	schedule(sv, role);
}

/* The starter of this process is gone; text says how. */
static void
lose_starter(struct supervisor *sv, enum ipc_role role, const char *text)
{
	struct service *service = &sv->services[role];

	log_error("%s; the network goes on, but %s can't be started again", text,
	    roles[role].name);
	if (service->start_at_ms != 0 || service->child.pid == 0) {
		/* One that was being started and whose PID never came. */
		ipc_channel_close(&service->child.channel);
		give_up(sv, role);
	}
}

/* In service a process is gone without which slirpd goes on; text says how. */
static void
go_on_without(struct supervisor *sv, enum ipc_role role, const char *text)
{
	if (wirings[role].starter != IPC_ROLE_NONE) {
		start_again(sv, role, text);
		return;
	}
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (wirings[i].starter == role)
			lose_starter(sv, (enum ipc_role)i, text);
}

/* A child is gone, and what it had to say has been read. A signal that was not ours is
 * told whatever it said: it may have been taken over, and have said it to hide that. */
static void
bury(struct supervisor *sv, struct child *child, int wait_status)
{
	enum ipc_role role = child->role->id;
	const struct wiring *wiring = &wirings[role];
	bool done = wiring->is_done && wiring->is_done(sv);
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
	if (sv->phase == SUPERVISE_RUNNING && wiring->may_be_missing) {
		go_on_without(sv, role, text);
		return;
	}
	if (of_signal || !child->gave_reason)
		log_error("%s; ending", text);
	if (wiring->on_end)
		wiring->on_end(sv);
	supervise_end(sv, EXITCODE_FAILURE);
}

void
service_receive(struct supervisor *sv, struct child *child)
{
	children_receive(sv, child, RECEIVE_MAX);
}

/* The child has been waited for: its number may be another's from now on. */
static void
take_leave(struct supervisor *sv, struct child *child, int wait_status)
{
	child->is_reaped = true;
	children_receive(sv, child, LAST_RECEIVE_MAX);
	bury(sv, child, wait_status);
}

void
service_reap(struct supervisor *sv)
{
	struct child *child;
	int wait_status;

	sv->reap_again = false;
	while ((child = children_wait_for_ended(sv, &wait_status)))
		take_leave(sv, child, wait_status);
}

/* Takes the process whose PID the spawner told. Returns 0, or -1 if it is not a child of this
 * process, or another of `sv`: the parent would kill what it names. */
static int
adopt(struct supervisor *sv, struct child *child, pid_t pid)
{
	int wait_status;
	pid_t ended;

	if (children_find(sv, pid))
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
		if (sv->services[i].child.pid != 0)
			return true;
	return false;
}

void
service_end_all(struct supervisor *sv)
{
	uint64_t grace_ends_ms = clock_now_ms() + END_GRACE_MS;

	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		ipc_channel_close(supervisor_channel(sv, (enum ipc_role)i));
	for (;;) {
		struct pollfd signals = { .fd = sv->signal_fd, .events = POLLIN };
		uint64_t now_ms = clock_now_ms();

		service_reap(sv);
		if (!any_child_left(sv) || now_ms >= grace_ends_ms)
			break;
		poll(&signals, 1, sv->reap_again ? 0 : (int)(grace_ends_ms - now_ms));
		signals_take(sv);
	}
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		struct child *child = &sv->services[i].child;
		int wait_status;

		if (child->pid == 0)
			continue;
		log_warning("%s[%d] does not end by itself; killing it",
		    child->role->name, child->pid);
		children_kill(child);
		if (waitpid(child->pid, &wait_status, 0) == child->pid)
			bury(sv, child, wait_status);
	}
}

void
parent_on_spawned(struct supervisor *sv, const struct ipc_spawned *msg)
{
	/* The spawner starts nothing else. */
	const enum ipc_role role = IPC_ROLE_API;
	struct child *spawner = supervisor_child(sv, IPC_ROLE_SPAWNER);
	struct child *child = supervisor_child(sv, role);

	if (msg->pid == 0) {
		ipc_channel_close(&child->channel);
		log_error("start %s: %s", roles[role].name, strerror((int)msg->error));
		if (sv->phase == SUPERVISE_STARTING)
			supervise_end(sv, EXITCODE_FAILURE);
		else
			schedule(sv, role);
		return;
	}
	if (adopt(sv, child, (pid_t)msg->pid) == -1) {
		log_error(
		    "spawner[%d] broke the protocol: spawned: %u is no child that it "
		    "could have started; ending it",
		    spawner->pid, msg->pid);
		children_kill(spawner);
	}
	/* While the PID was owed, only children with a known one were waited for. */
	service_reap(sv);
}

int
service_timeout_ms(const struct supervisor *sv, uint64_t now_ms)
{
	uint64_t first_ms = UINT64_MAX;

	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		/* There is one of them at most. */
		uint64_t due_ms =
		    sv->services[i].start_at_ms + sv->services[i].ready_by_ms;

		if (due_ms != 0 && due_ms < first_ms)
			first_ms = due_ms;
	}
	if (first_ms == UINT64_MAX)
		return -1;
	return first_ms > now_ms ? (int)(first_ms - now_ms) : 0;
}

/* The process does not get ready. If it has no PID, its starter owes it. */
static void
end_hanging(struct supervisor *sv, enum ipc_role role)
{
	struct child *child = supervisor_child(sv, role);

	if (child->pid == 0)
		child = supervisor_child(sv, wirings[role].starter);
	sv->services[role].ready_by_ms = 0;
	log_error("%s[%d] hangs: no %s is ready after %d s; ending it", child->role->name,
	    child->pid, roles[role].name, READY_TIMEOUT_MS / CLOCK_MS_PER_S);
	children_kill(child);
}

void
service_handle(struct supervisor *sv, uint64_t now_ms)
{
	if (sv->phase != SUPERVISE_RUNNING)
		return;
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		const struct service *service = &sv->services[i];
		enum ipc_role role = (enum ipc_role)i;

		if (service->start_at_ms != 0 && now_ms >= service->start_at_ms &&
		    start(sv, role) == -1)
			schedule(sv, role);
		if (service->ready_by_ms != 0 && now_ms >= service->ready_by_ms)
			end_hanging(sv, role);
	}
}
