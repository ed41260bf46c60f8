/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts processes, starts them again, and handles their ends. */
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
#include "parent/cgroup/mover.h"
#include "parent/output/notify.h"
#include "parent/policy/reader.h"
#include "parent/supervise/children.h"
#include "parent/supervise/signals.h"
#include "parent/supervise/spawner.h"
#include "parent/supervise/wiring.h"

/* A process that ran for this long is started again at once. */
#define GOOD_LIFE_MS UINT64_C(60000)

/* The time from the start of a process until it is ready. A start takes milliseconds,
 * more on a loaded machine. After this time the process hangs, and clients wait for
 * it. */
#define READY_TIMEOUT_MS 10000

/* Otherwise the delay doubles with each start. The first delay is not noticed; the last
 * bounds the cost of a process that always dies. */
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS (30 * 1000)

/* The time that children have to end after their channels are closed; it takes them a
 * millisecond. The others are killed, so that slirpd ends within a second. */
#define END_GRACE_MS 500

/* The most messages from one child in a turn, so that a child cannot keep the parent from
 * signals and the others. poll(2) reports the rest. This is all that a child sends at its
 * start, and far more than it sends in service. */
#define RECEIVE_MAX 64

/* The most messages from a child that has ended: another process may hold its end of the
 * channel and go on sending. A queue holds fewer, because a message takes at least 768
 * bytes of the 212,992 of net.core.wmem_default. This allows for 14 times that size. */
#define LAST_RECEIVE_MAX 4096

/* The spawner has the programs of all services, also of those that are never started. */
static void
give_programs(struct child *spawner, const int program_fds[IPC_ROLE_END])
{
	for (uint32_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		const struct ipc_program msg = { .role = i };

		if (wirings[i].starter == IPC_ROLE_SPAWNER)
			(void)ipc_send_program(&spawner->channel, &msg, program_fds[i]);
	}
}

void
service_fork(struct supervisor *sv, enum ipc_role role,
    const int program_fds[IPC_ROLE_END])
{
	struct child *child = supervisor_child(sv, role);
	int failed;

	/* The spawner, the mover and the policy-reader are this program. */
	if (role == IPC_ROLE_SPAWNER)
		failed = parent_spawn(child, &roles[role], -1, spawner_run);
	else if (role == IPC_ROLE_CGROUP_MOVER)
		failed = parent_spawn(child, &roles[role], sv->cgroup.root_fd,
		    cgroup_mover_run);
	else if (role == IPC_ROLE_POLICY_READER)
		failed = parent_spawn(child, &roles[role], -1, policy_reader_run);
	else
		failed = parent_spawn(child, &roles[role], program_fds[role], NULL);
	if (failed) {
		supervise_end(sv, EXITCODE_FAILURE);
		return;
	}
	if (role == IPC_ROLE_SPAWNER)
		give_programs(child, program_fds);
	/* If the child has ended already, its exit is handled. */
	(void)ipc_send_confine(&child->channel, &sv->orders);
}

static int
instruct(struct supervisor *sv, enum ipc_role role)
{
	struct ipc_channel *channel = supervisor_channel(sv, role);

	if (ipc_send_confine(channel, &sv->orders) == -1)
		return -1;
	if (sv->fallback_userns_fd != -1 &&
	    ipc_send_fallback_userns(channel, sv->fallback_userns_fd) == -1)
		return -1;
	return wirings[role].instruct ? wirings[role].instruct(sv) : 0;
}

/* Returns 0, or -1 having logged the reason. */
static int
start(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];
	const struct wiring *wiring = &wirings[role];

	service->started_at_ms = clock_now_ms();
	service->start_at_ms = DEADLINE_NONE;
	service->ready_by_ms = service->started_at_ms + READY_TIMEOUT_MS;
	service->is_ready = false;
	service->missed_peers = 0;
	if (parent_spawn_by(&service->child, &roles[role],
		supervisor_child(sv, wiring->starter)) == -1)
		return -1;
	/* Also by a spawner that could not be asked, because it has ended: at the end of the
	 * spawner, which is yet to be handled, this start is given up. */
	service->is_owed = true;
	if (service->child.channel.fd == -1)
		return 0;
	if (instruct(sv, role) == -1) {
		/* If the spawner has ended, its exit gives the reason. */
		if (errno != EPIPE && errno != ECONNRESET)
			log_error("instruct %s: %s", roles[role].name, strerror(errno));
		/* The process starts, finds its channel closed, and ends. */
		service->child.gave_reason = true;
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
	service->ready_by_ms = DEADLINE_NONE;
	ipc_channel_set_running(&service->child.channel);
	if (service->n_restarts > 0) {
		parent_notify(NOTIFY_STATUS_SERVES);
		wiring_tell_api(sv, IPC_EVENT_PROCESS_STARTED, role);
	}
}

