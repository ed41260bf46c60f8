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
#include "base/log.h"
#include "slirp-worker/engine/errqueue.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/tap/tapio.h"
#include "slirp-worker/wire/ip.h"

/* Answers read from one flow in a turn; poll(2) reports the rest. */
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

void
ping_init(struct ping *ping, const struct ipc_network *network,
    const struct ipc_outbound *outbound, size_t n_flows_max, ping_to_guest_fn *to_guest,
    void *ctx)
{
	*ping = (struct ping){
		.host4_be.s_addr = network->host_be,
		.host6 = network->host6,
		.outbound = *outbound,
		.n_flows_max = n_flows_max,
		.to_guest = to_guest,
		.ctx = ctx,
	};
}

/* The last flow moves to its index. */
static void
flow_end(struct ping *ping, struct ping_flow *flow)
{
	close(take_fd(&flow->fd));
	*flow = ping->flows[--ping->n_flows];
}

static void
end_all(void *self)
{
	struct ping *ping = self;

	while (ping->n_flows > 0)
		flow_end(ping, &ping->flows[0]);
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

static int
bind_outbound(const struct ping *ping, bool of_ip6, int fd)
{
	union inaddr_sock source;

	if (!ping->outbound.has_addr[of_ip6])
		return 0;
	source = inaddr_sock_make(&ping->outbound.addr[of_ip6], 0);
	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

/* Opens a ping socket with source address and error queue. -1 with errno set. */
static int
open_socket(struct ping *ping, bool of_ip6)
{
	const int yes = 1;
	autofd int fd = of_ip6
	    ? socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6)
	    : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd == -1 && (errno == EACCES || errno == EPERM) && !ping->barred_was_told) {
		int error = errno;

		ping->barred_was_told = true;
		log_warning(
		    "ping: open a ping socket: %s: the guest's echo requests to the "
		    "outside are refused%s",
		    strerror(error),
		    error == EACCES ? "; net.ipv4.ping_group_range has to have the "
				      "group that the worker runs as"
				    : "");
		errno = error;
	}
	if (fd == -1 || bind_outbound(ping, of_ip6, fd) == -1)
		return -1;
	if (of_ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof(yes));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
	return take_fd(&fd);
}

/* Finds the flow of a request, or makes one. NULL with errno set. */
static struct ping_flow *
find_flow(struct ping *ping, const uint8_t *frame, const struct gate_frame *parsed)
{
	bool of_ip6 = is_ip6(parsed);
	struct ping_flow wanted = {
		.guest = inaddr_from_bytes(parsed->src, of_ip6),
		.host = inaddr_from_bytes(parsed->dst, of_ip6),
	};
	size_t longest_idle = 0;

	memcpy(wanted.id, frame + parsed->l4_offset + ICMP_ECHO_ID, sizeof(wanted.id));
	for (size_t i = 0; i < ping->n_flows; i++) {
		struct ping_flow *flow = &ping->flows[i];

		if (memcmp(flow->id, wanted.id, sizeof(flow->id)) == 0 &&
		    inaddr_is_equal(&flow->host, &wanted.host) &&
		    inaddr_is_equal(&flow->guest, &wanted.guest))
			return flow;
		if (flow->last_ms < ping->flows[longest_idle].last_ms)
			longest_idle = i;
	}
	if (ping->n_flows == ping->n_flows_max)
		flow_end(ping, &ping->flows[longest_idle]);
	wanted.fd = open_socket(ping, of_ip6);
	if (wanted.fd == -1)
		return NULL;
	wanted.poll_index = -1;
	ping->flows[ping->n_flows] = wanted;
	return &ping->flows[ping->n_flows++];
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
	bool of_ip6 = flow->host.is_ipv6;
	const struct ip_head head = {
		.dst_mac = to_guest ? flow->guest_mac : flow->gateway_mac,
		.src_mac = to_guest ? flow->gateway_mac : flow->guest_mac,
		.src = (to_guest ? &flow->host : &flow->guest)->bytes,
		.dst = (to_guest ? &flow->guest : &flow->host)->bytes,
		.is_ip6 = of_ip6,
		.protocol = of_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.ttl = ANSWER_TTL,
		.id = of_ip6 ? 0 : ping->next_ip4_id++,
	};

	ip_head_write(frame, &head, l4_len);
}

static size_t
ip_len(const struct ping_flow *flow)
{
	return flow->host.is_ipv6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
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
	memcpy(icmp + ICMP_ECHO_ID, flow->id, sizeof(flow->id));
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
		ssize_t n = errqueue_take(flow->fd, flow->host.is_ipv6, &part, &error);

		if (n == -1)
			return;
		if (n == sizeof(quoted) && error.is_for_guest)
			forward_error(ping, flow, &error, quoted);
	}
}

static ssize_t
send_request(const struct ping_flow *flow, const uint8_t *icmp, size_t len)
{
	const union inaddr_sock dest = inaddr_sock_make(&flow->host, 0);

	return sendto(flow->fd, icmp, len, MSG_DONTWAIT | MSG_NOSIGNAL, &dest.any,
	    inaddr_sock_len(&dest.any));
}

