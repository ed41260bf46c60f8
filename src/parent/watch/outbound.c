/* SPDX-License-Identifier: BSD-2-Clause */
/* The source addresses of --outbound-addr and --outbound-addr6. */
#include "parent/watch/outbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/inet.h"
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

static bool
find4(struct outbound *outbound, uint32_t *addr_be)
{
	struct hostaddr address = { .len = sizeof(*addr_be) };

	memcpy(address.bytes, addr_be, sizeof(*addr_be));
	if (!parent_hostaddr_find(outbound->query_fd, outbound->ifname4, AF_INET,
		&address))
		return false;
	memcpy(addr_be, address.bytes, sizeof(*addr_be));
	return true;
}

static bool
find6(struct outbound *outbound, uint8_t addr[IPC_ADDR6_LEN])
{
	struct hostaddr address = { .len = IPC_ADDR6_LEN };

	memcpy(address.bytes, addr, IPC_ADDR6_LEN);
	if (!parent_hostaddr_find(outbound->query_fd, outbound->ifname6, AF_INET6,
		&address))
		return false;
	memcpy(addr, address.bytes, IPC_ADDR6_LEN);
	return true;
}

static _Noreturn void
fail(const char *option, const char *value)
{
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
	/* Open the socket for events first: then no change is missed. */
	outbound->events_fd =
	    parent_hostaddr_open(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	outbound->query_fd = parent_hostaddr_open(0);
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

/* Logs how an interface has changed, if it has. */
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

bool
parent_outbound_handle(struct outbound *outbound, bool fd_ready, uint64_t now_ms)
{
	if (fd_ready) {
		parent_hostaddr_drop_events(outbound->events_fd);
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
