/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes all that the worker needs before it serves: TAP, tables, gate and engines. */
#include "slirp-worker/setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/fdtable.h"
#include "slirp-worker/api_requests.h"
#include "slirp-worker/datapath.h"

/* libslirp's error messages tell an operator what a guest does; a few of them are enough.
 * Each source of log lines that a guest or client can cause has a limit. The sum of these
 * limits is below the parent's limit on the worker's lines (parent/supervise/spawn.c), so
 * that no source hides the lines of another. */
#define COMPLAINTS_BURST 8
#define COMPLAINTS_INTERVAL_MS (30 * 60 * 1000)

static void
limit_lines(struct worker *worker)
{
	worker->complaints = (struct ratelimit){
		.burst = COMPLAINTS_BURST,
		.interval_ms = COMPLAINTS_INTERVAL_MS,
	};
	worker->tcp_refusals = (struct ratelimit){
		.burst = 1,
		.interval_ms = COMPLAINTS_INTERVAL_MS,
	};
	worker->udp_limits = worker->tcp_refusals;
	worker->udp_refusals = worker->tcp_refusals;
	worker->port_refusals = worker->tcp_refusals;
}

static void
complain(void *ctx, const char *text)
{
	struct worker *worker = ctx;

	worker_count(worker, IPC_COUNTER_stack_errors, 1);
	if (ratelimit_allow(&worker->complaints, clock_now_ms()))
		log_warning("libslirp: %s", text);
}

static struct in_addr
to_in(uint32_t addr_be)
{
	return (struct in_addr){ .s_addr = addr_be };
}

static void
init_gate(struct gate *gate, const struct ipc_network *network)
{
	struct gate_config config = {
		.allow_host_loopback = network->allow_host_loopback,
		.enable_ipv6 = network->enable_ipv6,
		.enable_dns = network->enable_dns,
		.network_be = to_in(network->network_be),
		.netmask_be = to_in(network->netmask_be),
		.host_be = to_in(network->host_be),
		.nameserver_be = to_in(network->nameserver_be),
		.prefix6 = network->prefix6,
		.host6 = network->host6,
		.nameserver6 = network->nameserver6,
	};

	gate_init(gate, &config);
}

/* Whether a TAP takes IPv4 frames above 65535 bytes. Linux has them since 6.3 (net/ipv4/
 * tcp_offload.c); since 6.6 the TAP stores them in pages that hold a frame of 128 KiB
 * (drivers/net/tun.c, tun_alloc_skb). */
static bool
kernel_takes_big_frames(void)
{
	struct utsname name;
	unsigned long major, minor;
	char *rest;

	if (uname(&name) == -1)
		return false;
	major = strtoul(name.release, &rest, 10);
	minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 6);
}

static void
make_ping(struct worker *worker)
{
	const struct ping_config config = {
		.network = &worker->network,
		.asks = &worker->asks,
		.hold = &worker->hold,
		.poller = &worker->poller,
		.n_flows_max = worker->budget.limit[BUDGET_PING],
		.to_guest = datapath_to_guest,
		.lost = datapath_lost_waiting,
		.no_socket = datapath_refused_ping,
		.ctx = worker,
	};

	if (ping_init(&worker->ping, &config) == -1)
		fatal("get memory for echo requests");
	engines_add(&worker->engines, &ping_engine, &worker->ping);
}

static void
make_tcp(struct worker *worker)
{
	const struct tcp_host_config config = {
		.network = &worker->network,
		.asks = &worker->asks,
		.poller = &worker->poller,
		.tap = &worker->tap,
		.budget = &worker->budget,
		.has_offloads = worker->has_offloads,
		.guest_mac = worker->has_guest_mac && kernel_takes_big_frames()
		    ? &worker->guest_mac
		    : NULL,
		.wrote_frame = datapath_wrote_frame,
		.no_descriptor = datapath_refused_tcp,
		.ctx = worker,
	};

	if (tcp_host_init(&worker->tcp, &config) == -1)
		fatal("get memory for connections");
	tcp_forward_init(&worker->tcp_forward, &worker->tcp, &worker->neigh,
	    &worker->ports);
	engines_add(&worker->engines, &tcp_forward_engine, &worker->tcp_forward);
	engines_add(&worker->engines, &tcp_host_engine, &worker->tcp);
}

