#include "parent/supervise.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/dispatch.h"
#include "parent/banner.h"
#include "parent/jail.h"
#include "parent/network.h"
#include "parent/notify.h"
#include "parent/pidfile.h"
#include "parent/report.h"

/* A start takes milliseconds. Clients give up after one to three seconds (Podman,
 * bubblejail) and a loaded machine may need some more; after this, something hangs. */
#define START_TIMEOUT_MS 30000

/* Children end on the end of their channel within a millisecond. What has not ended by
 * now is killed, so that nothing is left a second after the end was asked for. */
#define END_GRACE_MS 500

/* Messages taken from one child per turn: all that a child has to say at its start, and
 * far more than one sends in service. */
#define RECEIVE_MAX 64

/* What each entry of the poll set is. */
enum poll_slot {
	POLL_SIGNALS,
	POLL_EXIT_FD,
	POLL_NSWATCH,
	POLL_RESOLV,
	POLL_OUTBOUND,
	POLL_CHILDREN, /* one for each role */
	POLL_N = POLL_CHILDREN + ROLE_N,
};

#define CALL(...) IPC_CALL_HANDLER(parent, sv, &msg, __VA_ARGS__)

void
supervise_end(struct supervisor *sv, int status)
{
	if (sv->phase == SUPERVISE_ENDED)
		return;
	sv->phase = SUPERVISE_ENDED;
	sv->status = status;
}

static sigset_t
supervise_signals(void)
{
	sigset_t taken;

	sigemptyset(&taken);
	sigaddset(&taken, SIGTERM);
	sigaddset(&taken, SIGINT);
	sigaddset(&taken, SIGCHLD);
	sigaddset(&taken, SIGUSR1);
	return taken;
}

void
supervise_block_signals(void)
{
	sigset_t taken = supervise_signals();

	/* Can't fail: the arguments are good. */
	sigprocmask(SIG_SETMASK, &taken, NULL);
}

void
supervise_init(struct supervisor *sv, const struct options *options)
{
	sigset_t taken = supervise_signals();

	*sv = (struct supervisor){
		.options = options,
		.target = { .netns_fd = -1, .userns_fd = -1 },
		.phase = SUPERVISE_STARTING,
		.ready_fd = options->ready_fd,
		.exit_fd = options->exit_fd,
		.tap_fd = -1,
		.resolv_copy_fd = -1,
		.api = { .listen_fd = -1, .worker_end_fd = -1, .fallback_userns_fd = -1 },
		.deadline_ms = clock_now_ms() + START_TIMEOUT_MS,
	};
	/* Once, because the filter lets us find out nothing later. */
	parent_jail_orders(&sv->orders, options);
	for (size_t i = 0; i < ROLE_N; i++)
		sv->children[i].channel.fd = -1;
	sv->rules = rules_new();
	if (!sv->rules)
		fatal("get memory for the copy of the rules");
	parent_nswatch_init(&sv->watch);
	parent_resolv_init(&sv->resolv);
	parent_outbound_init(&sv->outbound);

	/* What a caller left ignored would never arrive. SIGINT stays so: that is how a
	 * shell keeps ^C away from what it runs in the background. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* A caller's limit on file sizes must not kill us at the copy of resolv.conf. */
	signal(SIGXFSZ, SIG_IGN);
	sv->signal_fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sv->signal_fd == -1)
		fatal("make a signal descriptor");
}

void
supervise_log_of(struct child *child, enum log_level level, const char *format, ...)
{
	char text[LOG_TEXT_SIZE];
	va_list args;

	if (!ratelimit_allow(&child->log_limit, clock_now_ms()))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report_line(level, "%s", text);
}

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
supervise_fail_send(struct supervisor *sv, const char *what)
{
	if (errno == EPIPE || errno == ECONNRESET || errno == EBADF)
		return;
	log_error("%s: %s", what, strerror(errno));
	supervise_end(sv, EXITCODE_FAILURE);
}