/* Tells clients and the service manager of a death; text says how it was. */
static void
tell_end(struct supervisor *sv, enum ipc_role role, const char *text)
{
	char status[sizeof("STATUS=") + LOG_TEXT_SIZE];

	snprintf(status, sizeof(status), "STATUS=%s", text);
	parent_notify(status);
	wiring_tell_api(sv, IPC_EVENT_PROCESS_EXITED, role);
}

/* Plans the next start. */
static void
schedule(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];
	uint64_t now_ms = clock_now_ms();

	if (wirings[role].on_end)
		wirings[role].on_end(sv);
	service->ready_by_ms = DEADLINE_NONE;
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
	sv->services[role].start_at_ms = DEADLINE_NONE;
	sv->services[role].ready_by_ms = DEADLINE_NONE;
	sv->services[role].is_owed = false;
	/* One may have been instructed, and never have had a PID. */
	if (wirings[role].on_end)
		wirings[role].on_end(sv);
	if (wirings[role].on_given_up) {
		wirings[role].on_given_up(sv);
		return;
	}
	log_error("without the spawner %s can't be started again; ending",
	    roles[role].name);
	supervise_end(sv, EXITCODE_FAILURE);
}

/* Notes a death. */
static bool
dies_too_often(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];
	uint64_t now_ms = clock_now_ms();
	uint64_t *oldest = &service->deaths_ms[service->n_restarts % SERVICE_DEATHS_MAX];
	bool is_full = service->n_restarts >= SERVICE_DEATHS_MAX - 1;
	uint64_t first_ms =
	    service->deaths_ms[(service->n_restarts + 1) % SERVICE_DEATHS_MAX];

	*oldest = now_ms;
	return wirings[role].is_vital && is_full && now_ms - first_ms < SERVICE_DEATHS_MS;
}

/* A process with a starter has ended; text says how. */
static void
start_again(struct supervisor *sv, enum ipc_role role, const char *text)
{
	if (supervisor_child(sv, wirings[role].starter)->pid == 0) {
		log_error("%s", text);
		give_up(sv, role);
		return;
	}
	if (!sv->options->restart || dies_too_often(sv, role)) {
		log_error("%s; %s", text,
		    sv->options->restart ? "that was the tenth time in a minute; ending"
					 : "ending");
		tell_end(sv, role, text);
		if (wirings[role].on_end)
			wirings[role].on_end(sv);
		supervise_end(sv, EXITCODE_FAILURE);
		return;
	}
	tell_end(sv, role, text);
	sv->services[role].n_restarts++;
	/* Log each death, so that one cannot hide behind others. The delays bound their
	 * rate. */
	log_error("%s; starting it again", text);
	schedule(sv, role);
}

/* The starter of this process has ended. */
static void
lose_starter(struct supervisor *sv, enum ipc_role role)
{
	struct service *service = &sv->services[role];

	if (service->start_at_ms != DEADLINE_NONE || service->is_owed) {
		ipc_channel_close(&service->child.channel);
		give_up(sv, role);
	}
}

/* A process that slirpd can do without has ended in service; text says how. */
static void
go_on_without(struct supervisor *sv, enum ipc_role role, const char *text)
{
	if (wirings[role].starter != IPC_ROLE_NONE) {
		start_again(sv, role, text);
		return;
	}
	log_error("%s; the network goes on, but %s", text, wirings[role].loss);
	tell_end(sv, role, text);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (wirings[i].starter == role)
			lose_starter(sv, (enum ipc_role)i);
}

/* Handles the end of a child whose last messages have been received. A signal that the
 * parent did not send is logged in any case: an attacker in the child may have sent a
 * reason to hide it. */
