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
#include "parent/supervise/policy.h"

/* The services that have a channel to each other. */
static const enum ipc_role links[][2] = {
	{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR },
	{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_RESOLVER },
	{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API },
	{ IPC_ROLE_CONNECTOR, IPC_ROLE_RESOLVER },
	{ IPC_ROLE_CONNECTOR, IPC_ROLE_API },
};

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

static int
instruct_connector(struct supervisor *sv)
{
	struct ipc_channel *connector = supervisor_channel(sv, IPC_ROLE_CONNECTOR);
	struct ipc_connector_start start = { .outbound = sv->outbound.addresses };

	network_fill(&start.network, sv->options);
	if (start.network.enable_dns && sv->phase == SUPERVISE_STARTING)
		parent_resolv_look_ahead(&sv->resolv, PARENT_RESOLV_PATH);
	start.nameservers = sv->resolv.nameservers;
	start.has_policy = sv->policy.rows != NULL;
	if (ipc_send_connector_start(connector, &start) == -1)
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

static int
start_worker(struct supervisor *sv)
{
	struct ipc_channel *worker = supervisor_channel(sv, IPC_ROLE_SLIRP_WORKER);
	struct ipc_start start = {
		.tap_header_len = sv->tap_made.header_len,
		.tap_has_offloads = sv->tap_made.has_offloads,
		.tap_has_uso = sv->tap_made.has_uso,
		.is_bess = sv->options->target == OPTIONS_TARGET_BESS,
		.has_guest_mac = sv->has_guest_mac,
		.guest_mac = sv->guest_mac,
	};

	network_fill(&start.network, sv->options);
	if (ipc_send_start(worker, &start, sv->tap_fd) == -1)
		return -1;
	ipc_channel_await_reply(worker, IPC_MSG_ready);
	return 0;
}

/* In service, all others are in their jails already. The TAP was kept. */
static int
instruct_worker(struct supervisor *sv)
{
	return sv->phase == SUPERVISE_RUNNING ? start_worker(sv) : 0;
}

int
wiring_tell_guest_addr6(struct supervisor *sv)
{
	struct ipc_guest_addr6 guest = { 0 };
	struct ipc_network network;

	if (!sv->has_guest_mac)
		return 0;
	network_fill(&network, sv->options);
	guest.addr = mac_to_addr6(&network.prefix6, &sv->guest_mac);
	return ipc_send_guest_addr6(supervisor_channel(sv, IPC_ROLE_CONNECTOR), &guest);
}

static int
start_resolver(struct supervisor *sv)
{
	struct ipc_channel *resolver = supervisor_channel(sv, IPC_ROLE_RESOLVER);
	struct ipc_resolver_start start = {
		.nameservers = sv->resolv.nameservers,
		.has_policy = sv->policy.rows != NULL,
	};

	network_fill(&start.network, sv->options);
	if (ipc_send_resolver_start(resolver, &start) == -1)
		return -1;
	ipc_channel_await_reply(resolver, IPC_MSG_resolver_ready);
	return 0;
}

static int
instruct_resolver(struct supervisor *sv)
{
	return sv->phase == SUPERVISE_RUNNING ? start_resolver(sv) : 0;
}

void
wiring_start_resolver(struct supervisor *sv)
{
	if (sv->phase == SUPERVISE_STARTING && sv->options->enable_dns &&
	    start_resolver(sv) == -1)
		wiring_fail_send(sv, "send resolver_start to resolver");
}

void
wiring_give_tap(struct supervisor *sv, int adopt_tap_fd, const struct ipc_tap_made *made)
{
	sv->tap_fd = adopt_tap_fd;
	sv->tap_made = *made;
	/* Find this out now: the filter does not allow it later. */
	sv->has_guest_mac = sv->options->target != OPTIONS_TARGET_BESS &&
	    find_guest_mac(sv->tap_fd, &sv->guest_mac);
	wiring_start_worker(sv);
}

void
wiring_start_worker(struct supervisor *sv)
{
	/* The policy is in force before the first packet. */
	if (sv->phase != SUPERVISE_STARTING || sv->tap_fd == -1 ||
	    !sv->services[IPC_ROLE_CONNECTOR].is_ready ||
	    (sv->policy.rows != NULL && !policy_is_followed(sv)))
		return;
	if (wiring_tell_guest_addr6(sv) == -1)
		wiring_fail_send(sv, "send guest_addr6 to connector");
	else if (start_worker(sv) == -1)
		wiring_fail_send(sv, "send start to slirp-worker");
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
	const struct ipc_listen msg = {
		.has_policy = sv->policy.rows != NULL,
		.is_locked = sv->options->policy_lock,
		.is_audit = sv->options->policy_audit,
		.enable_dns = sv->options->enable_dns,
	};

	if (ipc_send_listen(api, &msg, sv->api_listen_fd) == -1)
		return -1;
	ipc_channel_await_reply(api, IPC_MSG_api_ready);
	return 0;
}

/* Closes the control socket: no api will serve it, and clients must not wait. */
static void
close_control_socket(struct supervisor *sv)
{
	log_error("there is no control socket any more, without api and spawner");
	parent_placed_remove(PLACED_API_LINK);
	parent_placed_remove(PLACED_API_SOCKET);
	close(take_fd(&sv->api_listen_fd));
}

#define N_LINKS (sizeof(links) / sizeof(links[0]))

/* Gives both processes their ends of a new channel. If the queue of one is full, both get
 * another channel later, in place of this one. */
static void
join(struct supervisor *sv, size_t number)
{
	const enum ipc_role *link = links[number];
	autofd int first_fd = -1, second_fd = -1;
	int *const ends[2] = { &first_fd, &second_fd };
	enum ipc_role failed = link[0];
	bool is_restart =
	    sv->services[link[0]].n_restarts + sv->services[link[1]].n_restarts > 0;
	bool is_joined = ipc_channel_pair(&first_fd, &second_fd) == 0;

	for (size_t i = 0; i < 2 && is_joined; i++) {
		const enum ipc_role other = link[1 - i];
		const struct ipc_peer msg = {
			.role = other,
			.number = sv->services[other].n_restarts,
		};

		failed = link[i];
		is_joined =
		    ipc_send_peer(supervisor_channel(sv, link[i]), &msg, *ends[i]) == 0;
	}
	if (is_joined || errno == EPIPE || errno == ECONNRESET)
		return;
	if (errno == EAGAIN) {
		sv->links_wanted |= UINT32_C(1) << number;
		return;
	}
	log_error("give %s its channel to %s: %s; ending%s", roles[failed].name,
	    roles[failed == link[0] ? link[1] : link[0]].name, strerror(errno),
	    is_restart ? " it" : "");
	/* The two are of no use to each other; the next start tries again. */
	if (is_restart)
		children_kill(supervisor_child(sv, failed));
	else
		supervise_end(sv, EXITCODE_FAILURE);
}

/* Whether both processes can have the channel. */
static bool
may_join(const struct supervisor *sv, const enum ipc_role link[2])
{
	/* The api gets its channels when the service begins, and not earlier: it relies on being
	 * the only one that changes the forwards. */
	bool has_api = link[0] == IPC_ROLE_API || link[1] == IPC_ROLE_API;
	bool has_connector =
	    link[0] == IPC_ROLE_CONNECTOR || link[1] == IPC_ROLE_CONNECTOR;

	if (has_connector && !sv->is_connector_settled)
		return false;
	return sv->services[link[0]].is_ready && sv->services[link[1]].is_ready &&
	    (!has_api || sv->phase == SUPERVISE_RUNNING);
}

void
wiring_connect(struct supervisor *sv, enum ipc_role role)
{
	for (size_t i = 0; i < N_LINKS; i++)
		if ((links[i][0] == role || links[i][1] == role) &&
		    may_join(sv, links[i]))
			join(sv, i);
}

void
wiring_settle_connector(struct supervisor *sv)
{
	if (sv->is_connector_settled || !sv->services[IPC_ROLE_CONNECTOR].is_ready ||
	    sv->handover.is_active ||
	    (sv->policy.rows != NULL && !sv->policy.is_in_force))
		return;
	sv->is_connector_settled = true;
	wiring_connect(sv, IPC_ROLE_CONNECTOR);
}

/* Nothing was sent to the next connector yet. */
static void
lose_connector(struct supervisor *sv)
{
	sv->is_connector_settled = false;
	sv->policy.is_in_force = false;
	sv->handover.is_active = false;
	sv->owes_dropped = false;
	/* Those of a forward that was not complete. At once: their descriptors may be needed for
	 * the next start. */
	kept_drop(&sv->kept, sv->last_forward + 1, UINT32_MAX);
}

bool
wiring_waits_for(const struct supervisor *sv, enum ipc_role role)
{
	for (size_t i = 0; i < N_LINKS; i++)
		if (sv->links_wanted >> i & 1 &&
		    (links[i][0] == role || links[i][1] == role))
			return true;
	return false;
}

void
wiring_connect_waiting(struct supervisor *sv)
{
	uint32_t wanted = sv->links_wanted;

	sv->links_wanted = 0;
	for (size_t i = 0; i < N_LINKS; i++)
		/* If one has ended meanwhile, the next one asks anew when it is ready. */
		if (wanted >> i & 1 && may_join(sv, links[i]))
			join(sv, i);
}

void
wiring_connect_missed(struct supervisor *sv)
{
	for (size_t i = 0; i < N_LINKS; i++)
		if (sv->services[links[i][0]].missed_peers >> links[i][1] & 1 ||
		    sv->services[links[i][1]].missed_peers >> links[i][0] & 1)
			sv->links_wanted |= UINT32_C(1) << i;
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		sv->services[i].missed_peers = 0;
}

void
wiring_tell_api(struct supervisor *sv, enum ipc_event_kind kind, enum ipc_role role)
{
	const struct ipc_event event = { .kind = kind,
		.role = role,
		.n_restarts = sv->services[role].n_restarts };

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

const struct wiring wirings[IPC_ROLE_END] = {
	[IPC_ROLE_NETNS_HELPER] = {
		.instruct = instruct_helper,
		.is_done = helper_is_done,
	},
	[IPC_ROLE_SLIRP_WORKER] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_worker,
		.may_be_missing = true,
		.is_vital = true,
	},
	[IPC_ROLE_CONNECTOR] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_connector,
		.may_be_missing = true,
		.is_vital = true,
		.on_end = lose_connector,
	},
	[IPC_ROLE_RESOLVER] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_resolver,
		.may_be_missing = true,
	},
	[IPC_ROLE_SPAWNER] = {
		.may_be_missing = true,
		.loss = "nothing can be started again",
	},
	[IPC_ROLE_API] = {
		.starter = IPC_ROLE_SPAWNER,
		.instruct = instruct_api,
		.may_be_missing = true,
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
