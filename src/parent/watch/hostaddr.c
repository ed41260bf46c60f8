/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the kernel for the addresses of the host's interfaces. */
#include "parent/watch/hostaddr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

/* At least one piece of a list: the kernel uses NLMSG_GOODSIZE (linux/netlink.h), which
 * is less with pages of 4 KiB. */
#define PIECE_SIZE 16384

/* Events read in one turn. Their content does not matter, so the rest can wait. */
#define N_EVENTS_MAX 64

/* Of the last request. */
static uint32_t sequence;

int
parent_hostaddr_open(uint32_t groups)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	autofd int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	/* Connect to the kernel: then only the kernel can send to this socket. */
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) == -1)
		return -1;
	return take_fd(&fd);
}

/* Returns the attribute of that type in a message whose body has body_len bytes, or
 * NULL. */
static const struct rtattr *
find_attribute(const struct nlmsghdr *message, size_t body_len, int type)
{
	size_t offset = NLMSG_SPACE(body_len);
	const struct rtattr *attribute =
	    (const struct rtattr *)((const char *)message + offset);
	size_t left = message->nlmsg_len > offset ? message->nlmsg_len - offset : 0;

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & NLA_TYPE_MASK) == type)
			return attribute;
	return NULL;
}

/*
 * Sends a request, which begins with its header, and gives each message of the answer to
 * `take`. The kernel has the answer ready, or makes the next piece of it, when it is read,
 * so nothing is waited for. Returns 0, or -1 with errno set.
 */
static int
ask(int fd, const void *request, void (*take)(void *ctx, const struct nlmsghdr *message),
    void *ctx)
{
	static _Alignas(struct nlmsghdr) char piece[PIECE_SIZE];
	const struct nlmsghdr *header = request;
	bool is_list = header->nlmsg_flags & NLM_F_DUMP;

	if (write(fd, request, header->nlmsg_len) == -1)
		return -1;
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		const struct nlmsghdr *message = (const struct nlmsghdr *)piece;
		size_t left = n > 0 ? (size_t)n : 0;

		if (n == -1)
			return -1;
		for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			/* Of a question that was given up half way. */
			if (message->nlmsg_seq != header->nlmsg_seq)
				continue;
			if (message->nlmsg_type == NLMSG_DONE)
				return 0;
			if (message->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *error = NLMSG_DATA(message);

				errno = message->nlmsg_len < NLMSG_LENGTH(sizeof(*error))
				    ? EBADMSG
				    : -error->error;
				return errno == 0 ? 0 : -1;
			}
			take(ctx, message);
			if (!is_list)
				return 0;
		}
	}
}

static void
take_index(void *ctx, const struct nlmsghdr *message)
{
	const struct ifinfomsg *body = NLMSG_DATA(message);

	if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(*body)))
		*(int *)ctx = body->ifi_index;
}

/* Finds the index of the interface by its name: an interface that is made again gets
 * another index. Returns 0 for none. */
static int
find_index(int query_fd, const char *ifname)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
		struct rtattr attribute;
		char name[IFNAMSIZ];
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = ++sequence,
		},
		.attribute = { .rta_len = RTA_LENGTH(IFNAMSIZ), .rta_type = IFLA_IFNAME },
	};
	int index = 0;

	memcpy(request.name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	if (ask(query_fd, &request, take_index, &index) == -1)
		return 0;
	return index;
}

struct search {
	int index;
	int family;
	const struct inaddr *wanted; /* taken before any other */
	bool has_found;
	struct inaddr found;
};

static void
take_address(void *ctx, const struct nlmsghdr *message)
{
	/* The kernel does not use such an address, or soon will not. In IPv4 the second
	 * bit means a secondary address, which is usable. */
	const uint32_t unusable6 = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
	const struct ifaddrmsg *body = NLMSG_DATA(message);
	const struct rtattr *attribute;
	struct search *search = ctx;
	struct inaddr address = { .is_ipv6 = search->wanted->is_ipv6 };
	size_t len = address.is_ipv6 ? sizeof(struct in6_addr) : sizeof(in_addr_t);

	if (message->nlmsg_type != RTM_NEWADDR ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*body)) ||
	    (int)body->ifa_index != search->index || body->ifa_family != search->family)
		return;
	/* A link-local address cannot be bound without its interface. */
	if (search->family == AF_INET6 &&
	    (body->ifa_scope == RT_SCOPE_LINK || (body->ifa_flags & unusable6)))
		return;
	/* rtnetlink(7): on a point-to-point link IFA_ADDRESS is the other end. */
	attribute = find_attribute(message, sizeof(*body), IFA_LOCAL);
	if (!attribute)
		attribute = find_attribute(message, sizeof(*body), IFA_ADDRESS);
	if (!attribute || attribute->rta_len != RTA_LENGTH(len))
		return;
	memcpy(address.bytes, RTA_DATA(attribute), len);
	if (!search->has_found || inaddr_is_equal(&address, search->wanted))
		search->found = address;
	search->has_found = true;
}

bool
parent_hostaddr_find(int query_fd, const char *ifname, struct inaddr *address)
{
	const uint8_t family = address->is_ipv6 ? AF_INET6 : AF_INET;
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = ++sequence,
		},
		.body = { .ifa_family = family },
	};
	struct search search = { .family = family, .wanted = address };

	errno = ENODEV;
	search.index = find_index(query_fd, ifname);
	if (search.index == 0 || ask(query_fd, &request, take_address, &search) == -1)
		return false;
	errno = EADDRNOTAVAIL;
	if (!search.has_found)
		return false;
	*address = search.found;
	return true;
}

struct list {
	struct inaddr *addrs;
	uint32_t n, n_max;
};

/* Also takes what is not usable yet: another host may reach it already. */
static void
take_any(void *ctx, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *body = NLMSG_DATA(message);
	const struct rtattr *attribute;
	struct list *list = ctx;
	size_t len;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*body)) ||
	    (body->ifa_family != AF_INET && body->ifa_family != AF_INET6))
		return;
	len = body->ifa_family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(in_addr_t);
	attribute = find_attribute(message, sizeof(*body), IFA_LOCAL);
	if (!attribute)
		attribute = find_attribute(message, sizeof(*body), IFA_ADDRESS);
	if (!attribute || attribute->rta_len != RTA_LENGTH(len))
		return;
	if (list->n < list->n_max)
		list->addrs[list->n] =
		    inaddr_from_bytes(RTA_DATA(attribute), body->ifa_family == AF_INET6);
	list->n++;
}

int
parent_hostaddr_list(int query_fd, struct inaddr *addrs, uint32_t n_max)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = ++sequence,
		},
		.body = { .ifa_family = AF_UNSPEC },
	};
	struct list list = { .addrs = addrs, .n_max = n_max };

	return ask(query_fd, &request, take_any, &list) == -1 ? -1 : (int)list.n;
}

/* The content of the events is ignored: events may be lost when there are many (ENOBUFS,
 * netlink(7)), and the kernel tells the present state. */
void
parent_hostaddr_drop_events(int events_fd)
{
	static _Alignas(struct nlmsghdr) char piece[PIECE_SIZE];

	for (int i = 0; i < N_EVENTS_MAX; i++)
		if (read(events_fd, piece, sizeof(piece)) == -1 && errno != ENOBUFS)
			return;
}
