/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells the guest by ICMP which of its datagrams did not arrive. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "slirp-worker/engine/errqueue.h"
#include "slirp-worker/gate/refusal.h"

/* Of a datagram that an error quotes: more than the error has room for. */
#define QUOTED_DATA_MAX REFUSAL_MAX_LEN

/* A datagram of the guest, as far as an error quotes it. */
static uint8_t quoted_datagram[UDP_DATA_OFFSET + QUOTED_DATA_MAX];

/* n_quoted bytes of the guest's datagram are in place. */
static void
send_error(struct udp_host *host, const struct udp_flow *flow,
    const struct refusal_error *error, size_t n_quoted)
{
	const struct flow_key *key = &flow->link.key;
	uint8_t answer[REFUSAL_MAX_LEN];
	const struct udp_heads heads = {
		.src = flow_key_guest(key),
		.dst = flow_key_peer(key),
		.src_port = key->guest_port,
		.dst_port = key->peer_port,
		.src_mac = flow->guest_mac,
		.dst_mac = flow->our_mac,
		.ttl = UDP_OWN_TTL,
		.data_len = n_quoted > flow->last_len ? n_quoted : flow->last_len,
	};
	uint8_t *data = quoted_datagram + UDP_DATA_OFFSET;
	size_t head_len = udp_put_heads(&heads, data);
	size_t len = refusal_build_error(data - head_len, head_len + n_quoted, error,
	    answer, sizeof(answer));

	if (len > 0)
		host->to_guest(host->ctx, answer, len);
}

static const uint8_t *
gateway(const struct udp_host *host, bool is_ip6)
{
	return is_ip6 ? host->network.host6.s6_addr
		      : (const uint8_t *)&host->network.host_be;
}

void
udp_unreachable(void *ctx, const struct udp_flow *flow, int error)
{
	struct udp_host *host = ctx;
	bool is_ip6 = udp_is_ip6(flow);
	struct refusal_error answer;

	if (refusal_of_errno(error, is_ip6, gateway(host, is_ip6), &answer))
		send_error(host, flow, &answer, 0);
}

void
udp_too_big(struct udp_host *host, const struct udp_flow *flow, const struct udp_run *run)
{
	bool is_ip6 = udp_is_ip6(flow);
	struct refusal_error answer;
	size_t len = run->piece_len < run->len ? run->piece_len : run->len;

	if (!discovery_refuses(&flow->discovery, is_ip6, WIRE_UDP_LEN + len,
		gateway(host, is_ip6), &answer))
		return;
	if (len > QUOTED_DATA_MAX)
		len = QUOTED_DATA_MAX;
	memcpy(quoted_datagram + UDP_DATA_OFFSET, run->parts[run->first].iov_base, len);
	send_error(host, flow, &answer, len);
}

void
udp_time_exceeded(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame)
{
	bool is_ip6 = parsed->ethertype == WIRE_TYPE_IP6;
	uint8_t answer[REFUSAL_MAX_LEN];
	const struct refusal_error error = {
		.type = is_ip6 ? WIRE_ICMP6_TIME_EXCEEDED : WIRE_ICMP4_TIME_EXCEEDED,
		.source = gateway(host, is_ip6),
	};
	size_t len =
	    refusal_build_error(frame, parsed->len, &error, answer, sizeof(answer));

	if (len > 0)
		host->to_guest(host->ctx, answer, len);
}

bool
udp_leads_to_its_peer(const struct udp_flow *flow)
{
	struct inaddr to;

	return inaddr_from_sockaddr(&to, &flow->to.any) &&
	    memcmp(to.bytes, flow->link.key.peer_address, sizeof(to.bytes)) == 0;
}

static void
forward_error(struct udp_host *host, const struct udp_flow *flow,
    const struct errqueue_error *queued, size_t n_quoted)
{
	struct refusal_error error = queued->icmp;

	if (!udp_leads_to_its_peer(flow))
		error.source = NULL;
	else if (inaddr_is_link_local6(&queued->offender))
		/* It has no meaning on the guest's link. */
		error.source = gateway(host, true);
	else
		error.source = queued->offender.bytes;
	send_error(host, flow, &error, n_quoted);
}

void
udp_take_errors(struct udp_host *host, struct udp_flow *flow)
{
	for (int i = 0; i < UDP_READS_MAX; i++) {
		struct iovec part = { quoted_datagram + UDP_DATA_OFFSET,
			QUOTED_DATA_MAX };
		struct errqueue_error error;
		struct inaddr to;
		ssize_t n = errqueue_take(flow->fd, udp_is_ip6(flow), &part, &error);

		if (n == -1)
			return;
		if (error.error == ECONNREFUSED)
			udp_peer_has_gone(flow);
		if (flow->is_group)
			continue;
		if (inaddr_from_sockaddr(&to, &flow->to.any))
			discovery_note(&flow->discovery, &host->paths, &to, &error);
		if (error.is_for_guest)
			forward_error(host, flow, &error, (size_t)n);
	}
}
