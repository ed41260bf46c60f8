/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections between the processes.
 *
 *	netns-helper <-- parent --> spawner --> (starts the services)
 *	                 |  | |  +--> cgroup-mover, policy-reader
 *	                 |  | +--> api <-- control socket
 *	                 |  |       |
 *	      TAP --> slirp-worker <+
 *	                 |  |       |
 *	                 v  v       |
 *	               connector <--+
 *
 *	slirp-worker --> resolver --> connector
 *
 * Each line is a channel or a descriptor that the parent makes and hands over here. The
 * table at the end of the file says what the end of each process means.
 */
#include "parent/supervise/wiring.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/text.h"
#include "parent/cmdline/network.h"
#include "parent/files/placed.h"
#include "parent/supervise/children.h"

void
wiring_fail_send(struct supervisor *sv, const char *what)
{
	if (errno == EPIPE || errno == ECONNRESET || errno == EBADF)
		return;
	log_error("%s: %s", what, strerror(errno));
	supervise_end(sv, EXITCODE_FAILURE);
}

/* Instructs the helper to inspect a TAP, or to join namespaces and make a TAP. Returns 0,
 * or -1 with errno set. */
static int
instruct_helper(struct supervisor *sv)
{
	struct ipc_channel *helper = supervisor_channel(sv, IPC_ROLE_NETNS_HELPER);
	struct ipc_inspect_tap inspect = { 0 };
	struct ipc_make_tap make_tap = { 0 };
	struct ipc_join_userns join = { 0 };

	ipc_channel_await_reply(helper, IPC_MSG_tap_made);
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
		make_tap.mac = sv->options->mac;
	make_tap.has_mac = sv->options->has_mac;
	make_tap.configure = sv->options->configure;

	if (sv->target.userns_fd != -1 &&
	    ipc_send_join_userns(helper, &join, sv->target.userns_fd) == -1)
		return -1;
	return ipc_send_make_tap(helper, &make_tap, sv->target.netns_fd);
}

/* Joins the resolver and the worker, which must have its part before its start. */
static int
instruct_resolver(struct supervisor *sv)
{
	autofd int worker_end_fd = -1, resolver_end_fd = -1;

	parent_resolv_look_ahead(&sv->resolv, PARENT_RESOLV_PATH);
	if (ipc_channel_pair(&worker_end_fd, &resolver_end_fd) == -1 ||
	    ipc_send_resolver_channel(supervisor_channel(sv, IPC_ROLE_SLIRP_WORKER),
		worker_end_fd) == -1)
		return -1;
	return ipc_send_worker_channel(supervisor_channel(sv, IPC_ROLE_RESOLVER),
	    resolver_end_fd);
}

/* Joins the connector and the resolver, which must have their parts before their starts. */
static int
join_resolver(struct supervisor *sv)
{
	autofd int resolver_end_fd = -1, connector_end_fd = -1;

	if (!sv->options->enable_dns)
		return 0;
	if (ipc_channel_pair(&resolver_end_fd, &connector_end_fd) == -1 ||
	    ipc_send_connector_channel(supervisor_channel(sv, IPC_ROLE_RESOLVER),
		resolver_end_fd) == -1)
		return -1;
	return ipc_send_resolver_channel(supervisor_channel(sv, IPC_ROLE_CONNECTOR),
	    connector_end_fd);
}

/* Joins the connector and the worker, which must have its part before its start. */
static int
instruct_connector(struct supervisor *sv)
{
	struct ipc_channel *connector = supervisor_channel(sv, IPC_ROLE_CONNECTOR);
	struct ipc_connector_start start = { .outbound = sv->outbound.addresses };
	autofd int worker_end_fd = -1, connector_end_fd = -1;

	network_fill(&start.network, sv->options);
	start.nameservers = sv->resolv.nameservers;
	start.has_policy = sv->policy.rows != NULL;
	if (join_resolver(sv) == -1 ||
	    ipc_channel_pair(&worker_end_fd, &connector_end_fd) == -1 ||
	    ipc_send_connector_channel(supervisor_channel(sv, IPC_ROLE_SLIRP_WORKER),
		worker_end_fd) == -1 ||
	    ipc_send_connector_start(connector, &start, connector_end_fd) == -1)
		return -1;
	ipc_channel_await_reply(connector, IPC_MSG_connector_ready);
	return 0;
}

/* The MAC of the guest's interface; false for a socket in its place. */
static bool
find_guest_mac(int tap_fd, struct mac *mac)
{
	struct ifreq request = { 0 };

	/* A TAP accepts this request of netdevice(7) on its own descriptor
	 * (drivers/net/tun.c). */
	if (ioctl(tap_fd, SIOCGIFHWADDR, &request) == -1)
		return false;
	memcpy(mac->octets, request.ifr_hwaddr.sa_data, sizeof(mac->octets));
	return true;
}

