#include "parent/outbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/inet.h"
#include "base/log.h"
#include "base/text.h"

/* Hosts with containers make and remove interfaces all day, and each look costs a list of
 * all addresses: once a second is soon enough. */
#define LOOK_INTERVAL_MS 1000

/* As much as the kernel puts into one piece of a list (NLMSG_GOODSIZE, linux/netlink.h, with
 * pages of 4 KiB), and more. */
#define PIECE_SIZE 16384

/* Events read in a turn; none of them is looked at, so what is left can wait. */
#define N_EVENTS_MAX 64

/* Lines on an interface that comes and goes: the story of a day, and then one in five
 * minutes, since a client may keep our output in memory. */
#define LOG_BURST 16
#define LOG_INTERVAL_MS (5 * 60 * 1000)

/* An address in the form that both families share, and how long it is. */
struct address {
	uint8_t bytes[IPC_ADDR6_LEN];
	size_t len;
};

void
parent_outbound_init(struct outbound *outbound)
{
	*outbound = (struct outbound){
		.events_fd = -1,
		.query_fd = -1,
		.is_told = true,
		.log_limit = { .burst = LOG_BURST, .interval_ms = LOG_INTERVAL_MS },
	};
}

static int
open_rtnetlink(uint32_t groups)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	autofd int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	/* Connected, so that the kernel alone can send anything there. */
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) == -1)
		return -1;
	return take_fd(&fd);
}

/* The attribute of that type in a message, whose body has body_len bytes; NULL for none. */
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
 * Sends a request and gives each message of the answer to `take`. The kernel has the answer
 * ready, or makes the next piece of it, when it is read, so nothing is waited for. Returns 0,
 * or -1 with errno set.
 */
static int
ask(int fd, const struct nlmsghdr *request,
    void (*take)(void *ctx, const struct nlmsghdr *message), void *ctx)
{
	static _Alignas(struct nlmsghdr) char piece[PIECE_SIZE];
	bool is_list = request->nlmsg_flags & NLM_F_DUMP;

	if (write(fd, request, request->nlmsg_len) == -1)
		return -1;
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		const struct nlmsghdr *message = (const struct nlmsghdr *)piece;
		size_t left = n > 0 ? (size_t)n : 0;

		if (n == -1)
			return -1;
		for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			/* Of a question that was given up half way. */
			if (message->nlmsg_seq != request->nlmsg_seq)
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

/* Which number the interface has now, by its name: one that went and came back has another.
 * 0 for none. */
static int
find_index(struct outbound *outbound, const char *ifname, uint32_t sequence)
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
			.nlmsg_seq = sequence,
		},
		.attribute = { .rta_len = RTA_LENGTH(IFNAMSIZ), .rta_type = IFLA_IFNAME },
	};
	int index = 0;

	memcpy(request.name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	if (ask(outbound->query_fd, &request.header, take_index, &index) == -1)
		return 0;
	return index;
}

struct search {
	int index;
	int family;
	const struct address *wanted; /* taken before any other */
	struct address found;
};

static void
take_address(void *ctx, const struct nlmsghdr *message)
{
	/* Addresses that the kernel does not use, or soon will not. Of IPv4 the second bit
	 * is a second address on a network, as good as the first. */
	const uint32_t unusable6 = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
	const struct ifaddrmsg *body = NLMSG_DATA(message);
	const struct rtattr *attribute;
	struct search *search = ctx;
	struct address address = { .len = search->wanted->len };

	if (message->nlmsg_type != RTM_NEWADDR ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*body)) ||
	    (int)body->ifa_index != search->index || body->ifa_family != search->family)
		return;
	/* fe80::1 on its own is no address to bind to. */
	if (search->family == AF_INET6 &&
	    (body->ifa_scope == RT_SCOPE_LINK || (body->ifa_flags & unusable6)))
		return;
	/* rtnetlink(7): on a point-to-point link IFA_ADDRESS is the other end. */
	attribute = find_attribute(message, sizeof(*body), IFA_LOCAL);
	if (!attribute)
		attribute = find_attribute(message, sizeof(*body), IFA_ADDRESS);
	if (!attribute || attribute->rta_len != RTA_LENGTH(address.len))
		return;
	memcpy(address.bytes, RTA_DATA(attribute), address.len);
	if (search->found.len == 0 ||
	    memcmp(address.bytes, search->wanted->bytes, address.len) == 0)
		search->found = address;
}

