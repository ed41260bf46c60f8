/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells the guest by ICMP which of its echo requests did not arrive. */
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/engine/errqueue.h"
#include "slirp-worker/engine/ping/ping_parts.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/wire/ip.h"

/* The usual initial TTL; the answer crosses one router, the worker. */
#define ANSWER_TTL 64

/* The start of a request that an error quotes: headers and ICMP's first 8 bytes. */
#define QUOTED_MAX_LEN (WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_ICMP_LEN)

void
ping_put_headers(struct ping *ping, const struct ping_flow *flow, uint8_t *frame,
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

size_t
ping_ip_len(const struct ping_flow *flow)
{
	return ping_is_ip6(flow) ? WIRE_IP6_LEN : WIRE_IP4_LEN;
}

/* Sends the guest an ICMP error that quotes the start of a request. */
static void
send_error(struct ping *ping, struct ping_flow *flow, const struct refusal_error *error,
    const uint8_t quoted_icmp[WIRE_ICMP_LEN])
{
	uint8_t request[QUOTED_MAX_LEN], answer[REFUSAL_MAX_LEN];
	uint8_t *icmp = request + WIRE_ETH_LEN + ping_ip_len(flow);
	size_t len;

	ping_put_headers(ping, flow, request, false, flow->l4_len);
	memcpy(icmp, quoted_icmp, WIRE_ICMP_LEN);
	store_be16(icmp + PING_ICMP_ID, flow->link.key.guest_port);
	len =
	    refusal_build_error(request, WIRE_ETH_LEN + ping_ip_len(flow) + WIRE_ICMP_LEN,
		error, answer, sizeof(answer));
	if (len > 0)
		ping->to_guest(ping->ctx, answer, len);
}

static const uint8_t *
gateway(const struct ping *ping, const struct ping_flow *flow)
{
	return ping_is_ip6(flow) ? ping->host6.s6_addr : (const uint8_t *)&ping->host4_be;
}

/* An error that the kernel has queued for the flow has the same source. */
static void
forward_error(struct ping *ping, struct ping_flow *flow,
    const struct errqueue_error *queued, const uint8_t quoted_icmp[WIRE_ICMP_LEN])
{
	struct refusal_error error = queued->icmp;

	/* A router's link-local address has no meaning on the guest's link. */
	error.source = inaddr_is_link_local6(&queued->offender) ? gateway(ping, flow)
								: queued->offender.bytes;
	send_error(ping, flow, &error, quoted_icmp);
}

void
ping_answer_errno(struct ping *ping, struct ping_flow *flow, const uint8_t *icmp,
    int error)
{
	struct refusal_error answer;

	if (refusal_of_errno(error, ping_is_ip6(flow), gateway(ping, flow), &answer))
		send_error(ping, flow, &answer, icmp);
}

bool
ping_too_big(struct ping *ping, struct ping_flow *flow, const uint8_t *icmp, size_t len)
{
	struct refusal_error answer;

	if (!discovery_refuses(&flow->discovery, ping_is_ip6(flow), len,
		gateway(ping, flow), &answer))
		return false;
	send_error(ping, flow, &answer, icmp);
	return true;
}

void
ping_take_errors(struct ping *ping, struct ping_flow *flow)
{
	for (int i = 0; i < PING_READS_MAX; i++) {
		uint8_t quoted[WIRE_ICMP_LEN];
		struct iovec part = { .iov_base = quoted, .iov_len = sizeof(quoted) };
		struct errqueue_error error;
		ssize_t n = errqueue_take(flow->fd, ping_is_ip6(flow), &part, &error);

		if (n == -1)
			return;
		discovery_note(&flow->discovery, &ping->paths, &flow->to, &error);
		if (n == sizeof(quoted) && error.is_for_guest)
			forward_error(ping, flow, &error, quoted);
	}
}

void
ping_time_exceeded(struct ping *ping, const uint8_t *frame,
    const struct gate_frame *parsed)
{
	bool of_ip6 = parsed->ethertype == WIRE_TYPE_IP6;
	uint8_t answer[REFUSAL_MAX_LEN];
	const struct refusal_error error = {
		.type = of_ip6 ? WIRE_ICMP6_TIME_EXCEEDED : WIRE_ICMP4_TIME_EXCEEDED,
		.source = of_ip6 ? ping->host6.s6_addr : (const uint8_t *)&ping->host4_be,
	};
	size_t len =
	    refusal_build_error(frame, parsed->len, &error, answer, sizeof(answer));

	if (len > 0)
		ping->to_guest(ping->ctx, answer, len);
}
