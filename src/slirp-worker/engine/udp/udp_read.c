/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the datagrams that wait at a socket, all by one call. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

/* TTL, TOS, the length of joined datagrams, and the address to which a datagram came. */
#define CONTROL_SIZE \
	(3 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo)))

/* With this surplus, rooms do not begin at the same lines of a processor's cache: the
 * beginnings of 16 would push each other out. */
#define ROOM_SURPLUS 1600

struct room {
	_Alignas(8) uint8_t bytes[UDP_DATA_OFFSET + UDP_DATA_MAX + ROOM_SURPLUS];
};

static struct room rooms[UDP_READS_MAX];
static struct mmsghdr msgs[UDP_READS_MAX];
static struct iovec parts[UDP_READS_MAX];
static union inaddr_sock from[UDP_READS_MAX];
static struct {
	_Alignas(struct cmsghdr) char bytes[CONTROL_SIZE];
} controls[UDP_READS_MAX];

/* Messages that the last call has changed; at first none is ready. */
static unsigned int n_used = UDP_READS_MAX;

static void
make_ready(unsigned int i)
{
	parts[i] = (struct iovec){ rooms[i].bytes + UDP_DATA_OFFSET, UDP_DATA_MAX };
	msgs[i].msg_hdr = (struct msghdr){
		.msg_name = &from[i],
		.msg_namelen = sizeof(from[i]),
		.msg_iov = &parts[i],
		.msg_iovlen = 1,
		.msg_control = controls[i].bytes,
		.msg_controllen = sizeof(controls[i]),
	};
}

unsigned int
udp_read_all(int fd)
{
	int n;

	for (unsigned int i = 0; i < n_used; i++)
		make_ready(i);
	n = recvmmsg(fd, msgs, UDP_READS_MAX, MSG_DONTWAIT, NULL);
	n_used = n > 0 ? (unsigned int)n : 0;
	return n_used;
}

/* The fields of the IP header that the kernel reports (ip(7), ipv6(7), udp(7)). */
static void
read_detail(const struct cmsghdr *header, struct udp_read *read)
{
	int value = 0;

	if (header->cmsg_len == CMSG_LEN(sizeof(value)))
		memcpy(&value, CMSG_DATA(header), sizeof(value));
	if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TTL) ||
	    (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_HOPLIMIT))
		read->ttl = (uint8_t)value;
	else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TOS)
		read->tos = *CMSG_DATA(header);
	else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_TCLASS)
		read->tos = (uint8_t)value;
	else if (header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO)
		read->piece_len = (size_t)value;
}

struct udp_read
udp_read_at(unsigned int i)
{
	struct msghdr *msg = &msgs[i].msg_hdr;
	struct udp_read read = {
		.msg = msg,
		.from = &from[i],
		.data = parts[i].iov_base,
		.len = msgs[i].msg_len,
		.piece_len = msgs[i].msg_len,
		.ttl = UDP_OWN_TTL,
	};

	for (struct cmsghdr *header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR(msg, header))
		read_detail(header, &read);
	if (read.piece_len == 0 || read.piece_len > read.len)
		read.piece_len = read.len;
	return read;
}
