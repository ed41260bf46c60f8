/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of more than 65535 bytes ("BIG TCP"): their IPv4 total length is 0, and the kernel
 * takes the length of the packet (include/linux/ip.h, iph_totlen; Linux 6.3).
 *
 * Theory of operation. Half as many frames, and half as many acknowledgements, carry the
 * same data. A guest that passes such a frame on to a container cuts it in software, which
 * costs more than it saves. So only the guest's own interface gets them: its SYN came from
 * that interface's MAC, and no router has lowered the TTL. Something else in the guest may
 * still lose them, and the TAP does not tell. So the first one of each flow is a trial:
 * the flow sends ordinary frames until the guest has acknowledged it.
 */
#include <string.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

/* Systems begin with one of these; a router in the guest leaves one less (RFC 791 3.1). */
static bool
is_initial_ttl(uint8_t ttl)
{
	return ttl == 64 || ttl == 128 || ttl == 255;
}

void
tcp_big_begin(const struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment)
{
	const struct tcp_config *config = &tcp->config;

	flow->big = config->big_frame_data_max > 0 && !segment->is_ip6 &&
		is_initial_ttl(segment->ttl) &&
		memcmp(segment->src_mac, config->guest_mac, sizeof(config->guest_mac)) ==
		    0
	    ? TCP_BIG_UNTRIED
	    : TCP_BIG_NEVER;
}

void
tcp_big_sent(const struct tcp *tcp, struct tcp_flow *flow, uint32_t seq,
    uint32_t data_len)
{
	if (flow->big != TCP_BIG_UNTRIED || data_len <= tcp->config.frame_data_max)
		return;
	flow->big = TCP_BIG_TRYING;
	flow->big_seq = seq;
}

void
tcp_big_acked(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->big != TCP_BIG_TRYING || seq_le(flow->snd_una, flow->big_seq))
		return;
	flow->big = TCP_BIG_WORKS;
	tcp->n_big_failed = 0;
}

void
tcp_big_lost(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->big != TCP_BIG_TRYING)
		return;
	flow->big = TCP_BIG_NEVER;
	if (tcp->n_big_failed < TCP_BIG_FAILURES_MAX)
		tcp->n_big_failed++;
}
