#include "slirp-worker/control.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inet.h"
#include "base/log.h"
#include "ipc/child.h"
#include "ipc/dispatch.h"
#include "slirp-worker/api_channel.h"
#include "slirp-worker/dhcp_reply.h"
#include "slirp-worker/packet.h"
#include "slirp-worker/peer_source.h"

/* libslirp's complaints tell an operator what a guest is doing; a few of them do. Each
 * source of lines that a guest or client can cause has a limit, and all of them together
 * stay below the parent's limit on the worker's lines (parent/spawn.c), so that none hides
 * other lines. */
#define COMPLAINTS_BURST 8
#define COMPLAINTS_INTERVAL_MS (30 * 60 * 1000)

#define DECLARE(...) IPC_DECLARE_HANDLER(worker, struct worker, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(worker, worker, msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_JAILED(DECLARE)
IPC_ROWS_PARENT_TO_SLIRP_WORKER(DECLARE)

static void
to_guest(void *ctx, const uint8_t *frame, size_t frame_len)
{
	/* The worker is not entered twice. */
	static uint8_t copy[TAPIO_FRAME_MAX + DHCP_REPLY_GROWTH_MAX];
	struct worker *worker = ctx;
	const struct gate *gate = &worker->gate;
	bool is_dhcp_reply = dhcp_reply_is_one(&gate->dhcp, frame, frame_len);

	if (frame_len <= TAPIO_FRAME_MAX &&
	    (is_dhcp_reply || peer_source_is_loopback(frame, frame_len))) {
		memcpy(copy, frame, frame_len);
		if (is_dhcp_reply)
			frame_len = dhcp_reply_rewrite(&gate->dhcp, copy, frame_len);
		else
			peer_source_replace(&gate->config, copy, frame_len);
		frame = copy;
	}
	packet_to_guest(worker, frame, frame_len);
}

static void
ping_to_guest(void *ctx, const uint8_t *frame, size_t frame_len)
{
	packet_to_guest(ctx, frame, frame_len);
}

void
worker_control_limit_lines(struct worker *worker)
{
	worker->complaints = (struct ratelimit){
		.burst = COMPLAINTS_BURST,
		.interval_ms = COMPLAINTS_INTERVAL_MS,
	};
	worker->tcp_refusals = (struct ratelimit){
		.burst = 1,
		.interval_ms = COMPLAINTS_INTERVAL_MS,
	};
	worker->udp_refusals = worker->tcp_refusals;
}

void
worker_control_complain(void *ctx, const char *text)
{
	struct worker *worker = ctx;

	worker_count(worker, IPC_COUNTER_stack_errors, 1);
	if (ratelimit_allow(&worker->complaints, clock_now_ms()))
		log_warning("libslirp: %s", text);
}

void
worker_control_tcp_socket_made(void *ctx, int fd)
{
	struct worker *worker = ctx;

	relay_tcp_note_accepted(&worker->relay.tcp, fd);
}

void
worker_control_tcp_socket_ends(void *ctx, int fd)
{
	struct worker *worker = ctx;

	relay_tcp_note_closed(&worker->relay.tcp, fd);
}

void
worker_control_udp_peer_on_loopback(void *ctx, int port_fd, const struct udp_end *guest,
    uint16_t peer_port)
{
	struct worker *worker = ctx;
	const struct gate_flow_key key =
	    gate_flow_key(guest->ethertype, guest->address, guest->port, peer_port);

	gate_flows_note(&worker->gate.flows, &key, port_fd, worker->now_ms);
}

void
worker_control_udp_port_ends(void *ctx, int port_fd)
{
	struct worker *worker = ctx;

	gate_flows_forget_port(&worker->gate.flows, port_fd);
}

static void
socket_not_polled(void *ctx)
{
	worker_count(ctx, IPC_COUNTER_sockets_not_polled, 1);
}

void
worker_control_introduce(struct worker *worker)
{
	struct ipc_about about = { .config_version_max = stack_config_version_max() };

	snprintf(about.libslirp_version, sizeof(about.libslirp_version), "%s",
	    stack_library_version());
	ipc_child_check_sent(ipc_send_about(&worker->to_parent, &about),
	    "introduce myself");
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
	};

	memcpy(config.prefix6.s6_addr, network->prefix6, IPC_ADDR6_LEN);
	memcpy(config.host6.s6_addr, network->host6, IPC_ADDR6_LEN);
	memcpy(config.nameserver6.s6_addr, network->nameserver6, IPC_ADDR6_LEN);
	gate_init(gate, &config);
}

/* The address that the guest gives itself unless it is told otherwise; with --configure,
 * that the helper gave it. :: if the device has no MAC to make it from. */
static void
find_guest6(const struct ipc_network *network, int tap_fd, struct in6_addr *addr)
{
	struct ifreq request = { 0 };
	struct inet_mac mac;

	*addr = in6addr_any;
	/* drivers/net/tun.c: a TAP's descriptor takes this request of netdevice(7). */
	if (ioctl(tap_fd, SIOCGIFHWADDR, &request) == -1)
		return;
	memcpy(mac.octets, request.ifr_hwaddr.sa_data, sizeof(mac.octets));
	inet_addr6_from_mac(network->prefix6, &mac, addr);
}

void
worker_on_confine(struct worker *worker, const struct ipc_confine *msg)
{
	worker->jail.orders = *msg;
}

void
worker_on_fallback_userns(struct worker *worker, const struct ipc_fallback_userns *msg,
    int adopt_fd)
{
	(void)msg;
	worker->jail.fallback_userns_fd = adopt_fd;
}

