/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends the guest's echo requests on ping sockets of the connector, and returns the answers. */
#include "slirp-worker/engine/ping/ping_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/inaddr.h"
#include "slirp-worker/tap/tapio.h"
#include "slirp-worker/wire/ip.h"

/* RFC 792 and RFC 4443: type of an echo reply. */
#define ICMP4_ECHO_REPLY 0
#define ICMP6_ECHO_REPLY 129

/* Nobody keeps a pointer to a flow, so its place is free at once. */
static void
flow_end(struct ping *ping, struct ping_flow *flow)
{
	if (flow->fd != -1)
		asks_close(ping->asks, take_fd(&flow->fd));
	hold_drop(ping->hold, &flow->held);
	TAILQ_REMOVE(&ping->aged, flow, aged);
	flow_table_remove(&ping->flows, flow);
	flow_table_reap(&ping->flows);
}

static void
end_all(struct ping *ping)
{
	while (!TAILQ_EMPTY(&ping->aged))
		flow_end(ping, TAILQ_FIRST(&ping->aged));
}

static void
free_ping(void *self)
{
	struct ping *ping = self;

	end_all(ping);
	flow_table_free(&ping->flows);
}

static bool
is_ip6(const struct gate_frame *parsed)
{
	return parsed->ethertype == WIRE_TYPE_IP6;
}

static struct flow_key
key_of(const uint8_t *frame, const struct gate_frame *parsed)
{
	size_t address_len =
	    is_ip6(parsed) ? sizeof(struct in6_addr) : sizeof(struct in_addr);
	struct flow_key key = {
		.guest_port = load_be16(frame + parsed->l4_offset + PING_ICMP_ID),
		.ethertype = parsed->ethertype,
		.protocol = is_ip6(parsed) ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
	};

	memcpy(key.guest_address, parsed->src, address_len);
	memcpy(key.peer_address, parsed->dst, address_len);
	return key;
}

/* A new flow, without a socket. */
static struct ping_flow *
add_flow(struct ping *ping, const struct flow_key *key)
{
	struct ping_flow *flow;

	if (ping->flows.n_live == ping->flows.n_max)
		flow_end(ping, TAILQ_FIRST(&ping->aged));
	flow = flow_table_add(&ping->flows, key);
	flow->fd = -1;
	TAILQ_INSERT_TAIL(&ping->aged, flow, aged);
	return flow;
}

static void
set_ttl(struct ping_flow *flow, uint8_t ttl)
{
	const int value = ttl;

	if (flow->ttl == ttl)
		return;
	flow->ttl = ttl;
	if (ping_is_ip6(flow))
		setsockopt(flow->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value,
		    sizeof(value));
	else
		setsockopt(flow->fd, IPPROTO_IP, IP_TTL, &value, sizeof(value));
}

