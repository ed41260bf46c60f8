/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the parent. */
#include "parent/supervise/supervise.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "parent/jail.h"
#include "parent/output/notify.h"
#include "parent/supervise/forwards.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/service.h"
#include "parent/supervise/signals.h"
#include "parent/supervise/start.h"
#include "parent/supervise/watchdog.h"
#include "parent/supervise/wiring.h"

/* The limit on lines about messages of the connector that contradict the copy of the
 * forwards. Some lines show the fault; a connector under attack writes at most 100 a day. */
#define CONTRADICTIONS_BURST 8
#define CONTRADICTIONS_INTERVAL_MS (15 * 60 * 1000)

/* The entries of the poll set. */
enum poll_slot {
	POLL_SIGNALS,
	POLL_EXIT_FD,
	POLL_NSWATCH,
	POLL_RESOLV,
	POLL_OUTBOUND,
	POLL_HOSTLIST,
	POLL_CHILDREN, /* one for each role, with or without a child */
	POLL_N = POLL_CHILDREN + IPC_ROLE_END,
};

void
supervise_init(struct supervisor *sv, const struct options *options)
{
	*sv = (struct supervisor){
		.options = options,
		.target = { .netns_fd = -1, .userns_fd = -1 },
		.phase = SUPERVISE_STARTING,
		.ready_fd = options->ready_fd,
		.exit_fd = options->exit_fd,
		.tap_fd = -1,
		.task = &start_task,
		.fallback_userns_fd = -1,
		.api_listen_fd = -1,
		.contradictions = { .burst = CONTRADICTIONS_BURST,
		    .interval_ms = CONTRADICTIONS_INTERVAL_MS },
		.deadline_ms = clock_now_ms() + START_TIMEOUT_MS,
	};
	/* Find this out now: the filter does not allow it later. */
	parent_jail_orders(&sv->orders, options);
	for (size_t i = 0; i < IPC_ROLE_END; i++)
		sv->services[i] = (struct service){
			.child.channel.fd = -1,
			.start_at_ms = DEADLINE_NONE,
			.ready_by_ms = DEADLINE_NONE,
		};
	kept_init(&sv->kept);
	sv->forwards = forward_table_new();
	if (!sv->forwards)
		fatal("get memory for the copy of the forwards");
	parent_nswatch_init(&sv->watch);
	parent_cgroup_init(&sv->cgroup);
	parent_resolv_init(&sv->resolv);
	parent_outbound_init(&sv->outbound);
	parent_hostlist_init(&sv->hostlist);
	sv->signal_fd = signals_open();
}

void
parent_on_tap_gone(struct supervisor *sv, const struct ipc_tap_gone *msg)
{
	log_error("the TAP device is gone: %s; ending", strerror((int)msg->error));
	supervise_end(sv, EXITCODE_FAILURE);
}

/* Whether the process is told of changes. One that is not ready is told when it is. */
static bool
is_heard(const struct supervisor *sv, enum ipc_role role)
{
	return sv->services[role].is_ready;
}

/* If the queue is full, the message is sent again later. */
static void
tell_outbound(struct supervisor *sv)
{
	sv->outbound.is_told = !is_heard(sv, IPC_ROLE_CONNECTOR) ||
	    ipc_send_outbound(supervisor_channel(sv, IPC_ROLE_CONNECTOR),
		&sv->outbound.addresses) == 0;
}

/* If the queue is full, the message is sent again later. */
static void
tell_nameservers(struct supervisor *sv)
{
	struct ipc_channel *connector = supervisor_channel(sv, IPC_ROLE_CONNECTOR);
	struct ipc_channel *resolver = supervisor_channel(sv, IPC_ROLE_RESOLVER);

	/* Without --disable-dns, tell the connector first: it refuses servers that it does not
	 * know. */
	sv->resolv.is_told = !sv->options->enable_dns ||
	    ((!is_heard(sv, IPC_ROLE_CONNECTOR) ||
		 ipc_send_nameservers(connector, &sv->resolv.nameservers) == 0) &&
		(!is_heard(sv, IPC_ROLE_RESOLVER) ||
		    ipc_send_nameservers(resolver, &sv->resolv.nameservers) == 0));
}

static uint64_t
next_due_ms(const struct supervisor *sv)
{
	uint64_t due_ms = service_due_ms(sv);

	if (sv->reap_again)
		return 0;
	if (sv->phase == SUPERVISE_STARTING)
		return sv->deadline_ms;
	due_ms = deadline_earlier(due_ms, watchdog_due_ms(sv));
	due_ms = deadline_earlier(due_ms, parent_outbound_due_ms(&sv->outbound));
	due_ms = deadline_earlier(due_ms, parent_hostlist_due_ms(&sv->hostlist));
	due_ms = deadline_earlier(due_ms, parent_cgroup_due_ms(&sv->cgroup));
	due_ms = deadline_earlier(due_ms, parent_nswatch_due_ms(&sv->watch));
	return deadline_earlier(due_ms, parent_resolv_due_ms(&sv->resolv));
}

