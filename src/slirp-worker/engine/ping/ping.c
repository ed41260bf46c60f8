/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends the guest's echo requests on ping sockets of the host, and returns the answers. */
#include "slirp-worker/engine/ping/ping.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/inaddr.h"
#include "slirp-worker/engine/errqueue.h"
#include "slirp-worker/engine/ping/ping_socket.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/tap/tapio.h"
#include "slirp-worker/wire/ip.h"

/* Answers read from one flow in a turn; the next wait reports the rest. */
#define ANSWERS_MAX 16

/* The usual initial TTL; the answer crosses one router, the worker. */
#define ANSWER_TTL 64

/* RFC 792 and RFC 4443: type of an echo reply, and offset of the identifier. */
#define ICMP4_ECHO_REPLY 0
#define ICMP6_ECHO_REPLY 129
#define ICMP_ECHO_ID 4

/* RFC 792, RFC 1812 5.2.7.1, and RFC 4443 3: types and codes of errors. */
#define ICMP_UNREACHABLE_NO_ROUTE 0 /* IPv4: "net unreachable" */
#define ICMP4_UNREACHABLE_HOST 1
#define ICMP4_UNREACHABLE_PROHIBITED 13
#define ICMP6_UNREACHABLE_PROHIBITED 1
#define ICMP6_UNREACHABLE_ADDRESS 3

/* The start of a request that an error quotes: headers and ICMP's first 8 bytes. */
#define QUOTED_MAX_LEN (WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_ICMP_LEN)

int
ping_init(struct ping *ping, const struct ping_config *config)
{
	*ping = (struct ping){
		.host4_be.s_addr = config->network->host_be,
		.host6 = config->network->host6,
		.outbound = *config->outbound,
		.poller = config->poller,
		.to_guest = config->to_guest,
		.ctx = config->ctx,
	};
	TAILQ_INIT(&ping->aged);
	return flow_table_init(&ping->flows, sizeof(struct ping_flow),
	    config->n_flows_max);
}

/* Nobody keeps a pointer to a flow, so its place is free at once. */
static void
flow_end(struct ping *ping, struct ping_flow *flow)
{
	if (flow->fd != -1)
		close(take_fd(&flow->fd));
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

static void
set_outbound(void *self, const struct ipc_outbound *outbound)
{
	struct ping *ping = self;

	ping->outbound = *outbound;
	/* The guest's next request makes a new flow. */
	end_all(ping);
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
		.guest_port = load_be16(frame + parsed->l4_offset + ICMP_ECHO_ID),
		.ethertype = parsed->ethertype,
		.protocol = is_ip6(parsed) ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
	};

	memcpy(key.guest_address, parsed->src, address_len);
	memcpy(key.peer_address, parsed->dst, address_len);
	return key;
}

/* A new flow with a socket. NULL with errno set. */
static struct ping_flow *
open_flow(struct ping *ping, const struct flow_key *key)
{
	struct ping_flow *flow;
	int error;

	if (ping->flows.n_live == ping->flows.n_max)
		flow_end(ping, TAILQ_FIRST(&ping->aged));
	flow = flow_table_add(&ping->flows, key);
	flow->fd = -1;
	TAILQ_INSERT_TAIL(&ping->aged, flow, aged);
	flow->fd = ping_socket_open(ping, flow);
	if (flow->fd != -1 &&
	    poller_add_reader(ping->poller, flow->fd, POLLER_PING,
		flow_table_index(&ping->flows, flow), flow->link.generation) == 0)
		return flow;
	error = errno;
	flow_end(ping, flow);
	errno = error;
	return NULL;
}

/* Answers with an error from the gateway, as a router does. */
static void
answer_error(struct ping *ping, const uint8_t *frame, const struct gate_frame *parsed,
    uint8_t type, uint8_t code)
{
	uint8_t answer[REFUSAL_MAX_LEN];
	const struct refusal_error error = {
		.type = type,
		.code = code,
		.source = is_ip6(parsed) ? ping->host6.s6_addr
					 : (const uint8_t *)&ping->host4_be,
	};
	size_t len =
	    refusal_build_error(frame, parsed->len, &error, answer, sizeof(answer));

	if (len > 0)
		ping->to_guest(ping->ctx, answer, len);
}

