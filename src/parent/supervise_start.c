#include "parent/supervise_start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "parent/banner.h"
#include "parent/jail.h"
#include "parent/network.h"
#include "parent/notify.h"
#include "parent/pidfile.h"
#include "parent/report.h"
#include "parent/supervise.h"

void
supervise_fail_send(struct supervisor *sv, const char *what)
{
	if (errno == EPIPE || errno == ECONNRESET || errno == EBADF)
		return;
	log_error("%s: %s", what, strerror(errno));
	supervise_end(sv, EXITCODE_FAILURE);
}

void
supervise_confine_child(struct supervisor *sv, enum ipc_role role)
{
	/* A child that is gone already is seen by its exit. */
	(void)ipc_send_confine(&sv->children[role].channel, &sv->orders);
}

void
supervise_start_child(struct supervisor *sv, enum ipc_role role,
    const int program_fds[IPC_ROLE_END])
{
	if (parent_spawn(&sv->children[role], &roles[role], program_fds[role]) == -1)
		supervise_end(sv, EXITCODE_FAILURE);
	else
		supervise_confine_child(sv, role);
}

/* Where the worker can have no user namespace of its own, the guest's will do. */
static void
offer_userns(struct supervisor *sv)
{
	const struct ipc_fallback_userns offer = { 0 };

	if (sv->target.userns_fd != -1)
		(void)
		    ipc_send_fallback_userns(&sv->children[IPC_ROLE_SLIRP_WORKER].channel,
			&offer, sv->target.userns_fd);
}

/* Tells the helper which TAP to look at, or what to join and to make. Returns 0, or -1
 * with errno set. */
static int
instruct_helper(struct supervisor *sv)
{
	struct ipc_channel *helper = &sv->children[IPC_ROLE_NETNS_HELPER].channel;
	struct ipc_inspect_tap inspect = { 0 };
	struct ipc_make_tap make_tap = { 0 };
	struct ipc_join_userns join = { 0 };

	ipc_channel_await_reply(helper);
	if (sv->options->target == OPTIONS_TARGET_TAPFD) {
		inspect.caller_number = (uint32_t)sv->options->tap_fd;
		return ipc_send_inspect_tap(helper, &inspect, sv->options->tap_fd);
	}

	memcpy(join.label, sv->target.userns_label, sizeof(join.label));
	network_fill(&make_tap.network, sv->options);
	memcpy(make_tap.netns_label, sv->target.netns_label,
	    sizeof(make_tap.netns_label));
	snprintf(make_tap.tap_name, sizeof(make_tap.tap_name), "%s",
	    sv->options->tap_name);
	if (sv->options->has_mac)
		memcpy(make_tap.mac, sv->options->mac.octets, sizeof(make_tap.mac));
	make_tap.has_mac = sv->options->has_mac;
	make_tap.configure = sv->options->configure;

	if (sv->target.userns_fd != -1 &&
	    ipc_send_join_userns(helper, &join, sv->target.userns_fd) == -1)
		return -1;
	return ipc_send_make_tap(helper, &make_tap, sv->target.netns_fd);
}

/* The worker can have its TAP. */
static void
instruct_worker(struct supervisor *sv, int adopt_tap_fd, const struct ipc_tap_made *made)
{
	struct ipc_channel *worker = &sv->children[IPC_ROLE_SLIRP_WORKER].channel;
	struct ipc_start start = {
		.tap_header_len = made->header_len,
		.tap_has_offloads = made->has_offloads,
	};

	sv->tap_fd = adopt_tap_fd;
	if (sv->phase != SUPERVISE_STARTING)
		return;
	network_fill(&start.network, sv->options);
	start.outbound = sv->outbound.addresses;
	start.is_bess = sv->options->target == OPTIONS_TARGET_BESS;
	if (ipc_send_start(worker, &start, sv->tap_fd) == -1) {
		supervise_fail_send(sv, "send start to slirp-worker");
		return;
	}
	ipc_channel_await_reply(worker);
}

void
supervise_start_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	supervise_start_child(sv, IPC_ROLE_NETNS_HELPER, program_fds);
	if (sv->phase == SUPERVISE_STARTING)
		supervise_start_child(sv, IPC_ROLE_SLIRP_WORKER, program_fds);
	if (sv->phase == SUPERVISE_STARTING)
		offer_userns(sv);
	if (sv->phase == SUPERVISE_STARTING && instruct_helper(sv) == -1)
		supervise_fail_send(sv, "instruct netns-helper");
	/* Last, because it is ready before the others. */
	if (sv->phase == SUPERVISE_STARTING)
		supervise_api_begin(sv, program_fds);
}

