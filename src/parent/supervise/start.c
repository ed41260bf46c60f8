/* SPDX-License-Identifier: BSD-2-Clause */
/* The start: from the first child to READY. */
#include "parent/supervise/start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "model/budget.h"
#include "parent/cmdline/banner.h"
#include "parent/files/pidfile.h"
#include "parent/jail.h"
#include "parent/output/report.h"
#include "parent/supervise/forwards.h"
#include "parent/output/notify.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/service.h"
#include "parent/supervise/watchdog.h"
#include "parent/supervise/wiring.h"

/* Looks where the children are going to be, before the first one is started. */
static void
find_cgroup(struct supervisor *sv)
{
	/* Nobody but the caller of `slirpd run` knows its PID, and the command would stay. */
	if (!sv->options->command)
		parent_cgroup_open(&sv->cgroup);
}

/* Starts the cgroup-mover if it can be of use. */
static void
begin_cgroup_mover(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	/* Not as real root: it could write to all control groups of the machine, and no
	 * client moves the slirpd of real root. */
	if (sv->phase == SUPERVISE_STARTING && sv->cgroup.root_fd != -1 &&
	    !sv->orders.has_runas) {
		service_fork(sv, IPC_ROLE_CGROUP_MOVER, program_fds);
		wirings[IPC_ROLE_CGROUP_MOVER].instruct(sv);
	}
	if (sv->cgroup.root_fd != -1)
		close(take_fd(&sv->cgroup.root_fd));
}

/* Whether this slirpd has a process of this role. */
static bool
is_needed(const struct supervisor *sv, enum ipc_role role)
{
	switch (role) {
	case IPC_ROLE_RESOLVER:
		return sv->options->enable_dns;
	case IPC_ROLE_API:
		return sv->api_listen_fd != -1;
	default:
		return true;
	}
}

/* Starts the spawner, and by it the services. */
static void
begin_services(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	/* The api comes last, because it is ready before the others. */
	static const enum ipc_role members[] = { IPC_ROLE_SLIRP_WORKER, IPC_ROLE_RESOLVER,
		IPC_ROLE_CONNECTOR, IPC_ROLE_API };

	if (sv->target.userns_fd != -1)
		sv->fallback_userns_fd = fcntl(sv->target.userns_fd, F_DUPFD_CLOEXEC, 0);
	if (sv->phase == SUPERVISE_STARTING)
		service_fork(sv, IPC_ROLE_SPAWNER, program_fds);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (sv->phase == SUPERVISE_STARTING && is_needed(sv, members[i]))
			service_begin(sv, members[i]);
}

/* The parent keeps the sockets of forwards (files/kept.h), as many as the connector has. After the
 * forks: no child inherits the limit. */
static void
raise_files(void)
{
	if (budget_raise_files() == 0)
		log_warning("raise the limit on open files: %s", strerror(errno));
}

void
start_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	find_cgroup(sv);
	service_fork(sv, IPC_ROLE_NETNS_HELPER, program_fds);
	begin_services(sv, program_fds);
	if (sv->phase == SUPERVISE_STARTING &&
	    wirings[IPC_ROLE_NETNS_HELPER].instruct(sv) == -1)
		wiring_fail_send(sv, "instruct netns-helper");
	begin_cgroup_mover(sv, program_fds);
	raise_files();
}

void
start_without_helper(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd)
{
	find_cgroup(sv);
	begin_services(sv, program_fds);
	wiring_give_tap(sv, adopt_tap_fd, &(struct ipc_tap_made){ 0 });
	begin_cgroup_mover(sv, program_fds);
	raise_files();
}

void
parent_on_about(struct supervisor *sv, const struct ipc_about *msg)
{
	sv->about = *msg;
}

/* Whether the child was started and has reported its jail. Only the mover may have ended before. */
static bool
has_reported(const struct supervisor *sv, size_t role)
{
	const struct service *service = &sv->services[role];

	return service->child.role &&
	    (role != IPC_ROLE_CGROUP_MOVER || service->is_ready);
}

/* Returns the stages that a running process means to reach and has not, as a set of
 * 1 << enum ipc_stage. */
static uint32_t
missing_stages(const struct supervisor *sv)
{
	uint32_t missing = 0;

	for (size_t i = IPC_ROLE_PARENT; i < IPC_ROLE_END; i++)
		if (i == IPC_ROLE_PARENT || has_reported(sv, i))
			missing |= roles[i].stages & ~sv->confined[i].stages;
	return missing;
}

static void
tell_log(const struct supervisor *sv)
{
	char text[LOG_TEXT_SIZE];

	banner_ready_format(text, sizeof(text), sv->options, sv->target.netns_label,
	    missing_stages(sv));
	log_info("%s", text);
}

static void
print_banner(const struct options *options, const struct ipc_outbound *addresses)
{
	char text[BANNER_SIZE];
	int len = banner_start_format(text, sizeof(text), options, addresses);

	if (len > 0)
		fdio_write_nowait(STDOUT_FILENO, text, (size_t)len);
}

/* Writes to --ready-fd. The caller waits for this byte, so a byte that is not taken is a
 * failed start. EPIPE: the caller has closed its end and does not wait. */
static void
tell_ready(struct supervisor *sv)
{
	autofd int fd = take_fd(&sv->ready_fd);

	if (fdio_write_nowait(fd, "1", 1) == 1 || errno == EPIPE)
		return;
	log_error("write to --ready-fd: it takes nothing; ending");
	supervise_end(sv, EXITCODE_FAILURE);
}