static void
answer_errno(struct ping *ping, const uint8_t *frame, const struct gate_frame *parsed,
    int error)
{
	bool of_ip6 = is_ip6(parsed);
	uint8_t code = ICMP_UNREACHABLE_NO_ROUTE;

	if (error == EACCES || error == EPERM)
		code =
		    of_ip6 ? ICMP6_UNREACHABLE_PROHIBITED : ICMP4_UNREACHABLE_PROHIBITED;
	else if (error == EHOSTUNREACH)
		code = of_ip6 ? ICMP6_UNREACHABLE_ADDRESS : ICMP4_UNREACHABLE_HOST;
	answer_error(ping, frame, parsed,
	    of_ip6 ? WIRE_ICMP6_UNREACHABLE : WIRE_ICMP4_UNREACHABLE, code);
}

/* Writes Ethernet and IP headers for l4_len bytes between the two ends of a flow. */
static void
put_headers(struct ping *ping, const struct ping_flow *flow, uint8_t *frame,
    bool to_guest, size_t l4_len)
{
	const struct flow_key *key = &flow->link.key;
	bool of_ip6 = ping_is_ip6(flow);
	const struct ip_head head = {
		.dst_mac = to_guest ? flow->guest_mac : flow->gateway_mac,
		.src_mac = to_guest ? flow->gateway_mac : flow->guest_mac,
		.src = to_guest ? key->peer_address : key->guest_address,
		.dst = to_guest ? key->guest_address : key->peer_address,
		.is_ip6 = of_ip6,
		.protocol = (uint8_t)key->protocol,
		.ttl = ANSWER_TTL,
		.id = of_ip6 ? 0 : ping->next_ip4_id++,
	};

	ip_head_write(frame, &head, l4_len);
}

static size_t
ip_len(const struct ping_flow *flow)
{
	return ping_is_ip6(flow) ? WIRE_IP6_LEN : WIRE_IP4_LEN;
}

/* Sends the guest an ICMP error that the kernel has queued for the flow, with the same
 * source and a quote of the request. */
static void
forward_error(struct ping *ping, struct ping_flow *flow,
    const struct errqueue_error *queued, const uint8_t quoted_icmp[WIRE_ICMP_LEN])
{
	uint8_t request[QUOTED_MAX_LEN], answer[REFUSAL_MAX_LEN];
	uint8_t *icmp = request + WIRE_ETH_LEN + ip_len(flow);
	struct refusal_error error = queued->icmp;
	size_t len;

	/* A router's link-local address has no meaning on the guest's link. */
	error.source = inaddr_is_link_local6(&queued->offender) ? ping->host6.s6_addr
								: queued->offender.bytes;
	put_headers(ping, flow, request, false, flow->l4_len);
	memcpy(icmp, quoted_icmp, WIRE_ICMP_LEN);
	store_be16(icmp + ICMP_ECHO_ID, flow->link.key.guest_port);
	len = refusal_build_error(request, WIRE_ETH_LEN + ip_len(flow) + WIRE_ICMP_LEN,
	    &error, answer, sizeof(answer));
	if (len > 0)
		ping->to_guest(ping->ctx, answer, len);
}

