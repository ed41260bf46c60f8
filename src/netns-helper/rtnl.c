/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the kernel's routing socket. */
#include "netns-helper/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

/* The longest request has three addresses of 16 bytes. */
#define REQUEST_SIZE 256

/* An acknowledgement repeats the request and adds a little. */
#define REPLY_SIZE 4096

struct request {
	struct nlmsghdr header;
	char rest[REQUEST_SIZE];
};

/* Begins a request: type and flags as in rtnetlink(7), body is copied. */
static void
request_begin(struct request *request, int type, int flags, const void *body,
    size_t body_len)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_type = (uint16_t)type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_len);
	memcpy(NLMSG_DATA(&request->header), body, body_len);
}

/* The requests have fields of known size, so there is always room. */
static struct rtattr *
request_add(struct request *request, int type, const void *data, size_t data_len)
{
	size_t offset = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr *attr = (struct rtattr *)((char *)request + offset);

	attr->rta_type = (uint16_t)type;
	attr->rta_len = (uint16_t)RTA_LENGTH(data_len);
	if (data_len > 0)
		memcpy(RTA_DATA(attr), data, data_len);
	request->header.nlmsg_len = (uint32_t)(offset + RTA_ALIGN(attr->rta_len));
	return attr;
}

/* Ends an attribute that contains the attributes added after it. */
static void
request_close(struct request *request, struct rtattr *attr)
{
	attr->rta_len =
	    (uint16_t)((char *)request + request->header.nlmsg_len - (char *)attr);
}

enum rtnl_reply
rtnl_parse_reply(const void *datagram, size_t len, uint32_t sequence, int *error)
{
	const char *bytes = datagram;

	while (len > 0) {
		struct nlmsghdr header;
		struct nlmsgerr body;

		if (len < sizeof(header))
			return RTNL_REPLY_GARBAGE;
		memcpy(&header, bytes, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > len)
			return RTNL_REPLY_GARBAGE;
		if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_seq == sequence) {
			if (header.nlmsg_len < NLMSG_LENGTH(sizeof(body)))
				return RTNL_REPLY_GARBAGE;
			memcpy(&body, bytes + NLMSG_HDRLEN, sizeof(body));
			if (body.error > 0 || body.error == INT32_MIN)
				return RTNL_REPLY_GARBAGE;
			*error = -body.error;
			return RTNL_REPLY_ACK;
		}
		size_t step = NLMSG_ALIGN(header.nlmsg_len);
		if (step >= len)
			break;
		bytes += step;
		len -= step;
	}
	return RTNL_REPLY_OTHER;
}

/* Sends the request and waits for its acknowledgement, which the kernel always gives. */
static int
request_do(struct rtnl *rtnl, struct request *request)
{
	char reply[REPLY_SIZE];
	ssize_t n;
	int error = 0;

	request->header.nlmsg_seq = ++rtnl->sequence;
	if (send(rtnl->fd, request, request->header.nlmsg_len, 0) == -1)
		return -1;
	for (;;) {
		n = recv(rtnl->fd, reply, sizeof(reply), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		switch (rtnl_parse_reply(reply, (size_t)n, rtnl->sequence, &error)) {
		case RTNL_REPLY_ACK:
			errno = error;
			return error == 0 ? 0 : -1;
		case RTNL_REPLY_OTHER:
			continue;
		case RTNL_REPLY_GARBAGE:
			errno = EBADMSG;
			return -1;
		}
	}
}

int
rtnl_open(struct rtnl *rtnl)
{
	/* Connect to the kernel (address 0): then only the kernel can answer. */
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	autofd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd == -1 || connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) == -1)
		return -1;
	*rtnl = (struct rtnl){ .fd = take_fd(&fd) };
	return 0;
}

void
rtnl_close(struct rtnl *rtnl)
{
	close(take_fd(&rtnl->fd));
}

/* Begins a change of the interface; flags is 0 or IFF_UP. */
static void
link_begin(struct request *request, unsigned int ifindex, unsigned int flags)
{
	struct ifinfomsg body = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = flags,
		.ifi_change = flags,
	};

	request_begin(request, RTM_NEWLINK, 0, &body, sizeof(body));
}

int
rtnl_link_set_up(struct rtnl *rtnl, unsigned int ifindex)
{
	struct request request;

	link_begin(&request, ifindex, IFF_UP);
	return request_do(rtnl, &request);
}

int
rtnl_link_set_mtu(struct rtnl *rtnl, unsigned int ifindex, uint32_t mtu_bytes)
{
	struct request request;

	link_begin(&request, ifindex, 0);
	request_add(&request, IFLA_MTU, &mtu_bytes, sizeof(mtu_bytes));
	return request_do(rtnl, &request);
}

int
rtnl_link_set_mac(struct rtnl *rtnl, unsigned int ifindex, const uint8_t mac[6])
{
	struct request request;

	link_begin(&request, ifindex, 0);
	request_add(&request, IFLA_ADDRESS, mac, 6);
	return request_do(rtnl, &request);
}

int
rtnl_link_stop_autoconf6(struct rtnl *rtnl, unsigned int ifindex)
{
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct request request;
	struct rtattr *families, *inet6;

	link_begin(&request, ifindex, 0);
	families = request_add(&request, IFLA_AF_SPEC, NULL, 0);
	inet6 = request_add(&request, AF_INET6, NULL, 0);
	request_add(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	request_close(&request, inet6);
	request_close(&request, families);
	return request_do(rtnl, &request);
}

int
rtnl_addr4_set(struct rtnl *rtnl, unsigned int ifindex, in_addr_t addr_be,
    unsigned int prefix_len)
{
	in_addr_t broadcast_be = addr_be | htonl(UINT32_MAX >> prefix_len);
	struct ifaddrmsg body = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = (uint8_t)prefix_len,
		.ifa_index = ifindex,
	};
	struct request request;

	request_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body,
	    sizeof(body));
	request_add(&request, IFA_LOCAL, &addr_be, sizeof(addr_be));
	request_add(&request, IFA_ADDRESS, &addr_be, sizeof(addr_be));
	request_add(&request, IFA_BROADCAST, &broadcast_be, sizeof(broadcast_be));
	return request_do(rtnl, &request);
}

int
rtnl_addr6_set(struct rtnl *rtnl, unsigned int ifindex, const struct in6_addr *addr,
    unsigned int prefix_len)
{
	/* Without duplicate address detection the address works as soon as the caller
	 * hears of it. The guest is alone on this link. */
	struct ifaddrmsg body = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = (uint8_t)prefix_len,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = ifindex,
	};
	struct request request;

	request_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body,
	    sizeof(body));
	request_add(&request, IFA_LOCAL, addr, sizeof(*addr));
	request_add(&request, IFA_ADDRESS, addr, sizeof(*addr));
	return request_do(rtnl, &request);
}

int
rtnl_default_route_set(struct rtnl *rtnl, unsigned int ifindex, const void *gateway,
    size_t addr_len)
{
	struct rtmsg body = {
		.rtm_family = addr_len == sizeof(struct in_addr) ? AF_INET : AF_INET6,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct request request;

	request_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body,
	    sizeof(body));
	request_add(&request, RTA_GATEWAY, gateway, addr_len);
	request_add(&request, RTA_OIF, &ifindex, sizeof(ifindex));
	return request_do(rtnl, &request);
}