/* Returns 0 or an errno. */
static int
try_send(struct ping_flow *flow, const uint8_t *icmp, size_t len, bool may_fragment)
{
	discovery_set(&flow->discovery, flow->fd, ping_is_ip6(flow), may_fragment);
	return send(flow->fd, icmp, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? errno : 0;
}

/* Whether the request is lost as on a full link: no host or router has refused it. */
static bool
is_loss(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

/* Sends a request on the flow's socket. Returns 0, also if it is lost, or an errno. */
static int
send_on(struct ping *ping, struct ping_flow *flow, const uint8_t *icmp, size_t len,
    const struct hold_fate *fate)
{
	int error;

	set_ttl(flow, fate->ttl);
	error = try_send(flow, icmp, len, fate->may_fragment);
	if (error != 0 && !is_loss(error)) {
		/* The error may belong to an earlier request. */
		ping_take_errors(ping, flow);
		error = try_send(flow, icmp, len, fate->may_fragment);
	}
	if (error == EMSGSIZE && ping_too_big(ping, flow, icmp, len))
		return 0;
	return is_loss(error) ? 0 : error;
}

static bool
is_silent(const struct ping_flow *flow, uint64_t now_ms)
{
	return flow->asked_ms != 0 && now_ms >= flow->asked_ms + PING_SILENT_MS;
}

/* Notes the request in the flow. */
static void
note_request(struct ping *ping, struct ping_flow *flow, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms)
{
	memcpy(flow->guest_mac, frame + WIRE_ETH_SRC, WIRE_MAC_LEN);
	memcpy(flow->gateway_mac, frame + WIRE_ETH_DST, WIRE_MAC_LEN);
	flow->l4_len = (uint16_t)parsed->l4_len;
	flow->last_ms = now_ms;
	if (flow->asked_ms == 0)
		flow->asked_ms = now_ms;
	TAILQ_REMOVE(&ping->aged, flow, aged);
	TAILQ_INSERT_TAIL(&ping->aged, flow, aged);
}

static struct hold_fate
fate_of(const struct gate_frame *parsed, const uint8_t *frame)
{
	return (struct hold_fate){
		.ttl = parsed->ttl - 1,
		.may_fragment = discovery_may_fragment(parsed, frame),
	};
}

static void
keep(struct ping *ping, struct ping_flow *flow, const uint8_t *frame,
    const struct gate_frame *parsed)
{
	const struct hold_fate fate = fate_of(parsed, frame);

	if (!hold_add(ping->hold, &flow->held, frame + parsed->l4_offset, parsed->l4_len,
		&fate))
		ping->lost(ping->ctx);
}

static void
ask(struct ping *ping, struct ping_flow *flow)
{
	if (asks_add(ping->asks, ASKS_PING, flow_table_index(&ping->flows, flow),
		&flow->link) == -1) {
		ping->lost(ping->ctx);
		flow_end(ping, flow);
	}
}

void
ping_request(struct ping *ping, const uint8_t *frame, const struct gate_frame *parsed,
    uint64_t now_ms)
{
	const struct flow_key key = key_of(frame, parsed);
	struct ping_flow *flow;

	if (parsed->ttl <= 1) {
		ping_time_exceeded(ping, frame, parsed);
		return;
	}
	flow = flow_table_find(&ping->flows, &key);
	if (flow != NULL && flow->fd != -1) {
		bool was_silent = is_silent(flow, now_ms);
		const struct hold_fate fate = fate_of(parsed, frame);

		note_request(ping, flow, frame, parsed, now_ms);
		if (!was_silent &&
		    send_on(ping, flow, frame + parsed->l4_offset, parsed->l4_len,
			&fate) == 0)
			return;
		flow_end(ping, flow);
		flow = NULL;
	}
	if (flow != NULL) {
		note_request(ping, flow, frame, parsed, now_ms);
		keep(ping, flow, frame, parsed);
		return;
	}
	flow = add_flow(ping, &key);
	note_request(ping, flow, frame, parsed, now_ms);
	keep(ping, flow, frame, parsed);
	ask(ping, flow);
}

/* --- answers of the connector --------------------------------------------------------- */

/* The flow that waits for its socket, or NULL. */
static struct ping_flow *
find_waiting(const struct ping *ping, uint32_t index, uint32_t generation)
{
	struct ping_flow *flow = flow_table_at(&ping->flows, index, generation);

	return flow != NULL && flow->fd == -1 ? flow : NULL;
}

static bool
wants_socket(void *ctx, uint32_t index, uint32_t generation)
{
	return find_waiting(ctx, index, generation) != NULL;
}

/* Answers all requests that wait, and ends the flow. */
static void
refuse_held(struct ping *ping, struct ping_flow *flow, int error)
{
	const struct held_datagram *held;
	const uint8_t *icmp;

	while ((held = hold_first(ping->hold, &flow->held, &icmp)) != NULL) {
		ping_answer_errno(ping, flow, icmp, error);
		hold_take(ping->hold, &flow->held);
	}
	flow_end(ping, flow);
}

static void
take_refusal(void *ctx, uint32_t index, uint32_t generation, int error)
{
	struct ping *ping = ctx;
	struct ping_flow *flow = find_waiting(ping, index, generation);

	if (flow == NULL)
		return;
	if (asks_is_shortage(error))
		ping->no_socket(ping->ctx);
	refuse_held(ping, flow, error);
}

static void
take_socket(void *ctx, uint32_t index, uint32_t generation, int adopt_fd,
    const struct ipc_flow_opened *opened)
{
	struct ping *ping = ctx;
	struct ping_flow *flow = find_waiting(ping, index, generation);
	const struct held_datagram *held;
	const uint8_t *icmp;

	if (flow == NULL ||
	    poller_add_reader(ping->poller, adopt_fd, POLLER_PING, index, generation) ==
		-1) {
		asks_close(ping->asks, adopt_fd);
		take_refusal(ping, index, generation, EMFILE);
		return;
	}
	flow->fd = adopt_fd;
	discovery_begin(&flow->discovery, &ping->paths, &opened->to);
	flow->to = opened->to;
	while ((held = hold_first(ping->hold, &flow->held, &icmp)) != NULL) {
		int error = send_on(ping, flow, icmp, held->len, &held->fate);

		if (error != 0) {
			refuse_held(ping, flow, error);
			return;
		}
		hold_take(ping->hold, &flow->held);
	}
}

static const struct asks_ops asks_ops = {
	.is_wanted = wants_socket,
	.on_opened = take_socket,
	.on_refused = take_refusal,
};

int
ping_init(struct ping *ping, const struct ping_config *config)
{
	*ping = (struct ping){
		.host4_be.s_addr = config->network->host_be,
		.host6 = config->network->host6,
		.asks = config->asks,
		.hold = config->hold,
		.poller = config->poller,
		.to_guest = config->to_guest,
		.lost = config->lost,
		.no_socket = config->no_socket,
		.ctx = config->ctx,
	};
	asks_serve(ping->asks, ASKS_PING, &asks_ops, ping);
	TAILQ_INIT(&ping->aged);
	return flow_table_init(&ping->flows, sizeof(struct ping_flow),
	    config->n_flows_max);
}

/* --- answers of hosts ----------------------------------------------------------------- */

/* Reads the answers of hosts. */
static void
take_answers(struct ping *ping, struct ping_flow *flow)
{
	/* Static, to keep the stack small; the function is not called recursively. */
	static uint8_t frame[TAPIO_FRAME_MAX];
	uint8_t *icmp = frame + WIRE_ETH_LEN + ping_ip_len(flow);
	size_t icmp_max = sizeof(frame) - WIRE_ETH_LEN - ping_ip_len(flow);
	for (int i = 0; i < PING_READS_MAX; i++) {
		union inaddr_sock from = { 0 };
		socklen_t from_len = sizeof(from);
		struct inaddr source;
		ssize_t n = recvfrom(flow->fd, icmp, icmp_max, MSG_DONTWAIT, &from.any,
		    &from_len);

		if (n == -1)
			return;
		/* The kernel finds the socket by the identifier alone (net/ipv4/ping.c,
		 * ping_lookup), and other hosts can guess its 16 bits. */
		if (!inaddr_from_sockaddr(&source, &from.any) ||
		    !inaddr_is_equal(&source, &flow->to) || n < WIRE_ICMP_LEN ||
		    icmp[WIRE_ICMP_TYPE] !=
			(ping_is_ip6(flow) ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
			continue;
		flow->asked_ms = 0;
		ping_put_headers(ping, flow, frame, true, (size_t)n);
		store_be16(icmp + PING_ICMP_ID, flow->link.key.guest_port);
		store_be16(icmp + WIRE_ICMP_CHECKSUM, 0);
		store_be16(icmp + WIRE_ICMP_CHECKSUM,
		    ip_l4_checksum(frame + WIRE_ETH_LEN, (uint8_t)flow->link.key.protocol,
			icmp, (size_t)n));
		ping->to_guest(ping->ctx, frame,
		    WIRE_ETH_LEN + ping_ip_len(flow) + (size_t)n);
	}
}

static uint64_t
prepare(void *self, uint64_t now_ms)
{
	const struct ping *ping = self;
	const struct ping_flow *oldest = TAILQ_FIRST(&ping->aged);

	(void)now_ms;
	return oldest == NULL ? DEADLINE_NONE : oldest->last_ms + PING_IDLE_MS;
}

static void
finish(void *self, uint64_t now_ms)
{
	struct ping *ping = self;
	const struct poller *poller = ping->poller;

	for (size_t i = 0; i < poller->n_events; i++) {
		const struct poller_event *event = &poller->events[i];
		struct ping_flow *flow = event->kind != POLLER_PING
		    ? NULL
		    : flow_table_at(&ping->flows, event->index, event->generation);

		if (flow == NULL || flow->fd == -1)
			continue;
		if (event->events & EPOLLERR)
			ping_take_errors(ping, flow);
		if (event->events & EPOLLIN)
			take_answers(ping, flow);
	}
	while (!TAILQ_EMPTY(&ping->aged) &&
	    TAILQ_FIRST(&ping->aged)->last_ms + PING_IDLE_MS <= now_ms)
		flow_end(ping, TAILQ_FIRST(&ping->aged));
}

const struct ping_flow *
ping_next(const struct ping *ping, const struct ping_flow *flow)
{
	return flow_table_next(&ping->flows, flow);
}

const struct engine_ops ping_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = free_ping,
};