/* Replaces *address by one that the interface has, unless it still has that one. Returns
 * false with errno set if there is none. */
static bool
find_address(struct outbound *outbound, const char *ifname, int family,
    struct address *address)
{
	static uint32_t sequence;
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
		.body = { .ifa_family = (uint8_t)family },
	};
	struct search search = { .family = family, .wanted = address };

	errno = ENODEV;
	search.index = find_index(outbound, ifname, ++sequence);
	if (search.index == 0 ||
	    ask(outbound->query_fd, &request.header, take_address, &search) == -1)
		return false;
	errno = EADDRNOTAVAIL;
	if (search.found.len == 0)
		return false;
	*address = search.found;
	return true;
}

static bool
find4(struct outbound *outbound, uint32_t *addr_be)
{
	struct address address = { .len = sizeof(*addr_be) };

	memcpy(address.bytes, addr_be, sizeof(*addr_be));
	if (!find_address(outbound, outbound->ifname4, AF_INET, &address))
		return false;
	memcpy(addr_be, address.bytes, sizeof(*addr_be));
	return true;
}

static bool
find6(struct outbound *outbound, uint8_t addr[IPC_ADDR6_LEN])
{
	struct address address = { .len = IPC_ADDR6_LEN };

	memcpy(address.bytes, addr, IPC_ADDR6_LEN);
	if (!find_address(outbound, outbound->ifname6, AF_INET6, &address))
		return false;
	memcpy(addr, address.bytes, IPC_ADDR6_LEN);
	return true;
}

static _Noreturn void
fail(const char *option, const char *value)
{
	/* Of a value that the options have taken: an address, or a name. */
	char shown[IPC_LABEL_SIZE];
	int error = errno;

	text_escape(shown, sizeof(shown), value, strlen(value));
	errno = error;
	if (error == ENODEV)
		fatalx("--%s=%s: the host has no such interface", option, shown);
	if (error == EADDRNOTAVAIL)
		fatalx("--%s=%s: the host has no such address, or the interface none of "
		       "this family",
		    option, shown);
	fatal("--%s=%s: find the address", option, shown);
}

/* Whether a connection can have the address. Returns 0, or -1 with errno set. */
static int
try_to_bind(const struct sockaddr *address, socklen_t len)
{
	autofd int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd == -1 ? -1 : bind(fd, address, len);
}

static void
open4(struct outbound *outbound, const char *value)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	outbound->addresses.has_addr4 = 1;
	if (!inet_addr4_parse(value, &address.sin_addr.s_addr)) {
		outbound->ifname4 = value;
		if (!find4(outbound, &outbound->addresses.addr4_be))
			fail("outbound-addr", value);
		return;
	}
	if (try_to_bind((struct sockaddr *)&address, sizeof(address)) == -1)
		fail("outbound-addr", value);
	outbound->addresses.addr4_be = address.sin_addr.s_addr;
}

static void
open6(struct outbound *outbound, const char *value)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };

	outbound->addresses.has_addr6 = 1;
	if (!inet_addr6_parse(value, &address.sin6_addr)) {
		outbound->ifname6 = value;
		if (!find6(outbound, outbound->addresses.addr6))
			fail("outbound-addr6", value);
		return;
	}
	if (try_to_bind((struct sockaddr *)&address, sizeof(address)) == -1)
		fail("outbound-addr6", value);
	memcpy(outbound->addresses.addr6, &address.sin6_addr, IPC_ADDR6_LEN);
}

void
parent_outbound_open(struct outbound *outbound, const struct options *options)
{
	if (!options->outbound_addr4 && !options->outbound_addr6)
		return;
	/* The events first, so that no change falls between. */
	outbound->events_fd =
	    open_rtnetlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	outbound->query_fd = open_rtnetlink(0);
	if (outbound->events_fd == -1 || outbound->query_fd == -1)
		fatal("ask the kernel for the host's addresses (rtnetlink)");
	if (options->outbound_addr4)
		open4(outbound, options->outbound_addr4);
	if (options->outbound_addr6)
		open6(outbound, options->outbound_addr6);
	if (outbound->ifname4 || outbound->ifname6)
		return;
	close(take_fd(&outbound->events_fd));
	close(take_fd(&outbound->query_fd));
}

