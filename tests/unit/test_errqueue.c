/* SPDX-License-Identifier: BSD-2-Clause */
/* The errors that the kernel queues for a socket: of this kernel, over lo of a namespace. */
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/auto.h"
#include "own_netns.h"
#include "slirp-worker/engine/errqueue.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/wire.h"

#define LO_MTU 1500
#define PATH_MTU 1300
#define WAIT_MS 20000
#define DATA "what the guest has sent"

static struct {
	bool is_ip6;
	int fd;   /* connected to closed */
	int held; /* has the port, and is connected elsewhere: the port is closed */
	union inaddr_sock own, closed;
	uint8_t bytes[100];
	size_t room; /* of bytes */
	ssize_t n;
	struct errqueue_error error;
} it;

static void
set(int level, int option, int value)
{
	assert_int_equal(setsockopt(it.fd, level, option, &value, sizeof(value)), 0);
}

static int
bound(union inaddr_sock *name)
{
	const struct inaddr lo = inaddr_loopback(it.is_ip6);
	socklen_t len = sizeof(*name);
	int fd = socket(it.is_ip6 ? AF_INET6 : AF_INET,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*name = inaddr_sock_make(&lo, 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, &name->any, inaddr_sock_len(&name->any)), 0);
	assert_int_equal(getsockname(fd, &name->any, &len), 0);
	return fd;
}

/* A socket with all options that the connector sets, and a peer that is not there. */
static void
begin(bool is_ip6)
{
	it.is_ip6 = is_ip6;
	it.room = sizeof(it.bytes);
	it.held = bound(&it.closed);
	assert_int_equal(connect(it.held, &it.closed.any,
			     inaddr_sock_len(&it.closed.any)),
	    0);
	it.fd = bound(&it.own);
	assert_int_equal(connect(it.fd, &it.closed.any, inaddr_sock_len(&it.closed.any)),
	    0);
	if (is_ip6) {
		set(IPPROTO_IPV6, IPV6_RECVERR, 1);
		set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	} else {
		set(IPPROTO_IP, IP_RECVERR, 1);
		set(IPPROTO_IP, IP_RECVTTL, 1);
		set(IPPROTO_IP, IP_RECVTOS, 1);
	}
}

static void
end(void)
{
	assert_int_equal(close(it.fd), 0);
	assert_int_equal(close(it.held), 0);
}

static void
take(void)
{
	struct iovec part = { it.bytes, it.room };

	it.n = errqueue_take(it.fd, it.is_ip6, &part, &it.error);
}

static void
wait_and_take(void)
{
	struct pollfd event = { .fd = it.fd };

	assert_int_equal(poll(&event, 1, WAIT_MS), 1);
	take();
}

