/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the errors that the kernel queues for a socket. */
#include "slirp-worker/engine/errqueue.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "slirp-worker/wire/wire.h"

/* RFC 792 and RFC 4443 3.4. */
#define ICMP4_PARAMETER_PROBLEM 12
#define ICMP6_PARAMETER_PROBLEM 4

/* Room for what a socket of UDP may have asked for beside the error: TTL and TOS. */
#define OTHER_CONTROL (2 * CMSG_SPACE(sizeof(int)))

static bool
is_icmp_error(bool is_ip6, const struct sock_extended_err *extended)
{
	if (is_ip6)
		return extended->ee_origin == SO_EE_ORIGIN_ICMP6 &&
		    extended->ee_type >= WIRE_ICMP6_UNREACHABLE &&
		    extended->ee_type <= ICMP6_PARAMETER_PROBLEM;
	return extended->ee_origin == SO_EE_ORIGIN_ICMP &&
	    (extended->ee_type == WIRE_ICMP4_UNREACHABLE ||
		extended->ee_type == WIRE_ICMP4_TIME_EXCEEDED ||
		extended->ee_type == ICMP4_PARAMETER_PROBLEM);
}

static void
read_error(bool is_ip6, const struct sock_extended_err *extended,
    struct errqueue_error *error)
{
	error->error = (int)extended->ee_errno;
	if (extended->ee_origin == SO_EE_ORIGIN_LOCAL && extended->ee_errno == EMSGSIZE)
		error->own_mtu_bytes = extended->ee_info;
	error->is_for_guest = is_icmp_error(is_ip6, extended) &&
	    inaddr_from_sockaddr(&error->offender, SO_EE_OFFENDER(extended)) &&
	    error->offender.is_ipv6 == is_ip6;
	error->icmp = (struct refusal_error){
		.type = extended->ee_type,
		.code = extended->ee_code,
	};
	if (is_ip6 ? error->icmp.type == WIRE_ICMP6_TOO_BIG
		   : error->icmp.type == WIRE_ICMP4_UNREACHABLE &&
		    error->icmp.code == WIRE_ICMP4_TOO_BIG)
		error->icmp.mtu_bytes = extended->ee_info;
}

ssize_t
errqueue_take(int fd, bool is_ip6, struct iovec *quoted, struct errqueue_error *error)
{
	_Alignas(
	    struct cmsghdr) char control[CMSG_SPACE(sizeof(struct sock_extended_err) +
					     sizeof(struct sockaddr_in6)) +
	    OTHER_CONTROL];
	struct msghdr msg = {
		.msg_iov = quoted,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE);

	*error = (struct errqueue_error){ 0 };
	if (n == -1)
		return -1;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&msg); header;
	     header = CMSG_NXTHDR(&msg, header))
		/* The others are shorter. */
		if (header->cmsg_len >= CMSG_LEN(sizeof(struct sock_extended_err) +
					    sizeof(struct sockaddr_in)))
			read_error(is_ip6, (const void *)CMSG_DATA(header), error);
	return n;
}