static void
set_ttl(struct ping_flow *flow, uint8_t ttl)
{
	const int value = ttl;

	if (flow->ttl == ttl)
		return;
	flow->ttl = ttl;
	if (flow->host.is_ipv6)
		setsockopt(flow->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value,
		    sizeof(value));
	else
		setsockopt(flow->fd, IPPROTO_IP, IP_TTL, &value, sizeof(value));
}

void
ping_request(struct ping *ping, const uint8_t *frame, const struct gate_frame *parsed,
    uint64_t now_ms)
{
	const uint8_t *icmp = frame + parsed->l4_offset;
	bool of_ip6 = is_ip6(parsed);
	struct ping_flow *flow;

	if (parsed->ttl <= 1) {
		answer_error(ping, frame, parsed,
		    of_ip6 ? WIRE_ICMP6_TIME_EXCEEDED : WIRE_ICMP4_TIME_EXCEEDED, 0);
		return;
	}
	flow = find_flow(ping, frame, parsed);
	if (!flow) {
		answer_errno(ping, frame, parsed, errno);
		return;
	}
	memcpy(flow->guest_mac, frame + WIRE_ETH_SRC, WIRE_MAC_LEN);
	memcpy(flow->gateway_mac, frame + WIRE_ETH_DST, WIRE_MAC_LEN);
	flow->l4_len = parsed->l4_len;
	flow->last_ms = now_ms;
	set_ttl(flow, parsed->ttl - 1);
	if (send_request(flow, icmp, parsed->l4_len) != -1)
		return;
	/* The error may belong to an earlier request. */
	take_errors(ping, flow);
	if (send_request(flow, icmp, parsed->l4_len) == -1)
		answer_errno(ping, frame, parsed, errno);
}

/* Reads the answers of hosts. */
static void
take_answers(struct ping *ping, struct ping_flow *flow)
{
	/* Static, to keep the stack small; the function is not called recursively. */
	static uint8_t frame[TAPIO_FRAME_MAX];
	uint8_t *icmp = frame + WIRE_ETH_LEN + ip_len(flow);
	size_t icmp_max = sizeof(frame) - WIRE_ETH_LEN - ip_len(flow);

	for (int i = 0; i < ANSWERS_MAX; i++) {
		union inaddr_sock from = { 0 };
		socklen_t from_len = sizeof(from);
		struct inaddr source;
		ssize_t n = recvfrom(flow->fd, icmp, icmp_max, MSG_DONTWAIT, &from.any,
		    &from_len);

		if (n == -1)
			return;
		/* Other hosts can guess 16 bits: accept only answers of the flow's
		 * host. */
		if (!inaddr_from_sockaddr(&source, &from.any) ||
		    !inaddr_is_equal(&source, &flow->host) || n < WIRE_ICMP_LEN ||
		    icmp[WIRE_ICMP_TYPE] !=
			(flow->host.is_ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
			continue;
		put_headers(ping, flow, frame, true, (size_t)n);
		memcpy(icmp + ICMP_ECHO_ID, flow->id, sizeof(flow->id));
		store_be16(icmp + WIRE_ICMP_CHECKSUM, 0);
		store_be16(icmp + WIRE_ICMP_CHECKSUM,
		    ip_l4_checksum(frame + WIRE_ETH_LEN,
			flow->host.is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp,
			(size_t)n));
		ping->to_guest(ping->ctx, frame, WIRE_ETH_LEN + ip_len(flow) + (size_t)n);
	}
}

static uint64_t
prepare(void *self, struct pollset *set, uint64_t now_ms)
{
	struct ping *ping = self;
	uint64_t due_ms = DEADLINE_NONE;

	(void)now_ms;
	for (size_t i = 0; i < ping->n_flows; i++) {
		struct ping_flow *flow = &ping->flows[i];

		flow->poll_index = pollset_add(set, flow->fd, POLLIN);
		due_ms = deadline_earlier(due_ms, flow->last_ms + PING_IDLE_MS);
	}
	return due_ms;
}

static void
finish(void *self, const struct pollset *set, bool wait_failed, uint64_t now_ms)
{
	struct ping *ping = self;

	/* Backwards, because the last flow moves to the index of an ended one. */
	for (size_t i = ping->n_flows; i-- > 0;) {
		struct ping_flow *flow = &ping->flows[i];
		short events = wait_failed || flow->poll_index == -1
		    ? 0
		    : set->fds[flow->poll_index].revents;

		if (events & POLLERR)
			take_errors(ping, flow);
		if (events & POLLIN)
			take_answers(ping, flow);
		if (now_ms >= flow->last_ms + PING_IDLE_MS)
			flow_end(ping, flow);
	}
}

const struct engine_ops ping_engine = {
	.prepare = prepare,
	.finish = finish,
	.set_outbound = set_outbound,
	.free = end_all,
};