static void
note_end(struct supervisor *sv, struct child *child, int wait_status)
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
	child->n_unanswered = 0;
	sv->services[role].is_ready = false;
	ipc_channel_close(&child->channel);
	if (done || sv->phase == SUPERVISE_ENDED) {
		if (in_order || (WIFSIGNALED(wait_status) && !of_signal))
			return;
		/* The reason of a failure has been logged, and it may also explain this
		 * end. */
		if (of_signal || (!child->gave_reason && sv->status == EXITCODE_OK))
			log_error("%s; its work was done", text);
		if (sv->phase == SUPERVISE_ENDED)
			sv->status = EXITCODE_FAILURE;
		return;
	}
	if (wiring->may_be_missing &&
	    (sv->phase == SUPERVISE_RUNNING ||
		(wiring->may_miss_start && !sv->task->on_confined))) {
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

/* Handles the end of a child that has been waited for. Its PID may belong to another
 * process from now on. */
static void
end_child(struct supervisor *sv, struct child *child, int wait_status)
{
	child->is_reaped = true;
	children_receive(sv, child, LAST_RECEIVE_MAX);
	note_end(sv, child, wait_status);
}

void
service_reap(struct supervisor *sv)
{
	struct child *child;
	int wait_status;

	sv->reap_again = false;
	while ((child = children_wait_for_ended(sv, &wait_status)))
		end_child(sv, child, wait_status);
}

/* Accepts the PID that the spawner has reported. Returns 0, or -1 if the PID is not a new
 * child of the parent: the parent would kill another process. */
static int
adopt(struct supervisor *sv, struct child *child, pid_t pid)
{
	int wait_status;
	pid_t ended;

	if (children_find(sv, pid) || pid == sv->command_pid)
		return -1;
	ended = waitpid(pid, &wait_status, WNOHANG);
	if (ended == -1)
		return -1;
	sv->services[child->role->id].is_owed = false;
	child->pid = pid;
	parent_cgroup_note_child(&sv->cgroup);
	/* The child has ended before its PID was known. */
	if (ended == pid)
		end_child(sv, child, wait_status);
	return 0;
}

void
service_wait_until(struct supervisor *sv, bool (*is_done)(const struct supervisor *sv),
    uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd signals = { .fd = sv->signal_fd, .events = POLLIN };
		uint64_t now_ms = clock_now_ms();

		service_reap(sv);
		if (is_done(sv) || now_ms >= deadline_ms)
			return;
		poll(&signals, 1,
		    sv->reap_again ? 0 : deadline_timeout(deadline_ms, now_ms));
		signals_take(sv);
	}
}

static bool
no_child_is_left(const struct supervisor *sv)
{
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->services[i].child.pid != 0)
			return false;
	return true;
}

void
service_end_all(struct supervisor *sv)
{
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		ipc_channel_close(supervisor_channel(sv, (enum ipc_role)i));
	service_wait_until(sv, no_child_is_left, clock_now_ms() + END_GRACE_MS);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		struct child *child = &sv->services[i].child;
		int wait_status;

		if (child->pid == 0)
			continue;
		log_warning("%s[%d] does not end by itself; killing it",
		    child->role->name, child->pid);
		children_kill(child);
		if (waitpid(child->pid, &wait_status, 0) == child->pid)
			note_end(sv, child, wait_status);
	}
}

void
parent_on_spawned(struct supervisor *sv, const struct ipc_spawned *msg)
{
	const enum ipc_role role = (enum ipc_role)msg->role;
	struct child *spawner = supervisor_child(sv, IPC_ROLE_SPAWNER);
	struct child *child = supervisor_child(sv, role);
	struct service *service = &sv->services[role];

	if (service->is_owed && msg->pid == 0) {
		service->is_owed = false;
		ipc_channel_close(&child->channel);
		log_error("start %s: %s", roles[role].name, strerror((int)msg->error));
		if (sv->phase == SUPERVISE_STARTING)
			supervise_end(sv, EXITCODE_FAILURE);
		else
			schedule(sv, role);
		return;
	}
	if (!service->is_owed || adopt(sv, child, (pid_t)msg->pid) == -1) {
		log_error(
		    "spawner[%d] broke the protocol: spawned: %u is no child that it "
		    "could have started; ending it",
		    spawner->pid, msg->pid);
		children_kill(spawner);
	}
	/* While the PID was not known, the parent waited only for children with a known
	 * PID. */
	service_reap(sv);
}

uint64_t
service_due_ms(const struct supervisor *sv)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++) {
		due_ms = deadline_earlier(due_ms, sv->services[i].start_at_ms);
		due_ms = deadline_earlier(due_ms, sv->services[i].ready_by_ms);
	}
	return due_ms;
}

/* The process is not ready in time. Without a PID its starter has not reported it. */
static void
end_hanging(struct supervisor *sv, enum ipc_role role)
{
	struct child *child = supervisor_child(sv, role);

	if (child->pid == 0)
		child = supervisor_child(sv, wirings[role].starter);
	sv->services[role].ready_by_ms = DEADLINE_NONE;
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

		if (now_ms >= service->start_at_ms && start(sv, role) == -1)
			schedule(sv, role);
		if (now_ms >= service->ready_by_ms)
			end_hanging(sv, role);
	}
}