/* Returns 0, or -1 with errno set. */
static int
tell_guest_addr6(struct supervisor *sv, const struct ipc_start *start)
{
	const struct ipc_guest_addr6 guest = {
		.addr = mac_to_addr6(&start->network.prefix6, &start->guest_mac),
	};

	return start->has_guest_mac
	    ? ipc_send_guest_addr6(supervisor_channel(sv, IPC_ROLE_CONNECTOR), &guest)
	    : 0;
}

void
wiring_start_resolver(struct supervisor *sv)
{
	struct ipc_channel *resolver = supervisor_channel(sv, IPC_ROLE_RESOLVER);
	struct ipc_resolver_start start = {
		.nameservers = sv->resolv.nameservers,
		.has_policy = sv->policy.rows != NULL,
	};

	if (sv->phase != SUPERVISE_STARTING || !sv->options->enable_dns)
		return;
	network_fill(&start.network, sv->options);
	if (ipc_send_resolver_start(resolver, &start) == -1) {
		wiring_fail_send(sv, "send resolver_start to resolver");
		return;
	}
	ipc_channel_await_reply(resolver, IPC_MSG_resolver_ready);
}

void
wiring_give_tap(struct supervisor *sv, int adopt_tap_fd, const struct ipc_tap_made *made)
{
	sv->tap_fd = adopt_tap_fd;
	sv->tap_made = *made;
	wiring_start_worker(sv);
}

/* The policy is in force before the first packet. */
static bool
policy_is_followed(const struct supervisor *sv)
{
	return sv->policy.is_in_force &&
	    (sv->policy.is_known || !sv->options->enable_dns);
}

void
wiring_start_worker(struct supervisor *sv)
{
	struct ipc_channel *worker = supervisor_channel(sv, IPC_ROLE_SLIRP_WORKER);
	struct ipc_start start = {
		.tap_header_len = sv->tap_made.header_len,
		.tap_has_offloads = sv->tap_made.has_offloads,
		.tap_has_uso = sv->tap_made.has_uso,
	};

	if (sv->phase != SUPERVISE_STARTING || sv->tap_fd == -1 ||
	    !sv->services[IPC_ROLE_CONNECTOR].is_ready ||
	    (sv->policy.rows != NULL && !policy_is_followed(sv)))
		return;
	network_fill(&start.network, sv->options);
	start.is_bess = sv->options->target == OPTIONS_TARGET_BESS;
	start.has_guest_mac =
	    !start.is_bess && find_guest_mac(sv->tap_fd, &start.guest_mac);
	if (tell_guest_addr6(sv, &start) == -1) {
		wiring_fail_send(sv, "send guest_addr6 to connector");
		return;
	}
	if (ipc_send_start(worker, &start, sv->tap_fd) == -1) {
		wiring_fail_send(sv, "send start to slirp-worker");
		return;
	}
	ipc_channel_await_reply(worker, IPC_MSG_ready);
}

void
parent_on_tap_made(struct supervisor *sv, const struct ipc_tap_made *msg, int adopt_fd)
{
	wiring_give_tap(sv, adopt_fd, msg);
}

static bool
helper_is_done(const struct supervisor *sv)
{
	return sv->tap_fd != -1;
}

static int
instruct_api(struct supervisor *sv)
{
	struct ipc_channel *api = supervisor_channel(sv, IPC_ROLE_API);
	autofd int to_worker_fd = -1, to_connector_fd = -1;

	if (ipc_channel_pair(&sv->api.worker_end_fd, &to_worker_fd) == -1 ||
	    ipc_channel_pair(&sv->api.connector_end_fd, &to_connector_fd) == -1 ||
	    ipc_send_worker_channel(api, to_worker_fd) == -1 ||
	    ipc_send_connector_channel(api, to_connector_fd) == -1 ||
	    ipc_send_listen(api, sv->api.listen_fd) == -1)
		return -1;
	ipc_channel_await_reply(api, IPC_MSG_api_ready);
	return 0;
}

/* Closes the others' ends of the channels to an api that has ended before they got them. */
static void
disconnect_api(struct supervisor *sv)
{
	if (sv->api.worker_end_fd != -1)
		close(take_fd(&sv->api.worker_end_fd));
	if (sv->api.connector_end_fd != -1)
		close(take_fd(&sv->api.connector_end_fd));
}

/* Closes the control socket: no api will serve it, and clients must not wait. */
static void
close_control_socket(struct supervisor *sv)
{
	log_error("there is no control socket any more, without api and spawner");
	parent_placed_remove(PLACED_API_LINK);
	parent_placed_remove(PLACED_API_SOCKET);
	close(take_fd(&sv->api.listen_fd));
}