/* Begins service: the guest has its network. */
static void
begin_service(struct supervisor *sv)
{
	const struct options *options = sv->options;

	sv->phase = SUPERVISE_RUNNING;
	sv->ready_at_ms = clock_now_ms();
	watchdog_begin(sv);
	wiring_connect(sv, IPC_ROLE_API);
	if (sv->phase == SUPERVISE_ENDED)
		return;
	/* The standard output is the command's, if there is one. */
	if (!options->command)
		print_banner(options, &sv->outbound.addresses);
	tell_log(sv);
	if (sv->ready_fd != -1)
		tell_ready(sv);
	parent_notify("READY=1\n" NOTIFY_STATUS_SERVES);
	parent_cgroup_begin(&sv->cgroup, clock_now_ms());
	/* Nobody waits for this: the start messages had the servers. The first watch of a file
	 * system can take the kernel milliseconds. */
	if (options->enable_dns)
		parent_resolv_begin(&sv->resolv, PARENT_RESOLV_PATH, clock_now_ms());
}

const struct supervise_task start_task = {
	.on_ready = begin_service,
};

static void
finish_start(struct supervisor *sv)
{
	const struct options *options = sv->options;

	/* Without an exit-fd nobody else tells us when the guest is gone. The end of a command is
	 * that of a child. */
	if (sv->target.netns_fd != -1 && sv->exit_fd == -1 && !options->command)
		parent_nswatch_begin(&sv->watch, sv->target.netns_fd,
		    options->target == OPTIONS_TARGET_PID ? options->target_pid : -1,
		    supervisor_child(sv, IPC_ROLE_NETNS_HELPER)->pid, options->netns_path,
		    clock_now_ms());
	parent_target_close(&sv->target);
	report_libslirp(sv->about.libslirp_version);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (has_reported(sv, i))
			report_confined(roles[i].name, roles[i].stages, &sv->confined[i]);
	if (options->pidfile_path)
		parent_pidfile_write(options->pidfile_path);
	parent_jail_lock(&sv->orders, options, &sv->confined[IPC_ROLE_PARENT]);
	report_confined("parent", roles[IPC_ROLE_PARENT].stages,
	    &sv->confined[IPC_ROLE_PARENT]);
	sv->task->on_ready(sv);
}

static void
check_ready(struct supervisor *sv)
{
	const struct service *mover = &sv->services[IPC_ROLE_CGROUP_MOVER];

	/* The mover may be missing. But after ready no process is outside its jail, so one that
	 * runs has to report first. */
	if (sv->phase == SUPERVISE_STARTING &&
	    sv->services[IPC_ROLE_SLIRP_WORKER].is_ready &&
	    (!is_needed(sv, IPC_ROLE_RESOLVER) ||
		sv->services[IPC_ROLE_RESOLVER].is_ready) &&
	    (sv->api_listen_fd == -1 || sv->services[IPC_ROLE_API].is_ready) &&
	    (mover->child.pid == 0 || mover->is_ready) && forwards_are_published(sv))
		finish_start(sv);
}

/* Tells a process of the host's network, which may have changed since its instructions. Its queue
 * has room. */
static void
tell_of_network(struct supervisor *sv, enum ipc_role role)
{
	struct ipc_channel *channel = supervisor_channel(sv, role);

	if (role == IPC_ROLE_CONNECTOR)
		(void)ipc_send_outbound(channel, &sv->outbound.addresses);
	if (sv->options->enable_dns &&
	    (role == IPC_ROLE_CONNECTOR || role == IPC_ROLE_RESOLVER))
		(void)ipc_send_nameservers(channel, &sv->resolv.nameservers);
}

/* A service is ready. */
static void
set_ready(struct supervisor *sv, enum ipc_role role)
{
	service_set_ready(sv, role);
	wiring_connect(sv, role);
	if (sv->phase == SUPERVISE_RUNNING)
		tell_of_network(sv, role);
}

void
parent_on_ready(struct supervisor *sv)
{
	set_ready(sv, IPC_ROLE_SLIRP_WORKER);
	forwards_publish(sv);
	check_ready(sv);
}

void
parent_on_connector_ready(struct supervisor *sv)
{
	bool is_next = sv->phase == SUPERVISE_RUNNING;

	if (is_next)
		forwards_begin_handover(sv);
	set_ready(sv, IPC_ROLE_CONNECTOR);
	if (is_next && wiring_tell_guest_addr6(sv) == -1)
		wiring_fail_send(sv, "send guest_addr6 to connector");
	wiring_settle_connector(sv);
	policy_begin_feed(sv, IPC_ROLE_CONNECTOR);
	wiring_start_resolver(sv);
	wiring_start_worker(sv);
}

void
parent_on_resolver_ready(struct supervisor *sv)
{
	set_ready(sv, IPC_ROLE_RESOLVER);
	policy_begin_feed(sv, IPC_ROLE_RESOLVER);
	check_ready(sv);
}

void
parent_on_published(struct supervisor *sv, const struct ipc_published *msg)
{
	if (sv->phase != SUPERVISE_STARTING || !forwards_note_published(sv, &msg->result))
		return;
	forwards_publish(sv);
	check_ready(sv);
}

void
parent_on_api_ready(struct supervisor *sv)
{
	set_ready(sv, IPC_ROLE_API);
	policy_forget_request(sv);
	policy_begin_feed(sv, IPC_ROLE_API);
	check_ready(sv);
}

void
parent_on_cgroup_ready(struct supervisor *sv)
{
	service_set_ready(sv, IPC_ROLE_CGROUP_MOVER);
	check_ready(sv);
}

void
start_handle(struct supervisor *sv, uint64_t now_ms)
{
	/* The end of a process may have been all that was missing. */
	check_ready(sv);
	if (sv->phase != SUPERVISE_STARTING || now_ms < sv->deadline_ms)
		return;
	log_error("not ready after %d s; ending", START_TIMEOUT_MS / CLOCK_MS_PER_S);
	supervise_end(sv, EXITCODE_FAILURE);
}
