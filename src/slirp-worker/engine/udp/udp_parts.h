/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the UDP engine that have sockets share; no other file includes it. */
#pragma once

#include "slirp-worker/engine/udp/udp_host.h"
#include "slirp-worker/tap/vnet.h"

/* Datagrams and errors read from one socket in a turn: as many as frames of the TAP.
 * epoll(7) reports the rest. */
#define UDP_READS_MAX 16

/* The usual initial TTL, for what begins in this worker. */
#define UDP_OWN_TTL 64

/* In front of a datagram's data: room for headers, of which IPv6's are the longest. */
#define UDP_DATA_OFFSET (VNET_HEADER_LEN + WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_UDP_LEN)
#define UDP_DATA_MAX (UINT16_MAX - WIRE_UDP_LEN)

/* --- udp_read.c ----------------------------------------------------------------------- */

/* A datagram, or several of equal length that the kernel has joined (udp(7), UDP_GRO). It is
 * valid until the next udp_read_all(). */
struct udp_read {
	struct msghdr *msg;
	const union inaddr_sock *from;
	uint8_t *data; /* UDP_DATA_OFFSET bytes in front of it are free */
	size_t len;
	size_t piece_len; /* of each datagram but the last, which may be shorter */
	uint8_t ttl, tos;
};

/* Reads what waits at a socket, UDP_READS_MAX at most. Returns how many were read: 0 also if
 * the socket has an error. */
unsigned int udp_read_all(int fd);

struct udp_read udp_read_at(unsigned int i);

/* --- udp_frame.c ---------------------------------------------------------------------- */

/* The fields of a datagram's headers. */
struct udp_heads {
	struct inaddr src, dst;
	uint16_t src_port, dst_port; /* host byte order */
	const uint8_t *src_mac, *dst_mac;
	uint8_t ttl, tos;
	uint16_t ip_id;
	size_t data_len;
};

/* Writes headers in front of the data. The checksum is open. Returns their length. */
size_t udp_put_heads(const struct udp_heads *heads, uint8_t *data);

/* Sends the guest one datagram. In front of the data, UDP_DATA_OFFSET bytes are free. Sets
 * heads->ip_id. */
void udp_frame_send(struct udp_host *host, struct udp_heads *heads, uint8_t *data);

/* Sends the guest what was read, with these headers, by udp_frame_end(). Until then, the rooms
 * of udp_read.c must stay. */
void udp_frame_add(struct udp_host *host, const struct udp_heads *heads,
    const struct udp_read *read);
void udp_frame_end(struct udp_host *host);

/* --- udp_send.c: a member of struct udp_world, ctx is the udp_host --------------------- */

int udp_send(void *ctx, struct udp_flow *flow, struct udp_run *run);

/* --- udp_open.c: members of struct udp_world, ctx is the udp_host ---------------------- */

void udp_open_socket(void *ctx, struct udp_flow *flow);
void udp_close_sockets(void *ctx, struct udp_flow *flow);

/* What the connector answers; ctx is the udp_host. */
extern const struct asks_ops udp_asks_ops;

static inline bool
udp_socket_is_ip6(const struct udp_flow *flow)
{
	return flow->to.any.sa_family == AF_INET6;
}

/* Sets an option that the socket must have. */
void udp_set_option(int fd, int level, int name, int value);

/* --- udp_error.c ---------------------------------------------------------------------- */

/* A member of struct udp_world. */
void udp_unreachable(void *ctx, const struct udp_flow *flow, int error);

/* The first datagram of the run was not sent because of its length. */
void udp_too_big(struct udp_host *host, const struct udp_flow *flow,
    const struct udp_run *run);

/* The guest's datagram has reached the end of its TTL in this router. */
void udp_time_exceeded(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame);

/* Gives the guest the errors that the kernel has queued for a flow (ip(7), IP_RECVERR),
 * which clears the error of the socket. */
void udp_take_errors(struct udp_host *host, struct udp_flow *flow);

/* Whether the flow leads where the guest says: not to the host's loopback or resolver, in
 * whose place an address of the virtual network stands. */
bool udp_leads_to_its_peer(const struct udp_flow *flow);

/* --- udp_receive.c -------------------------------------------------------------------- */

/* Gives the guest the datagrams that wait at the socket of the flow with this handle. The
 * flow may end, and so may others. */
void udp_take_datagrams(struct udp_host *host, uint32_t index, uint32_t generation);

/* The same for a port of a forward, where new peers come. */
void udp_take_new_peers(struct udp_host *host, struct port *port);