static void
take_errors(struct ping *ping, struct ping_flow *flow)
{
	for (int i = 0; i < ANSWERS_MAX; i++) {
		uint8_t quoted[WIRE_ICMP_LEN];
		struct iovec part = { .iov_base = quoted, .iov_len = sizeof(quoted) };
		struct errqueue_error error;
		ssize_t n = errqueue_take(flow->fd, ping_is_ip6(flow), &part, &error);

		if (n == -1)
			return;
		if (n == sizeof(quoted) && error.is_for_guest)
			forward_error(ping, flow, &error, quoted);
	}
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
try_send(const struct ping_flow *flow, const uint8_t *icmp, size_t len)
{
	return send(flow->fd, icmp, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? errno : 0;
}

/* Whether the request is lost as on a full link: no host or router has refused it. */
static bool
is_loss(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

/* Sends the request on the flow's socket. Returns 0, also if it is lost, or an errno. */
static int
send_on(struct ping *ping, struct ping_flow *flow, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms)
{
	const uint8_t *icmp = frame + parsed->l4_offset;
	int error;

	memcpy(flow->guest_mac, frame + WIRE_ETH_SRC, WIRE_MAC_LEN);
	memcpy(flow->gateway_mac, frame + WIRE_ETH_DST, WIRE_MAC_LEN);
	flow->l4_len = (uint16_t)parsed->l4_len;
	flow->last_ms = now_ms;
	if (flow->asked_ms == 0)
		flow->asked_ms = now_ms;
	TAILQ_REMOVE(&ping->aged, flow, aged);
	TAILQ_INSERT_TAIL(&ping->aged, flow, aged);
	set_ttl(flow, parsed->ttl - 1);
	error = try_send(flow, icmp, parsed->l4_len);
	if (error != 0 && !is_loss(error)) {
		/* The error may belong to an earlier request. */
		take_errors(ping, flow);
		error = try_send(flow, icmp, parsed->l4_len);
	}
	return is_loss(error) ? 0 : error;
}

static bool
is_silent(const struct ping_flow *flow, uint64_t now_ms)
{
	return flow->asked_ms != 0 && now_ms >= flow->asked_ms + PING_SILENT_MS;
}

void
ping_request(struct ping *ping, const uint8_t *frame, const struct gate_frame *parsed,
    uint64_t now_ms)
{
	const struct flow_key key = key_of(frame, parsed);
	struct ping_flow *flow;
	int error;

	if (parsed->ttl <= 1) {
		answer_error(ping, frame, parsed,
		    is_ip6(parsed) ? WIRE_ICMP6_TIME_EXCEEDED : WIRE_ICMP4_TIME_EXCEEDED,
		    0);
		return;
	}
	flow = flow_table_find(&ping->flows, &key);
	if (flow != NULL) {
		if (!is_silent(flow, now_ms) &&
		    send_on(ping, flow, frame, parsed, now_ms) == 0)
			return;
		flow_end(ping, flow);
	}
	flow = open_flow(ping, &key);
	error = flow == NULL ? errno : send_on(ping, flow, frame, parsed, now_ms);
	if (error != 0)
		answer_errno(ping, frame, parsed, error);
}

/* Reads the answers of hosts. */
static void
take_answers(struct ping *ping, struct ping_flow *flow)
{
	/* Static, to keep the stack small; the function is not called recursively. */
	static uint8_t frame[TAPIO_FRAME_MAX];
	uint8_t *icmp = frame + WIRE_ETH_LEN + ip_len(flow);
	size_t icmp_max = sizeof(frame) - WIRE_ETH_LEN - ip_len(flow);
	const struct inaddr host =
	    inaddr_from_bytes(flow->link.key.peer_address, ping_is_ip6(flow));

	for (int i = 0; i < ANSWERS_MAX; i++) {
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
		    !inaddr_is_equal(&source, &host) || n < WIRE_ICMP_LEN ||
		    icmp[WIRE_ICMP_TYPE] !=
			(host.is_ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
			continue;
		flow->asked_ms = 0;
		put_headers(ping, flow, frame, true, (size_t)n);
		store_be16(icmp + ICMP_ECHO_ID, flow->link.key.guest_port);
		store_be16(icmp + WIRE_ICMP_CHECKSUM, 0);
		store_be16(icmp + WIRE_ICMP_CHECKSUM,
		    ip_l4_checksum(frame + WIRE_ETH_LEN, (uint8_t)flow->link.key.protocol,
			icmp, (size_t)n));
		ping->to_guest(ping->ctx, frame, WIRE_ETH_LEN + ip_len(flow) + (size_t)n);
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

		if (flow != NULL && (event->events & EPOLLERR))
			take_errors(ping, flow);
		if (flow != NULL && (event->events & EPOLLIN))
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
	.set_outbound = set_outbound,
	.free = free_ping,
};
