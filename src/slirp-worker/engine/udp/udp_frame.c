/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the sockets of UDP flows and their errors, and makes frames for the guest. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/tap/vnet.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

/* RFC 792, RFC 1812 5.2.7.1, and RFC 4443 3: types and codes of errors. */
#define ICMP4_TIME_EXCEEDED 11
#define ICMP4_PARAMETER_PROBLEM 12
#define ICMP4_UNREACHABLE_TOO_BIG 4
#define ICMP6_TOO_BIG 2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER_PROBLEM 4

/* The usual initial TTL, for what begins in this worker. */
#define OWN_TTL 64

/* The headers of a frame, of IPv6's length, and the data behind them. The driver's header
 * is in front. */
#define DATA_OFFSET (VNET_HEADER_LEN + WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_UDP_LEN)
#define DATA_MAX (UINT16_MAX - WIRE_UDP_LEN)

/* Of a datagram that an error quotes: more than the error has room for. */
#define QUOTED_DATA_MAX REFUSAL_MAX_LEN

/* Static, to keep the stack small; the functions are not called recursively. */
static uint8_t buffer[DATA_OFFSET + DATA_MAX];

/* The fields of a datagram's headers, to the guest or from it. */
struct heads {
	struct inaddr src, dst;
	uint16_t src_port, dst_port;
	const uint8_t *src_mac, *dst_mac;
	uint8_t ttl, tos;
	uint16_t ip_id;
	size_t data_len;
};

/* Writes headers in front of data, where there is room for them. The checksum is open.
 * Returns their length. */
static size_t
put_heads(uint8_t *data, const struct heads *heads)
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

/* --- errors --------------------------------------------------------------------------- */

/* The guest's datagram, as far as an error quotes it: n_quoted bytes of its data are in the
 * buffer. */
static void
send_error(struct udp_host *host, const struct udp_flow *flow,
    const struct refusal_error *error, size_t n_quoted)
{
	const struct flow_key *key = &flow->link.key;
	bool is_ip6 = udp_is_ip6(flow);
	uint8_t answer[REFUSAL_MAX_LEN];
	const struct heads heads = {
		.src = inaddr_from_bytes(key->guest_address, is_ip6),
		.dst = inaddr_from_bytes(key->peer_address, is_ip6),
		.src_port = key->guest_port,
		.dst_port = key->peer_port,
		.src_mac = flow->guest_mac,
		.dst_mac = flow->our_mac,
		.ttl = OWN_TTL,
		.data_len = n_quoted > flow->last_len ? n_quoted : flow->last_len,
	};
	size_t head_len = put_heads(buffer + DATA_OFFSET, &heads);
	size_t len = refusal_build_error(buffer + DATA_OFFSET - head_len,
	    head_len + n_quoted, error, answer, sizeof(answer));

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
	/* Each with its code for IPv4 and IPv6. */
	static const struct {
		int error;
		uint8_t code4, code6;
	} codes[] = {
		{ ECONNREFUSED, 3, 4 },        /* port */
		{ EHOSTUNREACH, 1, 3 },        /* host */
		{ EACCES, 13, 1 },             /* administratively prohibited */
		{ EPERM, 13, 1 }, { 0, 0, 0 }, /* network, or no route: the last */
	};
	struct udp_host *host = ctx;
	bool is_ip6 = udp_is_ip6(flow);
	size_t i = 0;
	struct refusal_error answer = {
		.type = is_ip6 ? WIRE_ICMP6_UNREACHABLE : WIRE_ICMP4_UNREACHABLE,
		.source = error == ECONNREFUSED ? NULL : gateway(host, is_ip6),
	};

	while (codes[i].error != error && codes[i].error != 0)
		i++;
	answer.code = is_ip6 ? codes[i].code6 : codes[i].code4;
	send_error(host, flow, &answer, 0);
}

void
udp_time_exceeded(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame)
{
	bool is_ip6 = parsed->ethertype == WIRE_TYPE_IP6;
	uint8_t answer[REFUSAL_MAX_LEN];
	const struct refusal_error error = {
		.type = is_ip6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED,
		.source = gateway(host, is_ip6),
	};
	size_t len =
	    refusal_build_error(frame, parsed->len, &error, answer, sizeof(answer));

	if (len > 0)
		host->to_guest(host->ctx, answer, len);
}

