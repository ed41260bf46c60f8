/* SPDX-License-Identifier: BSD-2-Clause */
/* The source addresses of --outbound-addr and --outbound-addr6. */
#include "parent/watch/outbound.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/inaddr.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/watch/hostaddr.h"

/* Hosts with containers make and remove interfaces all day, and each look lists all
 * addresses. So look at most once a second. */
#define LOOK_INTERVAL_MS 1000

/* The limit on lines about an interface that comes and goes: a client may keep our output
 * in memory. */
#define LOG_BURST 16
#define LOG_INTERVAL_MS (5 * 60 * 1000)

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

static _Noreturn void
fail(bool is_ipv6, const char *value)
{
	const char *option = is_ipv6 ? "outbound-addr6" : "outbound-addr";
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
try_to_bind(const struct inaddr *addr)
{
	const union inaddr_sock sock = inaddr_sock_make(addr, 0);
	autofd int fd = socket(sock.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd == -1 ? -1 : bind(fd, &sock.any, inaddr_sock_len(&sock.any));
}

static void
find_address(struct outbound *outbound, bool is_ipv6, const char *value)
{
	struct inaddr *addr = &outbound->addresses.addr[is_ipv6];

	outbound->addresses.has_addr[is_ipv6] = 1;
	if (inaddr_parse(value, addr) && addr->is_ipv6 == is_ipv6) {
		if (try_to_bind(addr) == -1)
			fail(is_ipv6, value);
		return;
	}
	*addr = (struct inaddr){ .is_ipv6 = is_ipv6 };
	outbound->ifname[is_ipv6] = value;
	if (!parent_hostaddr_find(outbound->query_fd, value, addr))
		fail(is_ipv6, value);
}

void
parent_outbound_open(struct outbound *outbound, const struct options *options)
{
	const char *const *values = options->outbound_addr;

	if (!values[0] && !values[1])
		return;
	/* Open the socket for events first: then no change is missed. */
	outbound->events_fd =
	    parent_hostaddr_open(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	outbound->query_fd = parent_hostaddr_open(0);
	if (outbound->events_fd == -1 || outbound->query_fd == -1)
		fatal("ask the kernel for the host's addresses (rtnetlink)");
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		if (values[is_ipv6])
			find_address(outbound, is_ipv6, values[is_ipv6]);
	if (outbound->ifname[0] || outbound->ifname[1])
		return;
	close(take_fd(&outbound->events_fd));
	close(take_fd(&outbound->query_fd));
}

int
parent_outbound_fd(const struct outbound *outbound)
{
	return outbound->events_fd;
}

uint64_t
parent_outbound_due_ms(const struct outbound *outbound)
{
	return outbound->look_due || !outbound->is_told ? outbound->next_look_ms
							: DEADLINE_NONE;
}

/* Logs how the interface has changed, if it has. error is the reason of a loss. */
static void
tell(struct outbound *outbound, bool is_ipv6, bool was_lost, bool is_new, int error,
    uint64_t now_ms)
{
	const char *family = is_ipv6 ? "IPv6" : "IPv4";
	const char *ifname = outbound->ifname[is_ipv6];
	bool is_lost = outbound->is_lost[is_ipv6];
	char text[INET6_ADDRSTRLEN];

	if (is_lost == was_lost && !is_new)
		return;
	if (!ratelimit_allow(&outbound->log_limit, now_ms))
		return;
	if (is_new)
		log_info("outbound: interface %s has the %s address %s now: new "
			 "connections leave by it",
		    ifname, family,
		    inaddr_format(&outbound->addresses.addr[is_ipv6], text));
	else if (is_lost)
		log_warning("outbound: interface %s %s: the guest's new %s connections "
			    "fail until it is back",
		    ifname, error == ENODEV ? "is gone" : "has lost its address", family);
	else
		log_info("outbound: interface %s has its %s address again", ifname,
		    family);
}

static void
look(struct outbound *outbound, bool is_ipv6, uint64_t now_ms)
{
	struct inaddr *addr = &outbound->addresses.addr[is_ipv6];
	const struct inaddr before = *addr;
	bool was_lost = outbound->is_lost[is_ipv6], is_new;

	outbound->is_lost[is_ipv6] =
	    !parent_hostaddr_find(outbound->query_fd, outbound->ifname[is_ipv6], addr);
	is_new = !inaddr_is_equal(addr, &before);
	tell(outbound, is_ipv6, was_lost, is_new, errno, now_ms);
	if (is_new)
		outbound->is_told = false;
}

bool
parent_outbound_handle(struct outbound *outbound, bool fd_ready, uint64_t now_ms)
{
	if (fd_ready) {
		parent_hostaddr_drop_events(outbound->events_fd);
		outbound->look_due = true;
	}
	if (now_ms < parent_outbound_due_ms(outbound))
		return false;
	outbound->next_look_ms = now_ms + LOOK_INTERVAL_MS;
	outbound->look_due = false;
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		if (outbound->ifname[is_ipv6])
			look(outbound, is_ipv6, now_ms);
	return !outbound->is_told;
}