/* Enters the jail, and tells the parent what it needs to know of it. */
static void
confine(struct worker *worker)
{
	const struct ipc_resolv_copy copy = { 0 };
	struct jail *jail = &worker->jail;

	jail_enter(jail);
	/* Namespaces and ids have changed, and with them the kernel's memory of this. */
	ipc_child_die_with_parent(&worker->to_parent);
	if (jail->resolv_copy_fd != -1) {
		ipc_child_check_sent(ipc_send_resolv_copy(&worker->to_parent, &copy,
					 jail->resolv_copy_fd),
		    "hand over the copy of resolv.conf");
		close(take_fd(&jail->resolv_copy_fd));
	}
	jail_lock(jail);
	ipc_child_check_sent(ipc_send_confined(&worker->to_parent, &jail->reached),
	    "tell how I am confined");
}

void
worker_on_start(struct worker *worker, const struct ipc_start *msg, int adopt_fd)
{
	struct stack_host host = {
		.ctx = worker,
		.to_guest = to_guest,
		.complain = worker_control_complain,
		.tcp_socket_made = worker_control_tcp_socket_made,
		.tcp_socket_ends = worker_control_tcp_socket_ends,
		.socket_not_polled = socket_not_polled,
		.udp_peer_on_loopback = worker_control_udp_peer_on_loopback,
		.udp_port_ends = worker_control_udp_port_ends,
		.timers = &worker->timers,
		.budget = &worker->budget,
	};
	const struct ipc_ready ready = { 0 };
	struct in6_addr guest6;

	worker->network = msg->network;
	find_guest6(&worker->network, adopt_fd, &guest6);
	worker_control_limit_lines(worker);
	if (msg->is_bess)
		tapio_init_bess(&worker->tap, adopt_fd);
	else if (tapio_init(&worker->tap, adopt_fd, msg->tap_header_len) == -1)
		fatal("make the TAP non-blocking");
	if (reass_init(&worker->reass) == -1 || pollset_init(&worker->pollset) == -1)
		fatal("get memory and descriptors");
	budget_init(&worker->budget, worker->pollset.size, budget_read_ephemeral());
	init_gate(&worker->gate, &worker->network);
	offload_init(&worker->offload, msg->tap_has_offloads, worker->network.mtu_bytes,
	    packet_emit_segment, worker);
	worker->stack = stack_new(&worker->network, &msg->outbound,
	    offload_stack_mtu(&worker->offload), &host);
	if (!worker->stack && errno == ENOMEM)
		fatal("get memory");
	if (!worker->stack)
		fatalx("libslirp %s refuses the configuration", stack_library_version());
	ping_init(&worker->ping, &worker->network, &msg->outbound,
	    worker->budget.limit[BUDGET_PING], ping_to_guest, worker);
	relay_init(&worker->relay, worker->stack, &worker->gate.flows, &worker->budget);
	if (forwards_init(&worker->forwards, worker->stack, &worker->relay,
		&worker->budget, &worker->network, &guest6) == -1)
		fatal("get memory");
	confine(worker);
	ipc_child_check_sent(ipc_send_ready(&worker->to_parent, &ready),
	    "say that all is ready");
	ipc_channel_set_running(&worker->to_parent);
}

const struct ipc_stats *
worker_control_stats(struct worker *worker)
{
	worker->stats.counters[IPC_COUNTER_datagrams_evicted] = worker->reass.n_evicted;
	worker->stats.counters[IPC_COUNTER_datagrams_expired] = worker->reass.n_expired;
	return &worker->stats;
}

void
worker_on_get_stats(struct worker *worker, const struct ipc_get_stats *msg)
{
	(void)msg;
	/* A parent that has no room for it does not wait for it either. */
	(void)ipc_send_stats(&worker->to_parent, worker_control_stats(worker));
}

void
worker_on_outbound(struct worker *worker, const struct ipc_outbound *msg)
{
	stack_set_outbound(worker->stack, msg);
	ping_set_outbound(&worker->ping, msg);
}

void
worker_on_publish(struct worker *worker, const struct ipc_publish *msg)
{
	requests_publish(worker, &msg->rule);
}

void
worker_on_api_channel(struct worker *worker, const struct ipc_api_channel *msg,
    int adopt_fd)
{
	api_channel_open(worker, adopt_fd, msg->api_number);
}

static void
dispatch(struct worker *worker, struct ipc_message *msg)
{
	switch (msg->id) {
		IPC_ROWS_PARENT_TO_CHILD(CALL)
		IPC_ROWS_PARENT_TO_JAILED(CALL)
		IPC_ROWS_PARENT_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
}

bool
worker_control_wait_start(struct worker *worker)
{
	struct ipc_message msg;

	while (!worker->stack) {
		if (!ipc_child_wait(&worker->to_parent, &msg))
			return false;
		dispatch(worker, &msg);
	}
	return true;
}

void
worker_control_receive(struct worker *worker)
{
	struct ipc_message msg;
	const char *why;

	for (;;) {
		switch (ipc_channel_recv(&worker->to_parent, &msg, &why)) {
		case IPC_OUTCOME_MESSAGE:
			dispatch(worker, &msg);
			break;
		case IPC_OUTCOME_NONE:
			return;
		case IPC_OUTCOME_CLOSED:
			worker->ended = true;
			return;
		case IPC_OUTCOME_SHORTAGE: /* no other brings a descriptor in service */
			api_channel_miss(worker, msg.payload.api_channel.api_number, why);
			break;
		case IPC_OUTCOME_VIOLATION:
			fatalx("message from the parent: %s", why);
		}
	}
}

void
worker_control_tap_gone(struct worker *worker, int error)
{
	struct ipc_tap_gone gone = { .error = (uint32_t)error };

	tapio_close(&worker->tap);
	ipc_child_check_sent(ipc_send_tap_gone(&worker->to_parent, &gone),
	    "tell that the TAP is gone");
}