/* The worker can have its TAP. */
static void
instruct_worker(struct supervisor *sv, int adopt_tap_fd, const struct ipc_tap_made *made)
{
	struct ipc_channel *worker = &sv->children[ROLE_SLIRP_WORKER].channel;
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
		.parent = &sv->own_confined,
		.roles = sv->confined,
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
		    options->netns_path, clock_now_ms());
	parent_target_close(&sv->target);
	report_libslirp(sv->about.libslirp_version);
	for (size_t i = 0; i < ROLE_N; i++)
		if (sv->children[i].role)
			report_confined(roles[i].name, roles[i].stages, &sv->confined[i]);
	if (options->pidfile_path)
		parent_pidfile_write(options->pidfile_path);
	parent_jail_lock(options, &sv->own_confined);
	report_confined("parent", ROLES_PARENT_STAGES, &sv->own_confined);
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
	ipc_channel_set_running(&sv->children[ROLE_SLIRP_WORKER].channel);
	supervise_publish(sv);
	supervise_check_ready(sv);
}

void
parent_on_tap_gone(struct supervisor *sv, const struct ipc_tap_gone *msg)
{
	log_error("the TAP device is gone: %s; ending", strerror((int)msg->error));
	supervise_end(sv, EXITCODE_FAILURE);
}

void
parent_on_stats(struct supervisor *sv, const struct ipc_stats *msg)
{
	report_stats(msg, sv->rules->n);
}

void
supervise_kill(struct child *child)
{
	ipc_channel_close(&child->channel);
	if (child->pid != 0 && !child->is_reaped)
		kill(child->pid, SIGKILL);
}

/* Receives what the child has sent, up to a bound, so that no child can keep the parent
 * from its signals and the others; poll tells of the rest. */
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
				    (enum role_index)(child - sv->children), child->pid);
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

/* A child is gone, and what it had to say has been read. */
static void
bury(struct supervisor *sv, struct child *child, int wait_status)
{
	bool done = child->role->id == IPC_ROLE_NETNS_HELPER && sv->tap_fd != -1;
	char text[LOG_TEXT_SIZE];

	parent_describe_exit(child, wait_status, sv->phase == SUPERVISE_RUNNING,
	    clock_now_ms(), text, sizeof(text));
	child->pid = 0;
	ipc_channel_close(&child->channel);
	if (done || sv->phase == SUPERVISE_ENDED)
		return;
	if (sv->phase == SUPERVISE_RUNNING && child->role->id == IPC_ROLE_API) {
		supervise_api_lost(sv, text);
		return;
	}
	if (sv->phase == SUPERVISE_RUNNING && child->role->id == IPC_ROLE_SPAWNER) {
		supervise_api_spawner_lost(sv, text);
		return;
	}
	if (!child->gave_reason)
		log_error("%s; ending", text);
	if (child->role->id == IPC_ROLE_SLIRP_WORKER)
		supervise_api_tell(sv, IPC_EVENT_WORKER_EXITED);
	supervise_end(sv, EXITCODE_FAILURE);
}

void
supervise_reap(struct supervisor *sv)
{
	for (size_t i = 0; i < ROLE_N; i++) {
		struct child *child = &sv->children[i];
		int wait_status;

		if (child->pid == 0 || waitpid(child->pid, &wait_status, WNOHANG) <= 0)
			continue;
		child->is_reaped = true;
		/* It sends no more, so this comes to an end. */
		receive(sv, child, INT_MAX);
		bury(sv, child, wait_status);
	}
}

static void
ask_for_stats(struct supervisor *sv)
{
	struct ipc_channel *worker = &sv->children[ROLE_SLIRP_WORKER].channel;
	struct ipc_get_stats request = { 0 };

	if (sv->phase == SUPERVISE_RUNNING && ipc_send_get_stats(worker, &request) == 0)
		ipc_channel_await_reply(worker);
}

/* What a full queue does not take is sent again later. */
static void
tell_outbound(struct supervisor *sv)
{
	struct ipc_channel *worker = &sv->children[ROLE_SLIRP_WORKER].channel;

	sv->outbound.is_told = ipc_send_outbound(worker, &sv->outbound.addresses) == 0;
}