int
parent_outbound_fd(const struct outbound *outbound)
{
	return outbound->events_fd;
}

int
parent_outbound_timeout_ms(const struct outbound *outbound, uint64_t now_ms)
{
	if (!outbound->look_due && outbound->is_told)
		return -1;
	return outbound->next_look_ms > now_ms ? (int)(outbound->next_look_ms - now_ms)
					       : 0;
}

/* Says how an interface has changed, if that is news. */
static void
tell(struct outbound *outbound, const char *ifname, const char *family, bool was_lost,
    bool is_lost, const char *new_address, uint64_t now_ms)
{
	int error = errno;

	if (is_lost == was_lost && !new_address)
		return;
	if (!ratelimit_allow(&outbound->log_limit, now_ms))
		return;
	if (new_address)
		log_info("outbound: interface %s has the %s address %s now: new "
			 "connections leave by it",
		    ifname, family, new_address);
	else if (is_lost)
		log_warning("outbound: interface %s %s: the guest's new %s connections "
			    "fail until it is back",
		    ifname, error == ENODEV ? "is gone" : "has lost its address", family);
	else
		log_info("outbound: interface %s has its %s address again", ifname,
		    family);
}

static void
look4(struct outbound *outbound, uint64_t now_ms)
{
	uint32_t addr_be = outbound->addresses.addr4_be;
	bool was_lost = outbound->is_lost4, is_new;
	char text[INET_ADDRSTRLEN];

	outbound->is_lost4 = !find4(outbound, &addr_be);
	is_new = addr_be != outbound->addresses.addr4_be;
	tell(outbound, outbound->ifname4, "IPv4", was_lost, outbound->is_lost4,
	    is_new ? inet_addr4_format(addr_be, text) : NULL, now_ms);
	outbound->addresses.addr4_be = addr_be;
	if (is_new)
		outbound->is_told = false;
}

static void
look6(struct outbound *outbound, uint64_t now_ms)
{
	struct in6_addr addr;
	bool was_lost = outbound->is_lost6, is_new;
	char text[INET6_ADDRSTRLEN];

	memcpy(&addr, outbound->addresses.addr6, IPC_ADDR6_LEN);
	outbound->is_lost6 = !find6(outbound, addr.s6_addr);
	is_new = memcmp(&addr, outbound->addresses.addr6, IPC_ADDR6_LEN) != 0;
	tell(outbound, outbound->ifname6, "IPv6", was_lost, outbound->is_lost6,
	    is_new ? inet_addr6_format(&addr, text) : NULL, now_ms);
	memcpy(outbound->addresses.addr6, &addr, IPC_ADDR6_LEN);
	if (is_new)
		outbound->is_told = false;
}

/* What happened is not read from the events: they may be lost when there are many (ENOBUFS,
 * netlink(7)), and the kernel knows how things are now. */
static void
drop_events(struct outbound *outbound)
{
	static _Alignas(struct nlmsghdr) char piece[PIECE_SIZE];

	for (int i = 0; i < N_EVENTS_MAX; i++)
		if (read(outbound->events_fd, piece, sizeof(piece)) == -1 &&
		    errno != ENOBUFS)
			return;
}

bool
parent_outbound_handle(struct outbound *outbound, bool fd_ready, uint64_t now_ms)
{
	if (fd_ready) {
		drop_events(outbound);
		outbound->look_due = true;
	}
	if ((!outbound->look_due && outbound->is_told) || now_ms < outbound->next_look_ms)
		return false;
	outbound->next_look_ms = now_ms + LOOK_INTERVAL_MS;
	outbound->look_due = false;
	if (outbound->ifname4)
		look4(outbound, now_ms);
	if (outbound->ifname6)
		look6(outbound, now_ms);
	return !outbound->is_told;
}