static void
make_udp(struct worker *worker)
{
	const struct udp_host_config config = {
		.network = &worker->network,
		.asks = &worker->asks,
		.hold = &worker->hold,
		.poller = &worker->poller,
		.tap = &worker->tap,
		.budget = &worker->budget,
		.neigh = &worker->neigh,
		.to_resolver = &worker->to_resolver,
		.ports = &worker->ports,
		.has_offloads = worker->has_offloads,
		.has_uso = worker->has_uso,
		.wrote_frame = datapath_wrote_frame,
		.to_guest = datapath_to_guest,
		.gave_way = datapath_udp_gave_way,
		.no_room = datapath_udp_no_room,
		.no_socket = datapath_refused_udp_socket,
		.lost = datapath_lost_waiting,
		.ctx = worker,
	};

	if (udp_host_init(&worker->udp, &config) == -1)
		fatal("get memory for UDP flows");
	engines_add(&worker->engines, &udp_host_engine, &worker->udp);
	worker->gate.knows_udp = udp_host_knows;
	worker->gate.ctx = &worker->udp;
}

void
setup_make_engines(struct worker *worker)
{
	const struct stack_host host = {
		.ctx = worker,
		.to_guest = datapath_to_guest,
		.complain = complain,
		.dhcp = &worker->gate.dhcp,
	};
	const struct ipc_network *network = &worker->network;

	limit_lines(worker);
	if (flow_key_make_secret() == -1)
		fatal("get random bytes");
	worker->n_descriptors = budget_raise_files();
	if (worker->n_descriptors == 0 || poller_init(&worker->poller) == -1)
		fatal("get descriptors");
	if (poller_put(&worker->poller, POLLER_PARENT, worker->to_parent.fd) == -1)
		fatal("watch the channel to the parent");
	chan_api_init(&worker->api, &worker->to_parent, IPC_ROLE_SLIRP_WORKER,
	    IPC_CHILD_FD_PEER, api_requests_watch, worker);
	budget_init(&worker->budget, worker->n_descriptors, budget_read_ephemeral());
	worker->stack = stack_new(network, &host);
	if (!worker->stack && errno == ENOMEM)
		fatal("get memory");
	if (!worker->stack)
		fatalx("libslirp %s refuses the configuration", stack_library_version());
	engines_add(&worker->engines, &stack_engine, worker->stack);
	if (asks_init(&worker->asks, &worker->to_connector, worker->n_descriptors) ==
		-1 ||
	    hold_init(&worker->hold) == -1)
		fatal("get memory for questions to the connector");
	make_ping(worker);
	if (port_table_init(&worker->ports, &worker->poller, &worker->budget) == -1)
		fatal("get memory");
	make_tcp(worker);
	make_udp(worker);
}

/* After poller_init(). */
static void
init_tapio(struct worker *worker, const struct ipc_start *start, int adopt_tap_fd)
{
	struct tapio *tap = &worker->tap;
	int result = start->is_bess
	    ? tapio_init_bess(tap, &worker->poller, adopt_tap_fd)
	    : tapio_init(tap, &worker->poller, adopt_tap_fd, start->tap_header_len);

	if (result == -1)
		fatal("watch the TAP");
}

void
setup_make(struct worker *worker, const struct ipc_start *start, int adopt_tap_fd)
{
	worker->network = start->network;
	worker->has_offloads = start->tap_has_offloads;
	worker->has_uso = start->tap_has_uso;
	worker->has_guest_mac = start->has_guest_mac;
	worker->guest_mac = start->guest_mac;
	if (reass_init(&worker->reass) == -1)
		fatal("get memory");
	init_gate(&worker->gate, &worker->network);
	setup_make_engines(worker);
	init_tapio(worker, start, adopt_tap_fd);
}

void
setup_undo_engines(struct worker *worker)
{
	connections_free(&worker->connections);
	engines_free(&worker->engines);
	asks_free(&worker->asks);
	hold_free(&worker->hold);
	port_table_free(&worker->ports);
	poller_free(&worker->poller);
}