static bool
is_error_to_forward(bool is_ip6, const struct sock_extended_err *extended)
{
	if (is_ip6)
		return extended->ee_origin == SO_EE_ORIGIN_ICMP6 &&
		    extended->ee_type >= WIRE_ICMP6_UNREACHABLE &&
		    extended->ee_type <= ICMP6_PARAMETER_PROBLEM;
	return extended->ee_origin == SO_EE_ORIGIN_ICMP &&
	    (extended->ee_type == WIRE_ICMP4_UNREACHABLE ||
		extended->ee_type == ICMP4_TIME_EXCEEDED ||
		extended->ee_type == ICMP4_PARAMETER_PROBLEM);
}

/* Whether the flow leads where the guest says: not to the host's loopback or resolver, in
 * whose place an address of the virtual network stands. */
static bool
leads_to_its_peer(const struct udp_flow *flow)
{
	struct inaddr to;

	return inaddr_from_sockaddr(&to, &flow->to.any) &&
	    memcmp(to.bytes, flow->link.key.peer_address, sizeof(to.bytes)) == 0;
}

static void
forward_error(struct udp_host *host, const struct udp_flow *flow,
    const struct sock_extended_err *extended, size_t n_quoted)
{
	bool is_ip6 = udp_is_ip6(flow);
	struct inaddr offender;
	struct refusal_error error = {
		.type = extended->ee_type,
		.code = extended->ee_code,
		.source = offender.bytes,
	};

	if (!inaddr_from_sockaddr(&offender, SO_EE_OFFENDER(extended)) ||
	    offender.is_ipv6 != is_ip6)
		return;
	if (!leads_to_its_peer(flow))
		error.source = NULL;
	else if (inaddr_is_link_local6(&offender))
		/* It has no meaning on the guest's link. */
		error.source = gateway(host, is_ip6);
	if (is_ip6 ? error.type == ICMP6_TOO_BIG
		   : error.type == WIRE_ICMP4_UNREACHABLE &&
		    error.code == ICMP4_UNREACHABLE_TOO_BIG)
		error.mtu_bytes = extended->ee_info;
	send_error(host, flow, &error, n_quoted);
}

void
udp_take_errors(struct udp_host *host, const struct udp_flow *flow)
{
	for (int i = 0; i < UDP_READS_MAX; i++) {
		_Alignas(struct cmsghdr) char
		    control[CMSG_SPACE(sizeof(struct sock_extended_err) +
				sizeof(struct sockaddr_in6)) +
			2 * CMSG_SPACE(sizeof(int))];
		struct iovec part = { buffer + DATA_OFFSET, QUOTED_DATA_MAX };
		struct msghdr msg = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(flow->fd, &msg, MSG_ERRQUEUE);
		struct cmsghdr *header;

		if (n == -1)
			return;
		for (header = CMSG_FIRSTHDR(&msg); header;
		     header = CMSG_NXTHDR(&msg, header)) {
			const struct sock_extended_err *extended =
			    (const void *)CMSG_DATA(header);

			if (header->cmsg_len <
			    CMSG_LEN(sizeof(*extended) + sizeof(struct sockaddr_in)))
				continue;
			if (!flow->is_group &&
			    is_error_to_forward(udp_is_ip6(flow), extended))
				forward_error(host, flow, extended, (size_t)n);
		}
	}
}

/* --- datagrams ------------------------------------------------------------------------ */

/* Sends the datagram whose data is in the buffer. */
static void
send_datagram(struct udp_host *host, struct heads *heads)
{
	uint8_t *udp = buffer + DATA_OFFSET - WIRE_UDP_LEN, *frame, *ip;
	size_t l4_len = WIRE_UDP_LEN + heads->data_len, head_len, frame_len;
	uint16_t checksum;

	heads->ip_id = host->ip_id++;
	head_len = put_heads(buffer + DATA_OFFSET, heads);
	frame = buffer + DATA_OFFSET - head_len;
	ip = frame + WIRE_ETH_LEN;
	frame_len = head_len + heads->data_len;
	if (host->has_offloads && frame_len - WIRE_ETH_LEN <= host->network.mtu_bytes) {
		struct iovec part = { frame - VNET_HEADER_LEN,
			VNET_HEADER_LEN + frame_len };

		store_be16(udp + WIRE_UDP_CHECKSUM,
		    (uint16_t)~checksum_finish(ip_pseudo_sum(ip, IPPROTO_UDP, l4_len)));
		vnet_mark_udp(frame - VNET_HEADER_LEN, (size_t)(udp - frame));
		host->wrote_frame(host->ctx, tapio_writev(host->tap, &part, 1),
		    frame_len);
		return;
	}
	checksum = ip_l4_checksum(ip, IPPROTO_UDP, udp, l4_len);
	/* RFC 768: 0 means that there is no checksum. */
	store_be16(udp + WIRE_UDP_CHECKSUM, checksum == 0 ? UINT16_MAX : checksum);
	host->to_guest(host->ctx, frame, frame_len);
}