/* The queue is empty, and the socket has no error left. */
static void
check_empty(void)
{
	int error = -1;
	socklen_t len = sizeof(error);

	take();
	assert_int_equal(it.n, -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(getsockopt(it.fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, 0);
}

static void
check_for_guest(int error, uint8_t type, uint8_t code, uint32_t mtu_bytes)
{
	const struct inaddr lo = inaddr_loopback(it.is_ip6);

	assert_int_equal(it.n, sizeof(DATA));
	assert_memory_equal(it.bytes, DATA, sizeof(DATA));
	assert_int_equal(it.error.error, error);
	assert_true(it.error.is_for_guest);
	assert_int_equal(it.error.icmp.type, type);
	assert_int_equal(it.error.icmp.code, code);
	assert_int_equal(it.error.icmp.mtu_bytes, mtu_bytes);
	assert_null(it.error.icmp.source);
	assert_true(inaddr_is_equal(&it.error.offender, &lo));
	assert_int_equal(it.error.own_mtu_bytes, 0);
	check_empty();
}

/* As a router: an ICMP error on a datagram of the socket. `more` is the field behind the
 * checksum. */
static void
answer(uint8_t type, uint8_t code, uint32_t more)
{
	const struct udphdr udp = {
		.source = htons(inaddr_sock_port(&it.own)),
		.dest = htons(inaddr_sock_port(&it.closed)),
		.len = htons(sizeof(udp) + sizeof(DATA)),
	};
	const struct iphdr ip4 = {
		.version = 4,
		.ihl = 5,
		.protocol = IPPROTO_UDP,
		.tot_len = htons(sizeof(ip4) + sizeof(udp) + sizeof(DATA)),
		.saddr = htonl(INADDR_LOOPBACK),
		.daddr = htonl(INADDR_LOOPBACK),
	};
	const struct ip6_hdr ip6 = {
		.ip6_vfc = 6 << 4,
		.ip6_nxt = IPPROTO_UDP,
		.ip6_plen = udp.len,
		.ip6_src = IN6ADDR_LOOPBACK_INIT,
		.ip6_dst = IN6ADDR_LOOPBACK_INIT,
	};
	uint8_t message[200] = { type, code }, *at = message + WIRE_ICMP_LEN;
	const struct inaddr lo = inaddr_loopback(it.is_ip6);
	const union inaddr_sock to = inaddr_sock_make(&lo, 0);
	autofd int fd = socket(to.any.sa_family, SOCK_RAW | SOCK_CLOEXEC,
	    it.is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	uint16_t sum;

	more = htonl(more);
	memcpy(message + 4, &more, sizeof(more));
	if (it.is_ip6)
		at = (uint8_t *)memcpy(at, &ip6, sizeof(ip6)) + sizeof(ip6);
	else
		at = (uint8_t *)memcpy(at, &ip4, sizeof(ip4)) + sizeof(ip4);
	at = (uint8_t *)memcpy(at, &udp, sizeof(udp)) + sizeof(udp);
	at = (uint8_t *)memcpy(at, DATA, sizeof(DATA)) + sizeof(DATA);
	/* The kernel sums ICMPv6. */
	sum = htons(checksum_finish(checksum_add(0, message, (size_t)(at - message))));
	if (!it.is_ip6)
		memcpy(message + WIRE_ICMP_CHECKSUM, &sum, sizeof(sum));
	assert_int_not_equal(fd, -1);
	assert_int_equal(sendto(fd, message, (size_t)(at - message), 0, &to.any,
			     inaddr_sock_len(&to.any)),
	    at - message);
}

static void
test_closed_port_is_told(void **state)
{
	(void)state;
	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		begin(is_ip6);
		check_empty();
		assert_int_equal(send(it.fd, DATA, sizeof(DATA), 0), sizeof(DATA));
		wait_and_take();
		check_for_guest(ECONNREFUSED, is_ip6 ? 1 : 3, is_ip6 ? 4 : 3, 0);
		end();
	}
}

static void
test_errors_of_routers_are_told(void **state)
{
	static const struct {
		bool is_ip6;
		uint8_t type, code;
		uint32_t more, mtu_bytes;
		int error;
	} errors[] = {
		{ false, 3, 1, 0, 0, EHOSTUNREACH },
		{ false, 3, 4, PATH_MTU, PATH_MTU, EMSGSIZE },
		{ false, 11, 0, 0, 0, EHOSTUNREACH },
		{ false, 12, 0, 0, 0, EPROTO },
		{ true, 1, 3, 0, 0, EHOSTUNREACH },
		{ true, 2, 0, PATH_MTU, PATH_MTU, EMSGSIZE },
		{ true, 3, 0, 0, 0, EHOSTUNREACH },
		{ true, 4, 0, 0, 0, EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		begin(errors[i].is_ip6);
		answer(errors[i].type, errors[i].code, errors[i].more);
		wait_and_take();
		check_for_guest(errors[i].error, errors[i].type, errors[i].code,
		    errors[i].mtu_bytes);
		end();
	}
}

/* The kernel's own error on a datagram that it has not sent tells the interface's MTU. */
static void
test_own_mtu_is_no_error_for_the_guest(void **state)
{
	static uint8_t data[LO_MTU];

	(void)state;
	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		begin(is_ip6);
		if (is_ip6)
			set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
		else
			set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
		assert_int_equal(send(it.fd, data, sizeof(data), 0), -1);
		assert_int_equal(errno, EMSGSIZE);
		wait_and_take();
		assert_int_equal(it.n, 0);
		assert_int_equal(it.error.error, EMSGSIZE);
		assert_false(it.error.is_for_guest);
		assert_int_equal(it.error.own_mtu_bytes, LO_MTU);
		check_empty();
		end();
	}
}

static void
test_quote_is_cut_to_its_room(void **state)
{
	(void)state;
	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		begin(is_ip6);
		it.room = 4;
		memset(it.bytes, 'x', sizeof(it.bytes));
		assert_int_equal(send(it.fd, DATA, sizeof(DATA), 0), sizeof(DATA));
		wait_and_take();
		assert_int_equal(it.n, 4);
		assert_memory_equal(it.bytes, "whatx", 5);
		assert_true(it.error.is_for_guest);
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_port_is_told),
		cmocka_unit_test(test_errors_of_routers_are_told),
		cmocka_unit_test(test_own_mtu_is_no_error_for_the_guest),
		cmocka_unit_test(test_quote_is_cut_to_its_room),
	};
	struct ifreq lo = { .ifr_name = "lo", .ifr_mtu = LO_MTU };
	autofd int fd = -1;

	own_netns_enter();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFMTU, &lo) == -1)
		return 1;
	return cmocka_run_group_tests_name("errqueue", tests, NULL, NULL);
}