static void
take_signals(struct supervisor *sv)
{
	struct signalfd_siginfo info;
	bool child_ended = false;

	while (read(sv->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			supervise_end(sv, EXITCODE_OK);
			break;
		case SIGUSR1:
			ask_for_stats(sv);
			break;
		case SIGCHLD:
			child_ended = true;
			break;
		}
	}
	/* After the rest: a terminal's ^C reaches the children too, and is no failure. */
	if (child_ended)
		supervise_reap(sv);
}

/* The shorter of two timeouts, of which -1 is the longest. */
static int
sooner(int a_ms, int b_ms)
{
	if (a_ms == -1 || b_ms == -1)
		return a_ms > b_ms ? a_ms : b_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

static int
poll_timeout_ms(const struct supervisor *sv, uint64_t now_ms)
{
	if (sv->phase == SUPERVISE_STARTING)
		return sv->deadline_ms > now_ms ? (int)(sv->deadline_ms - now_ms) : 0;
	return sooner(sooner(supervise_api_timeout_ms(sv, now_ms),
			  parent_outbound_timeout_ms(&sv->outbound, now_ms)),
	    sooner(parent_nswatch_timeout_ms(&sv->watch, now_ms),
		parent_resolv_timeout_ms(&sv->resolv, now_ms)));
}

/* One turn of the loop. */
static void
serve(struct supervisor *sv)
{
	struct pollfd set[POLL_N] = {
		[POLL_SIGNALS] = { .fd = sv->signal_fd, .events = POLLIN },
		/* Only the hang-up, which is always reported: data is ignored, and must
		 * not wake us for ever. */
		[POLL_EXIT_FD] = { .fd = sv->exit_fd },
	};
	uint64_t now_ms = clock_now_ms();

	set[POLL_RESOLV].fd = parent_resolv_fd(&sv->resolv);
	set[POLL_RESOLV].events = POLLIN;
	/* What changes during the start waits until the worker serves. */
	if (sv->phase == SUPERVISE_RUNNING)
		set[POLL_OUTBOUND].fd = parent_outbound_fd(&sv->outbound);
	else
		set[POLL_OUTBOUND].fd = -1;
	set[POLL_OUTBOUND].events = POLLIN;
	set[POLL_NSWATCH].fd = parent_nswatch_fd(&sv->watch, &set[POLL_NSWATCH].events);
	for (size_t i = 0; i < ROLE_N; i++) {
		/* What one without a number says waits until that is known. */
		set[POLL_CHILDREN + i].fd =
		    sv->children[i].pid != 0 ? sv->children[i].channel.fd : -1;
		set[POLL_CHILDREN + i].events = POLLIN;
	}
	if (poll(set, POLL_N, poll_timeout_ms(sv, now_ms)) == -1 && errno != EINTR) {
		log_error("wait for events: %s; ending", strerror(errno));
		supervise_end(sv, EXITCODE_FAILURE);
		return;
	}
	now_ms = clock_now_ms();
	for (size_t i = 0; i < ROLE_N; i++)
		if (set[POLL_CHILDREN + i].revents)
			receive(sv, &sv->children[i], RECEIVE_MAX);
	if (set[POLL_SIGNALS].revents)
		take_signals(sv);
	if (set[POLL_EXIT_FD].revents & (POLLHUP | POLLERR | POLLNVAL))
		supervise_end(sv, EXITCODE_OK);
	if (parent_resolv_handle(&sv->resolv, set[POLL_RESOLV].revents, now_ms))
		supervise_api_tell(sv, IPC_EVENT_RESOLV_CONF_CHANGED);
	if (sv->phase == SUPERVISE_RUNNING &&
	    parent_outbound_handle(&sv->outbound, set[POLL_OUTBOUND].revents, now_ms))
		tell_outbound(sv);
	supervise_api_handle(sv, now_ms);
	if (sv->phase == SUPERVISE_RUNNING &&
	    parent_nswatch_is_gone(&sv->watch, set[POLL_NSWATCH].revents, now_ms)) {
		log_info("nobody uses the network namespace any more; ending");
		supervise_end(sv, EXITCODE_OK);
	}
	if (sv->phase == SUPERVISE_STARTING && now_ms >= sv->deadline_ms) {
		log_error("not ready after %d s; ending",
		    START_TIMEOUT_MS / CLOCK_MS_PER_S);
		supervise_end(sv, EXITCODE_FAILURE);
	}
}

static bool
any_child_left(const struct supervisor *sv)
{
	for (size_t i = 0; i < ROLE_N; i++)
		if (sv->children[i].pid != 0)
			return true;
	return false;
}

/* Ends the children: first by the end of their channels, then by force. */
static void
end_children(struct supervisor *sv)
{
	uint64_t grace_ends_ms = clock_now_ms() + END_GRACE_MS;

	for (size_t i = 0; i < ROLE_N; i++)
		ipc_channel_close(&sv->children[i].channel);
	for (;;) {
		struct pollfd signals = { .fd = sv->signal_fd, .events = POLLIN };
		uint64_t now_ms = clock_now_ms();

		supervise_reap(sv);
		if (!any_child_left(sv) || now_ms >= grace_ends_ms)
			break;
		poll(&signals, 1, (int)(grace_ends_ms - now_ms));
		take_signals(sv);
	}
	for (size_t i = 0; i < ROLE_N; i++) {
		struct child *child = &sv->children[i];

		if (child->pid == 0)
			continue;
		log_warning("%s[%d] does not end by itself; killing it",
		    child->role->name, child->pid);
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		child->pid = 0;
	}
}

void
supervise_confine_child(struct supervisor *sv, enum role_index role)
{
	/* A child that is gone already is seen by its exit. */
	(void)ipc_send_confine(&sv->children[role].channel, &sv->orders);
}

static void
start_child(struct supervisor *sv, enum role_index role, const int program_fds[ROLE_N])
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
		(void)ipc_send_fallback_userns(&sv->children[ROLE_SLIRP_WORKER].channel,
		    &offer, sv->target.userns_fd);
}