/* One turn of the loop. */
static void
serve(struct supervisor *sv)
{
	struct pollfd set[POLL_N] = {
		[POLL_SIGNALS] = { .fd = sv->signal_fd, .events = POLLIN },
		/* Poll for the hang-up only, which is always reported. Data is ignored,
		 * and must not wake the parent again and again. */
		[POLL_EXIT_FD] = { .fd = sv->exit_fd },
	};
	uint64_t now_ms = clock_now_ms();

	set[POLL_RESOLV].fd = parent_resolv_fd(&sv->resolv);
	set[POLL_RESOLV].events = POLLIN;
	/* Changes during the start wait until the worker serves. */
	if (sv->phase == SUPERVISE_RUNNING)
		set[POLL_OUTBOUND].fd = parent_outbound_fd(&sv->outbound);
	else
		set[POLL_OUTBOUND].fd = -1;
	set[POLL_OUTBOUND].events = POLLIN;
	set[POLL_HOSTLIST].fd =
	    sv->phase == SUPERVISE_RUNNING ? sv->hostlist.events_fd : -1;
	set[POLL_HOSTLIST].events = POLLIN;
	set[POLL_NSWATCH].fd = parent_nswatch_fd(&sv->watch, &set[POLL_NSWATCH].events);
	for (size_t i = 0; i < IPC_ROLE_END; i++) {
		/* Do not read from a child before its PID is known: the spawner has not
		 * reported it yet. */
		set[POLL_CHILDREN + i].fd = sv->services[i].child.pid != 0
		    ? sv->services[i].child.channel.fd
		    : -1;
		set[POLL_CHILDREN + i].events = POLLIN;
		if (policy_is_feeding(sv, (enum ipc_role)i) ||
		    wiring_waits_for(sv, (enum ipc_role)i))
			set[POLL_CHILDREN + i].events |= POLLOUT;
	}
	if (forwards_have_more(sv))
		set[POLL_CHILDREN + IPC_ROLE_CONNECTOR].events |= POLLOUT;
	if (poll(set, POLL_N, deadline_timeout(next_due_ms(sv), now_ms)) == -1 &&
	    errno != EINTR) {
		if (!fdio_is_shortage(errno)) {
			log_error("wait for events: %s; ending", strerror(errno));
			supervise_end(sv, EXITCODE_FAILURE);
			return;
		}
		fdio_pause();
	}
	now_ms = clock_now_ms();
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (set[POLL_CHILDREN + i].revents)
			service_receive(sv, &sv->services[i].child);
	/* Before the policy, which fills the queue again. */
	wiring_connect_waiting(sv);
	if (forwards_have_more(sv))
		forwards_send(sv);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (policy_is_feeding(sv, (enum ipc_role)i))
			policy_feed(sv, (enum ipc_role)i);
	policy_proceed(sv);
	if ((set[POLL_SIGNALS].revents && signals_take(sv)) || sv->reap_again)
		service_reap(sv);
	if (set[POLL_EXIT_FD].revents & (POLLHUP | POLLERR | POLLNVAL))
		supervise_end(sv, EXITCODE_OK);
	if (parent_resolv_handle(&sv->resolv, set[POLL_RESOLV].revents, now_ms))
		wiring_tell_api(sv, IPC_EVENT_RESOLV_CONF_CHANGED, IPC_ROLE_NONE);
	if (sv->phase == SUPERVISE_RUNNING && !sv->resolv.is_told)
		tell_nameservers(sv);
	if (sv->phase == SUPERVISE_RUNNING &&
	    parent_outbound_handle(&sv->outbound, set[POLL_OUTBOUND].revents, now_ms))
		tell_outbound(sv);
	if (sv->phase == SUPERVISE_RUNNING &&
	    parent_hostlist_handle(&sv->hostlist, set[POLL_HOSTLIST].revents, now_ms))
		policy_tell_host(sv);
	service_handle(sv, now_ms);
	watchdog_handle(sv, now_ms);
	if (sv->phase == SUPERVISE_RUNNING && parent_cgroup_handle(&sv->cgroup, now_ms))
		wiring_follow_cgroup(sv);
	if (sv->phase == SUPERVISE_RUNNING &&
	    parent_nswatch_is_gone(&sv->watch, set[POLL_NSWATCH].revents, now_ms)) {
		log_info("nobody uses the network namespace any more; ending");
		supervise_end(sv, EXITCODE_OK);
	}
	start_handle(sv, now_ms);
}

static int
serve_to_the_end(struct supervisor *sv)
{
	while (sv->phase != SUPERVISE_ENDED)
		serve(sv);
	parent_notify("STOPPING=1\nSTATUS=Ending");
	/* Clients tell by it that the end of their connection is not that of the api alone. */
	wiring_tell_api(sv, IPC_EVENT_SHUTDOWN, IPC_ROLE_NONE);
	service_end_all(sv);
	free(sv->forwards);
	return sv->status;
}

/* Reads the policy before anything else is started: its errors come first. */
static void
read_policy(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	const struct child *reader = supervisor_child(sv, IPC_ROLE_POLICY_READER);

	policy_begin_reading(sv, program_fds);
	while (
	    sv->phase == SUPERVISE_STARTING && (!policy_is_read(sv) || reader->pid != 0))
		serve(sv);
}

int
supervise_check_policy(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	read_policy(sv, program_fds);
	supervise_end(sv, EXITCODE_OK);
	service_end_all(sv);
	free(sv->forwards);
	return sv->status;
}

int
supervise_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	read_policy(sv, program_fds);
	start_all(sv, program_fds);
	return serve_to_the_end(sv);
}

int
supervise_without_helper(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd)
{
	read_policy(sv, program_fds);
	start_without_helper(sv, program_fds, adopt_tap_fd);
	return serve_to_the_end(sv);
}

int
supervise_ask_about(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	service_fork(sv, IPC_ROLE_SLIRP_WORKER, program_fds);
	while (sv->phase == SUPERVISE_STARTING && sv->about.config_version_max == 0)
		serve(sv);
	supervise_end(sv, EXITCODE_OK);
	service_end_all(sv);
	free(sv->forwards);
	return sv->status == EXITCODE_OK ? 0 : -1;
}