/* Gives a process its end of the channel to the api, unless it has it. Returns 0, or -1 having
 * logged the reason. */
static int
connect_api_to(struct supervisor *sv, enum ipc_role role, int adopt_fd)
{
	const struct ipc_api_channel msg = { .api_number =
						 sv->services[IPC_ROLE_API].n_restarts };
	autofd int fd = adopt_fd;

	if (fd == -1 || ipc_send_api_channel(supervisor_channel(sv, role), &msg, fd) == 0)
		return 0;
	log_error("give %s its channel to api: %s", roles[role].name, strerror(errno));
	return -1;
}

void
wiring_connect_api(struct supervisor *sv)
{
	int worker =
	    connect_api_to(sv, IPC_ROLE_SLIRP_WORKER, take_fd(&sv->api.worker_end_fd));
	int connector =
	    connect_api_to(sv, IPC_ROLE_CONNECTOR, take_fd(&sv->api.connector_end_fd));

	/* The api is useless without a channel; its next start tries again. */
	if (worker == -1 || connector == -1)
		children_kill(supervisor_child(sv, IPC_ROLE_API));
}

void
parent_on_api_dropped(struct supervisor *sv, const struct ipc_api_dropped *msg)
{
	struct child *api = supervisor_child(sv, IPC_ROLE_API);
	char why[LOG_TEXT_SIZE];

	/* That api has ended already. */
	if (msg->api_number != sv->services[IPC_ROLE_API].n_restarts ||
	    api->channel.fd == -1)
		return;
	text_escape(why, sizeof(why), msg->why, strlen(msg->why));
	log_error("api[%d] broke the protocol: %s; ending it", api->pid, why);
	children_kill(api);
}

void
wiring_tell_api(struct supervisor *sv, enum ipc_event_kind kind)
{
	const struct ipc_event event = { .kind = kind };

	/* The api misses the event if its queue is full or it has ended. */
	if (sv->services[IPC_ROLE_API].is_ready)
		(void)ipc_send_event(supervisor_channel(sv, IPC_ROLE_API), &event);
}

void
wiring_follow_cgroup(struct supervisor *sv)
{
	struct ipc_channel *mover = supervisor_channel(sv, IPC_ROLE_CGROUP_MOVER);
	struct ipc_cgroup_follow msg = { 0 };
	char cgroup[LOG_TEXT_SIZE];

	if (mover->fd == -1) {
		text_escape(cgroup, sizeof(cgroup), sv->cgroup.cgroup,
		    strlen(sv->cgroup.cgroup));
		log_warning("slirpd alone was moved; its other processes stay in their "
			    "control group, and end with it; slirpd is in %s",
		    cgroup);
		sv->cgroup.is_told = true;
		sv->cgroup.has_moved = false;
		return;
	}
	memcpy(msg.cgroup, sv->cgroup.cgroup, sizeof(msg.cgroup));
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		msg.pids[i] = (uint32_t)sv->services[i].child.pid;
	/* If the queue is full, the message is sent again later. */
	sv->cgroup.is_told = ipc_send_cgroup_follow(mover, &msg) == 0;
}

static int
instruct_cgroup_mover(struct supervisor *sv)
{
	ipc_channel_await_reply(supervisor_channel(sv, IPC_ROLE_CGROUP_MOVER),
	    IPC_MSG_cgroup_ready);
	return 0;
}

static bool
policy_reader_is_done(const struct supervisor *sv)
{
	return sv->policy.is_read;
}

static void
tell_of_the_worker(struct supervisor *sv)
{
	wiring_tell_api(sv, IPC_EVENT_WORKER_EXITED);
}

const struct wiring wirings[IPC_ROLE_END] = {
	[IPC_ROLE_NETNS_HELPER] = {
		.instruct = instruct_helper,
		.is_done = helper_is_done,
	},
	[IPC_ROLE_SLIRP_WORKER] = {
		.starter = IPC_ROLE_SPAWNER,
		.on_end = tell_of_the_worker,
	},
	[IPC_ROLE_CONNECTOR] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_connector,
	},
	[IPC_ROLE_RESOLVER] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_resolver,
	},
	[IPC_ROLE_SPAWNER] = {
		.may_be_missing = true,
		.loss = "nothing can be started again",
	},
	[IPC_ROLE_API] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_api,
		.may_be_missing = true,
		.on_end = disconnect_api,
		.on_given_up = close_control_socket,
	},
	[IPC_ROLE_POLICY_READER] = {
		.is_done = policy_reader_is_done,
	},
	[IPC_ROLE_CGROUP_MOVER] = {
		.instruct = instruct_cgroup_mover,
		.may_be_missing = true,
		.may_miss_start = true,
		.loss = "its processes can't follow slirpd into another control group",
	},
};