/* Tells the helper which TAP to look at, or what to join and to make. Returns 0, or -1
 * with errno set. */
static int
instruct_helper(struct supervisor *sv)
{
	struct ipc_channel *helper = &sv->children[ROLE_NETNS_HELPER].channel;
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

static int
serve_to_the_end(struct supervisor *sv)
{
	while (sv->phase != SUPERVISE_ENDED)
		serve(sv);
	parent_notify("STOPPING=1\nSTATUS=Ending");
	end_children(sv);
	free(sv->rules);
	return sv->status;
}

int
supervise_run(struct supervisor *sv, const int program_fds[ROLE_N])
{
	start_child(sv, ROLE_NETNS_HELPER, program_fds);
	if (sv->phase == SUPERVISE_STARTING)
		start_child(sv, ROLE_SLIRP_WORKER, program_fds);
	if (sv->phase == SUPERVISE_STARTING)
		offer_userns(sv);
	if (sv->phase == SUPERVISE_STARTING && instruct_helper(sv) == -1)
		supervise_fail_send(sv, "instruct netns-helper");
	/* Last, because it is ready before the others. */
	if (sv->phase == SUPERVISE_STARTING)
		supervise_api_begin(sv, program_fds);
	return serve_to_the_end(sv);
}

int
supervise_run_worker(struct supervisor *sv, const int program_fds[ROLE_N],
    int adopt_tap_fd)
{
	start_child(sv, ROLE_SLIRP_WORKER, program_fds);
	instruct_worker(sv, adopt_tap_fd, &(struct ipc_tap_made){ 0 });
	supervise_api_begin(sv, program_fds);
	return serve_to_the_end(sv);
}

int
supervise_ask_about(struct supervisor *sv, const int program_fds[ROLE_N])
{
	start_child(sv, ROLE_SLIRP_WORKER, program_fds);
	while (sv->phase == SUPERVISE_STARTING && sv->about.config_version_max == 0)
		serve(sv);
	supervise_end(sv, EXITCODE_OK);
	end_children(sv);
	free(sv->rules);
	return sv->status == EXITCODE_OK ? 0 : -1;
}
