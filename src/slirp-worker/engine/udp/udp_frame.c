/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the frames of UDP datagrams. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

size_t
udp_put_heads(const struct udp_heads *heads, uint8_t *data)
{
	bool is_ip6 = heads->src.is_ipv6;
	size_t ip_len = is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	uint8_t *udp = data - WIRE_UDP_LEN, *ip = udp - ip_len;
	const struct ip_head head = {
		.dst_mac = heads->dst_mac,
		.src_mac = heads->src_mac,
		.src = heads->src.bytes,
		.dst = heads->dst.bytes,
		.is_ip6 = is_ip6,
		.protocol = IPPROTO_UDP,
		.ttl = heads->ttl,
		.tos = heads->tos,
		.id = heads->ip_id,
	};

	store_be16(udp + WIRE_UDP_SRC_PORT, heads->src_port);
	store_be16(udp + WIRE_UDP_DST_PORT, heads->dst_port);
	store_be16(udp + WIRE_UDP_LENGTH, (uint16_t)(WIRE_UDP_LEN + heads->data_len));
	store_be16(udp + WIRE_UDP_CHECKSUM, 0);
	ip_head_write(ip - WIRE_ETH_LEN, &head, WIRE_UDP_LEN + heads->data_len);
	/* IPv6's traffic class follows the version. */
	if (is_ip6)
		store_be16(ip, (uint16_t)(6 << 12 | heads->tos << 4));
	return WIRE_ETH_LEN + ip_len + WIRE_UDP_LEN;
}

/* --- one frame ------------------------------------------------------------------------ */

/* Writes the first len bytes of the run in one frame, of which the guest's kernel sums each
 * datagram, and cuts them apart if there are several. */
static void
write_frame(struct udp_host *host, const struct udp_heads *heads,
    const struct udp_run *run, size_t len)
{
	struct iovec parts[UDP_RUN_PARTS_MAX];
	unsigned int n = udp_run_parts(run, len, parts);
	uint8_t *data = parts[0].iov_base, *udp = data - WIRE_UDP_LEN, *frame;
	size_t head_len = udp_put_heads(heads, data);

	frame = data - head_len;
	store_be16(udp + WIRE_UDP_CHECKSUM,
	    (uint16_t)~checksum_finish(ip_pseudo_sum(frame + WIRE_ETH_LEN, IPPROTO_UDP,
		WIRE_UDP_LEN + heads->data_len)));
	vnet_mark_udp(frame - VNET_HEADER_LEN, (size_t)(udp - frame), len,
	    run->piece_len);
	parts[0].iov_base = frame - VNET_HEADER_LEN;
	parts[0].iov_len += head_len + VNET_HEADER_LEN;
	host->wrote_frame(host->ctx, tapio_writev(host->tap, parts, (int)n),
	    head_len + len);
}

/* The same for one datagram, whose checksum is complete and which may be longer than the
 * MTU. */
static void
write_whole(struct udp_host *host, const struct udp_heads *heads, uint8_t *data)
{
	uint8_t *udp = data - WIRE_UDP_LEN;
	size_t head_len = udp_put_heads(heads, data);
	uint8_t *frame = data - head_len;
	uint16_t checksum = ip_l4_checksum(frame + WIRE_ETH_LEN, IPPROTO_UDP, udp,
	    WIRE_UDP_LEN + heads->data_len);

	/* RFC 768: 0 means that there is no checksum. */
	store_be16(udp + WIRE_UDP_CHECKSUM, checksum == 0 ? UINT16_MAX : checksum);
	host->to_guest(host->ctx, frame, head_len + heads->data_len);
}

static void
send_run(struct udp_host *host, struct udp_heads *heads, struct udp_run *run)
{
	size_t ip_len = heads->src.is_ipv6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	bool fits = host->has_offloads &&
	    ip_len + WIRE_UDP_LEN + run->piece_len <= host->network.mtu_bytes;

	while (!udp_run_is_empty(run)) {
		size_t max = run->piece_len *
		    (fits && host->has_uso ? udp_run_pieces_max(run) : 1);

		heads->data_len = run->len < max ? run->len : max;
		heads->ip_id = host->ip_id;
		/* The guest's kernel counts on from it for the others of the frame. */
		host->ip_id += (uint16_t)udp_run_count(run, heads->data_len);
		if (fits)
			write_frame(host, heads, run, heads->data_len);
		else
			write_whole(host, heads, run->parts[run->first].iov_base);
		udp_run_drop(run, heads->data_len);
	}
}

void
udp_frame_send(struct udp_host *host, struct udp_heads *heads, uint8_t *data)
{
	struct udp_run run;

	udp_run_begin(&run, data, heads->data_len, heads->data_len);
	send_run(host, heads, &run);
}

/* --- frames of several reads ---------------------------------------------------------- */

/* What waits for udp_frame_end(): a run whose parts have room for headers in front. */
static struct {
	struct udp_heads heads;
	struct udp_run run;
	uint8_t src_mac[WIRE_MAC_LEN], dst_mac[WIRE_MAC_LEN];
} waiting;

void
udp_frame_end(struct udp_host *host)
{
	send_run(host, &waiting.heads, &waiting.run);
}

static bool
heads_are_equal(const struct udp_heads *a, const struct udp_heads *b)
{
	return inaddr_is_equal(&a->src, &b->src) && inaddr_is_equal(&a->dst, &b->dst) &&
	    a->src_port == b->src_port && a->dst_port == b->dst_port &&
	    a->ttl == b->ttl && a->tos == b->tos &&
	    memcmp(a->src_mac, b->src_mac, WIRE_MAC_LEN) == 0 &&
	    memcmp(a->dst_mac, b->dst_mac, WIRE_MAC_LEN) == 0;
}

void
udp_frame_add(struct udp_host *host, const struct udp_heads *heads,
    const struct udp_read *read)
{
	if (!udp_run_is_empty(&waiting.run) && heads_are_equal(&waiting.heads, heads) &&
	    udp_run_add(&waiting.run, read->data, read->len, read->piece_len))
		return;
	udp_frame_end(host);
	waiting.heads = *heads;
	/* The flow that has the MACs may end before. */
	memcpy(waiting.src_mac, heads->src_mac, WIRE_MAC_LEN);
	memcpy(waiting.dst_mac, heads->dst_mac, WIRE_MAC_LEN);
	waiting.heads.src_mac = waiting.src_mac;
	waiting.heads.dst_mac = waiting.dst_mac;
	udp_run_begin(&waiting.run, read->data, read->len, read->piece_len);
}