void
supervise_start_worker(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd)
{
	supervise_start_child(sv, IPC_ROLE_SLIRP_WORKER, program_fds);
	instruct_worker(sv, adopt_tap_fd, &(struct ipc_tap_made){ 0 });
	supervise_api_begin(sv, program_fds);
}

void
parent_on_tap_made(struct supervisor *sv, const struct ipc_tap_made *msg, int adopt_fd)
{
	instruct_worker(sv, adopt_fd, msg);
}

void
parent_on_about(struct supervisor *sv, const struct ipc_about *msg)
{
	sv->about = *msg;
}

void
parent_on_resolv_copy(struct supervisor *sv, const struct ipc_resolv_copy *msg,
    int adopt_fd)
{
	(void)msg;
	sv->resolv_copy_fd = adopt_fd;
}

static void
print_banner(const struct options *options, const struct ipc_outbound *addresses)
{
	char text[BANNER_SIZE];
	int len = banner_start_format(text, sizeof(text), options, addresses);

	if (len > 0)
		fdio_write_nowait(STDOUT_FILENO, text, (size_t)len);
}

/* The caller waits for this and nothing else, so a byte that is not taken is a failed
 * start. A reader that is gone has lost interest. */
static void
tell_ready(struct supervisor *sv)
{
	autofd int fd = take_fd(&sv->ready_fd);

	if (fdio_write_nowait(fd, "1", 1) == 1 || errno == EPIPE)
		return;
	log_error("write to --ready-fd: it takes nothing; ending");
	supervise_end(sv, EXITCODE_FAILURE);
}

/* Instead of serving. */
static void
end_with_report(struct supervisor *sv)
{
	const struct confinement_said said = {
		.about = &sv->about,
		.confined = sv->confined,
	};

	supervise_end(sv,
	    parent_confinement_print(sv->report, sv->options, &said) == 0
		? EXITCODE_OK
		: EXITCODE_FAILURE);
}

/* All is there: from now on it is the guest's network. */
static void
begin_service(struct supervisor *sv)
{
	const struct options *options = sv->options;

	/* Without an exit-fd nobody else tells us when the guest is gone. */
	if (sv->target.netns_fd != -1 && sv->exit_fd == -1)
		parent_nswatch_begin(&sv->watch, sv->target.netns_fd,
		    options->target == OPTIONS_TARGET_PID ? options->target_pid : -1,
		    sv->children[IPC_ROLE_NETNS_HELPER].pid, options->netns_path,
		    clock_now_ms());
	parent_target_close(&sv->target);
	report_libslirp(sv->about.libslirp_version);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (sv->children[i].role)
			report_confined(roles[i].name, roles[i].stages, &sv->confined[i]);
	if (options->pidfile_path)
		parent_pidfile_write(options->pidfile_path);
	parent_jail_lock(options, &sv->confined[IPC_ROLE_PARENT]);
	report_confined("parent", roles[IPC_ROLE_PARENT].stages,
	    &sv->confined[IPC_ROLE_PARENT]);
	if (sv->report) {
		end_with_report(sv);
		return;
	}
	sv->phase = SUPERVISE_RUNNING;
	sv->ready_at_ms = clock_now_ms();
	/* Not before: the api counts on a table that nobody changes but itself. */
	supervise_api_connect_worker(sv);
	print_banner(options, &sv->outbound.addresses);
	if (sv->ready_fd != -1)
		tell_ready(sv);
	parent_notify("READY=1\nSTATUS=The guest has its network");
	/* The worker has filled the copy itself, so nobody needs to wait for this: the
	 * first watch of a file system can take the kernel milliseconds. */
	if (sv->resolv_copy_fd != -1)
		parent_resolv_begin(&sv->resolv, PARENT_RESOLV_PATH,
		    take_fd(&sv->resolv_copy_fd), clock_now_ms());
}

void
supervise_check_ready(struct supervisor *sv)
{
	if (sv->phase == SUPERVISE_STARTING && sv->worker_is_ready &&
	    (sv->api.listen_fd == -1 || sv->api.is_ready) && supervise_is_published(sv))
		begin_service(sv);
}

void
parent_on_ready(struct supervisor *sv, const struct ipc_ready *msg)
{
	(void)msg;
	sv->worker_is_ready = true;
	ipc_channel_set_running(&sv->children[IPC_ROLE_SLIRP_WORKER].channel);
	supervise_publish(sv);
	supervise_check_ready(sv);
}

void
supervise_check_deadline(struct supervisor *sv, uint64_t now_ms)
{
	if (sv->phase != SUPERVISE_STARTING || now_ms < sv->deadline_ms)
		return;
	log_error("not ready after %d s; ending",
	    SUPERVISE_START_TIMEOUT_MS / CLOCK_MS_PER_S);
	supervise_end(sv, EXITCODE_FAILURE);
}