/* The fields of the IP header that the kernel reports (ip(7), ipv6(7)). */
static void
read_details(struct msghdr *msg, struct heads *heads)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR(msg, header)) {
		int value = 0;

		if (header->cmsg_len == CMSG_LEN(sizeof(value)))
			memcpy(&value, CMSG_DATA(header), sizeof(value));
		if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TTL) ||
		    (header->cmsg_level == IPPROTO_IPV6 &&
			header->cmsg_type == IPV6_HOPLIMIT))
			heads->ttl = (uint8_t)value;
		else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TOS)
			heads->tos = *CMSG_DATA(header);
		else if (header->cmsg_level == IPPROTO_IPV6 &&
		    header->cmsg_type == IPV6_TCLASS)
			heads->tos = (uint8_t)value;
	}
}

/* How the guest sees the sender of an answer to a group: by its own address, or as the
 * gateway if that is the host's loopback or an address of the guest's own network. */
static struct inaddr
show_sender(const struct udp_host *host, const struct inaddr *sender)
{
	const struct inaddr loopback = inaddr_loopback(sender->is_ipv6);
	uint32_t address;

	if (inaddr_is_equal(sender, &loopback) || inaddr_is_link_local6(sender))
		return inaddr_from_bytes(gateway(host, sender->is_ipv6), sender->is_ipv6);
	if (sender->is_ipv6)
		return *sender;
	address = ntohl(inaddr_to4(sender));
	return address >> 24 == IN_LOOPBACKNET ||
		(inaddr_to4(sender) & host->network.netmask_be) ==
		    host->network.network_be
	    ? inaddr_from4(host->network.host_be)
	    : *sender;
}

/* The source of a datagram as the guest sees it. False if it is not for the guest: it came
 * before the socket was connected. */
static bool
find_source(const struct udp_host *host, const struct udp_flow *flow,
    const union inaddr_sock *from, struct heads *heads)
{
	const struct flow_key *key = &flow->link.key;
	bool is_ip6 = udp_is_ip6(flow);
	uint32_t peer_be;

	heads->src_port = inaddr_sock_port(from);
	if (!inaddr_from_sockaddr(&heads->src, &from->any))
		return false;
	if (flow->is_group) {
		heads->src = show_sender(host, &heads->src);
		return true;
	}
	if (!inaddr_sock_is_equal(from, &flow->to))
		return false;
	heads->src = inaddr_from_bytes(key->peer_address, is_ip6);
	memcpy(&peer_be, key->peer_address, sizeof(peer_be));
	/* A broadcast can't be a source. */
	if (!is_ip6 && (peer_be | host->network.netmask_be) == INADDR_BROADCAST &&
	    !leads_to_its_peer(flow))
		heads->src = inaddr_from4(host->network.host_be);
	return true;
}

/* Returns false if nothing is left, or the socket has an error. */
static bool
take_datagram(struct udp_host *host, struct udp_flow *flow)
{
	const struct flow_key *key = &flow->link.key;
	union inaddr_sock from = { 0 };
	struct iovec part = { buffer + DATA_OFFSET, DATA_MAX };
	_Alignas(struct cmsghdr) char control[2 * CMSG_SPACE(sizeof(int))];
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct heads heads = {
		.dst = inaddr_from_bytes(key->guest_address, udp_is_ip6(flow)),
		.dst_port = key->guest_port,
		.src_mac = flow->our_mac,
		.dst_mac = flow->guest_mac,
		.ttl = OWN_TTL,
	};
	ssize_t n = recvmsg(flow->fd, &msg, MSG_DONTWAIT);

	if (n == -1)
		return false;
	if (!find_source(host, flow, &from, &heads))
		return true;
	heads.data_len = (size_t)n;
	read_details(&msg, &heads);
	/* This worker is a router on the way. A datagram that has come so far arrives. */
	if (heads.ttl > 1 && leads_to_its_peer(flow))
		heads.ttl--;
	udp_to_guest(&host->udp, flow, heads.data_len, host->now_ms);
	send_datagram(host, &heads);
	return true;
}

void
udp_take_datagrams(struct udp_host *host, struct udp_flow *flow)
{
	for (int i = 0; i < UDP_READS_MAX; i++)
		if (!take_datagram(host, flow))
			return;
}
