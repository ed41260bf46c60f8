/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwards on the kernel's real ports, in a network namespace. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/clock.h"
#include "connector_box.h"
#include "own_netns.h"

/* A millisecond passes with each look at the clock. The linker replaces clock_gettime(2) by this
 * (--wrap=clock_gettime). */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	static uint64_t now_ms;

	(void)clock;
	*now = clock_timespec(++now_ms);
	return 0;
}

static struct connector_box box;
static struct forwards *const forwards = &box.connector.forwards;

static int
open_box(void **state)
{
	(void)state;
	connector_box_open(&box);
	return 0;
}

static int
close_box(void **state)
{
	(void)state;
	connector_box_close(&box);
	return 0;
}

static struct ipc_forward
make_forward(uint8_t proto, const char *host, uint16_t first, uint16_t last,
    const char *guest, uint16_t guest_first)
{
	struct ipc_forward forward = {
		.proto = proto,
		.host_port_first = first,
		.host_port_last = last,
		.guest_port_first = guest_first,
	};

	assert_true(inaddr_parse(host, &forward.host_addr));
	assert_true(inaddr_parse(guest, &forward.guest_addr));
	return forward;
}

static const struct ipc_forward_result *
add_forward(const struct ipc_forward *forward)
{
	forwards_add(forwards, forward);
	while (!forwards_proceed(forwards))
		continue;
	return &forwards->change.result;
}

static const struct ipc_forward_result *
add(uint8_t proto, const char *host, uint16_t first, uint16_t last, const char *guest)
{
	struct ipc_forward forward = make_forward(proto, host, first, last, guest, 80);

	return add_forward(&forward);
}

static uint32_t
add_well(uint8_t proto, const char *host, uint16_t first, uint16_t last,
    const char *guest)
{
	const struct ipc_forward_result *result = add(proto, host, first, last, guest);

	assert_int_equal(result->outcome, IPC_FORWARD_done);
	assert_int_equal(result->error, 0);
	assert_int_equal(result->port, 0);
	assert_int_equal(result->conflict_id, 0);
	assert_int_not_equal(result->id, 0);
	return result->id;
}

static enum ipc_forward_outcome
remove_forward(uint32_t id)
{
	forwards_remove(forwards, id);
	while (!forwards_proceed(forwards))
		continue;
	return forwards->change.result.outcome;
}

/* Binds a socket of another program; -1 with errno set if that fails. */
static int
bind_other(uint8_t proto, const char *host, uint16_t port, bool reuse)
{
	autofd int fd = -1;
	union inaddr_sock sock;
	struct inaddr addr;
	int yes = 1;

	assert_true(inaddr_parse(host, &addr));
	sock = inaddr_sock_make(&addr, port);
	fd = socket(sock.any.sa_family, proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM,
	    0);
	assert_int_not_equal(fd, -1);
	if (addr.is_ipv6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (reuse)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, &sock.any, inaddr_sock_len(&sock.any)) == -1)
		return -1;
	if (proto == IPPROTO_TCP)
		assert_int_equal(listen(fd, 1), 0);
	return take_fd(&fd);
}

static bool
is_free(uint8_t proto, const char *host, uint16_t port)
{
	int fd = bind_other(proto, host, port, false);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static size_t
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void
test_ids_count_from_1_and_are_not_used_twice(void **state)
{
	(void)state;
	assert_int_equal(add_well(IPPROTO_TCP, "127.0.0.1", 8001, 8001, "0.0.0.0"), 1);
	assert_int_equal(add_well(IPPROTO_UDP, "127.0.0.1", 8001, 8001, "0.0.0.0"), 2);
	/* A failed forward does not use an id. */
	assert_int_equal(add(IPPROTO_TCP, "127.0.0.1", 8001, 8001, "0.0.0.0")->outcome,
	    IPC_FORWARD_in_use_by_forward);
	assert_int_equal(remove_forward(2), IPC_FORWARD_done);
	assert_int_equal(add_well(IPPROTO_UDP, "127.0.0.1", 8001, 8001, "0.0.0.0"), 3);
	assert_int_equal(forwards->table->n, 2);
	assert_int_equal(remove_forward(2), IPC_FORWARD_no_such_forward);
	assert_int_equal(remove_forward(0), IPC_FORWARD_no_such_forward);
	assert_int_equal(remove_forward(4), IPC_FORWARD_no_such_forward);
	assert_int_equal(remove_forward(UINT32_MAX), IPC_FORWARD_no_such_forward);
}

static void
test_every_kind_takes_its_port_and_gives_it_back(void **state)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	static const char *const hosts[] = { "127.0.0.1", "0.0.0.0", "::1", "::" };
	static const char *const guests[] = { "10.0.2.100", "fd00::100" };
	size_t n_fds = count_fds();

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		for (size_t h = 0; h < 8; h++) {
			const char *host = hosts[h / 2];
			uint32_t id =
			    add_well(protos[p], host, 8001, 8001, guests[h % 2]);

			assert_false(is_free(protos[p], host, 8001));
			assert_int_equal(remove_forward(id), IPC_FORWARD_done);
			assert_true(is_free(protos[p], host, 8001));
		}
	}
	assert_int_equal(count_fds(), n_fds);
	assert_int_equal(forwards->budget.used[BUDGET_PORT], 0);
}

static void
test_range_is_all_or_nothing(void **state)
{
	static const struct {
		uint8_t proto;
		const char *host, *guest;
	} cases[] = {
		{ IPPROTO_TCP, "127.0.0.1", "0.0.0.0" },
		{ IPPROTO_UDP, "127.0.0.1", "0.0.0.0" },
		{ IPPROTO_TCP, "::1", "0.0.0.0" },
		{ IPPROTO_UDP, "::1", "0.0.0.0" },
	};
	size_t n_fds = count_fds();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int other_fd = bind_other(cases[i].proto, cases[i].host, 8050, false);
		const struct ipc_forward_result *result =
		    add(cases[i].proto, cases[i].host, 8001, 8099, cases[i].guest);

		assert_int_equal(result->outcome, IPC_FORWARD_in_use);
		assert_int_equal(result->error, EADDRINUSE);
		assert_int_equal(result->port, 8050);
		assert_int_equal(result->id, 0);
		close(other_fd);
		assert_int_equal(count_fds(), n_fds);
		assert_int_equal(forwards->table->n, i);
		add_well(cases[i].proto, cases[i].host, 8001, 8099, cases[i].guest);
		for (uint16_t port = 8001; port <= 8099; port++)
			assert_false(is_free(cases[i].proto, cases[i].host, port));
		n_fds = count_fds();
	}
	assert_int_equal(forwards->budget.used[BUDGET_PORT], 4 * 99);
}

/* Thousands of ports must not delay a packet. */
static void
test_long_range_is_opened_and_closed_in_slices(void **state)
{
	struct ipc_forward forward =
	    make_forward(IPPROTO_TCP, "127.0.0.1", 8001, 8900, "0.0.0.0", 1);
	int n_slices = 0;

	(void)state;
	forwards_add(forwards, &forward);
	while (!forwards_proceed(forwards)) {
		assert_int_equal(forwards->table->n, 0);
		n_slices++;
	}
	assert_int_equal(n_slices, 900 / FORWARDS_SLICE_MS);
	assert_int_equal(forwards->change.result.outcome, IPC_FORWARD_done);
	assert_int_equal(forwards->budget.used[BUDGET_PORT], 900);

	n_slices = 0;
	forwards_remove(forwards, 1);
	while (!forwards_proceed(forwards)) {
		assert_int_equal(forwards->table->n, 1);
		n_slices++;
	}
	assert_int_equal(n_slices, 900 / FORWARDS_SLICE_MS);
	assert_int_equal(forwards->table->n, 0);
	assert_int_equal(forwards->budget.used[BUDGET_PORT], 0);
}

static void
test_forward_in_the_way_is_named(void **state)
{
	const struct {
		uint8_t proto;
		const char *host;
		uint16_t first, last;
		uint32_t conflict_id; /* 0: none */
		uint16_t port;
	} cases[] = {
		{ IPPROTO_TCP, "127.0.0.1", 8010, 8010, 1, 8010 },
		{ IPPROTO_TCP, "0.0.0.0", 8010, 8010, 1, 8010 },
		{ IPPROTO_TCP, "127.0.0.1", 8000, 8010, 1, 8010 },
		{ IPPROTO_TCP, "127.0.0.1", 8019, 8030, 1, 8019 },
		{ IPPROTO_TCP, "127.0.0.1", 8000, 8030, 1, 8010 },
		{ IPPROTO_TCP, "127.0.0.1", 8009, 8009, 0, 0 },
		{ IPPROTO_TCP, "127.0.0.1", 8020, 8020, 0, 0 },
		{ IPPROTO_TCP, "127.0.0.2", 8010, 8010, 0, 0 },
		{ IPPROTO_TCP, "::1", 8010, 8010, 0, 0 },
		{ IPPROTO_TCP, "::", 8011, 8011, 0, 0 },
		{ IPPROTO_UDP, "127.0.0.1", 8010, 8010, 0, 0 },
		{ IPPROTO_UDP, "127.0.0.7", 9000, 9000, 2, 9000 },
		{ IPPROTO_TCP, "127.0.0.7", 9000, 9000, 0, 0 },
		{ IPPROTO_TCP, "::1", 9100, 9100, 3, 9100 },
	};

	(void)state;
	add_well(IPPROTO_TCP, "127.0.0.1", 8010, 8019, "0.0.0.0");
	add_well(IPPROTO_UDP, "0.0.0.0", 9000, 9000, "0.0.0.0");
	add_well(IPPROTO_TCP, "::", 9100, 9100, "::");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ipc_forward_result *result =
		    add(cases[i].proto, cases[i].host, cases[i].first, cases[i].last,
			strchr(cases[i].host, ':') ? "::" : "0.0.0.0");

		assert_int_equal(result->outcome,
		    cases[i].conflict_id ? IPC_FORWARD_in_use_by_forward
					 : IPC_FORWARD_done);
		assert_int_equal(result->conflict_id, cases[i].conflict_id);
		assert_int_equal(result->port, cases[i].port);
		if (result->id)
			assert_int_equal(remove_forward(result->id), IPC_FORWARD_done);
	}
}

/* socket(7): UDP sockets that all set SO_REUSEADDR share a port, and the last one bound
 * gets the datagrams. A forward must not share its port in this way. */
static void
test_udp_port_is_not_shared(void **state)
{
	int other_fd = bind_other(IPPROTO_UDP, "0.0.0.0", 8001, true);

	(void)state;
	assert_int_equal(add(IPPROTO_UDP, "127.0.0.1", 8001, 8001, "0.0.0.0")->outcome,
	    IPC_FORWARD_in_use);
	close(other_fd);
	add_well(IPPROTO_UDP, "127.0.0.1", 8001, 8001, "0.0.0.0");
	add_well(IPPROTO_UDP, "::", 8001, 8001, "::");
	assert_int_equal(bind_other(IPPROTO_UDP, "127.0.0.1", 8001, true), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(bind_other(IPPROTO_UDP, "0.0.0.0", 8001, true), -1);
	assert_int_equal(bind_other(IPPROTO_UDP, "::1", 8001, true), -1);
}

static void
test_tcp_port_of_another_program(void **state)
{
	int other_fd = bind_other(IPPROTO_TCP, "127.0.0.1", 8001, true);
	const struct ipc_forward_result *result;

	(void)state;
	result = add(IPPROTO_TCP, "0.0.0.0", 8001, 8001, "0.0.0.0");
	assert_int_equal(result->outcome, IPC_FORWARD_in_use);
	assert_int_equal(result->conflict_id, 0);
	assert_int_equal(result->port, 8001);
	/* The same port of another address is free. */
	add_well(IPPROTO_TCP, "127.0.0.2", 8001, 8001, "0.0.0.0");
	add_well(IPPROTO_TCP, "::", 8001, 8001, "::");
	close(other_fd);
}

static void
test_address_that_the_host_does_not_have(void **state)
{
	const struct ipc_forward_result *result;

	(void)state;
	result = add(IPPROTO_TCP, "192.0.2.1", 8001, 8001, "0.0.0.0");
	assert_int_equal(result->outcome, IPC_FORWARD_no_such_address);
	assert_int_equal(result->error, EADDRNOTAVAIL);
	assert_int_equal(add(IPPROTO_UDP, "2001:db8::1", 8001, 8001, "::")->outcome,
	    IPC_FORWARD_no_such_address);
}

static void
assert_udp_port_of(const char *guest, uint16_t guest_port, uint16_t expected)
{
	struct inaddr addr;

	assert_true(inaddr_parse(guest, &addr));
	assert_int_equal(forwards_udp_port_of(forwards, &addr, guest_port), expected);
}

static void
test_udp_port_of_a_guest_s_port(void **state)
{
	(void)state;
	add_well(IPPROTO_UDP, "0.0.0.0", 8100, 8103, "10.0.2.15");
	add_well(IPPROTO_TCP, "0.0.0.0", 8200, 8200, "10.0.2.15");
	add_well(IPPROTO_UDP, "127.0.0.1", 8300, 8300, "10.0.2.15");
	/* The guest's ports begin at 80. */
	assert_udp_port_of("10.0.2.15", 80, 8100);
	assert_udp_port_of("10.0.2.15", 83, 8103);
	assert_udp_port_of("10.0.2.15", 79, 0);
	assert_udp_port_of("10.0.2.15", 84, 0);
	assert_udp_port_of("10.0.2.16", 80, 0);
	assert_udp_port_of("::ffff:10.0.2.15", 80, 0);
	/* Forwards of TCP, and of one address of the host, do not count. */
	forwards_remove(forwards, 1);
	while (!forwards_proceed(forwards))
		continue;
	assert_udp_port_of("10.0.2.15", 80, 0);
}

static void
test_guest_addresses(void **state)
{
	static const struct {
		const char *guest;
		bool is_good;
	} cases[] = {
		{ "0.0.0.0", true }, /* its own */
		{ "10.0.2.100", true },
		{ "10.0.2.15", true },
		{ "10.0.2.254", true },
		{ "10.0.2.0", false },   /* the network */
		{ "10.0.2.255", false }, /* its broadcast address */
		{ "10.0.2.2", false },   /* the gateway */
		{ "10.0.2.3", false },   /* the name server */
		{ "10.0.3.100", false },
		{ "127.0.0.1", false },
		{ "255.255.255.255", false },
		{ "224.0.0.1", false },
		{ "::", true }, /* its own */
		{ "fd00::100", true },
		{ "fd00::5054:ff:fe12:3456", true },
		{ "fd00::", false },
		{ "fd00::2", false },
		{ "fd00::3", false },
		{ "fd00:0:0:1::100", false },
		{ "fe80::100", false },
		{ "::1", false },
		{ "ff02::1", false },
		{ "::ffff:10.0.2.100", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_ipv6 = strchr(cases[i].guest, ':') != NULL;
		const struct ipc_forward_result *result = add(IPPROTO_UDP,
		    is_ipv6 ? "::1" : "127.0.0.1", 8001, 8001, cases[i].guest);

		if ((result->outcome == IPC_FORWARD_done) != cases[i].is_good)
			fail_msg("%s: outcome %u", cases[i].guest, result->outcome);
		if (cases[i].is_good)
			remove_forward(result->id);
		else
			assert_int_equal(result->outcome, IPC_FORWARD_bad_guest_address);
	}
}

/* The forward has the address that was filled in. */
static void
test_guests_own_address_is_filled_in(void **state)
{
	struct ipc_forwards_page page = { 0 };
	struct ipc_forward expected;

	(void)state;
	add_well(IPPROTO_TCP, "127.0.0.1", 8001, 8001, "0.0.0.0");
	add_well(IPPROTO_TCP, "::1", 8001, 8001, "::");
	forwards_fill_page(forwards, 0, &page);
	assert_int_equal(page.n, 2);
	expected = make_forward(IPPROTO_TCP, "127.0.0.1", 8001, 8001, "10.0.2.100", 80);
	assert_memory_equal(&page.entries[0].forward, &expected, sizeof(expected));
	expected = make_forward(IPPROTO_TCP, "::1", 8001, 8001, "fd00::64", 80);
	assert_memory_equal(&page.entries[1].forward, &expected, sizeof(expected));
}

static void
test_guest_without_a_known_ipv6_address(void **state)
{
	(void)state;
	forwards->guest6 = in6addr_any;
	assert_int_equal(add(IPPROTO_TCP, "::1", 8001, 8001, "::")->outcome,
	    IPC_FORWARD_bad_guest_address);
	add_well(IPPROTO_TCP, "::1", 8001, 8001, "fd00::100");
}

static void
test_ipv6_is_off(void **state)
{
	(void)state;
	box.connector.rules.network.enable_ipv6 = 0;
	assert_int_equal(add(IPPROTO_TCP, "::", 8001, 8001, "::")->outcome,
	    IPC_FORWARD_ipv6_is_off);
	assert_int_equal(add(IPPROTO_TCP, "0.0.0.0", 8001, 8001, "::")->outcome,
	    IPC_FORWARD_ipv6_is_off);
	/* Only the guest's IPv6 is off. */
	add_well(IPPROTO_TCP, "::", 8001, 8001, "0.0.0.0");
	add_well(IPPROTO_TCP, "0.0.0.0", 8001, 8001, "0.0.0.0");
}

static void
test_out_of_descriptors_is_the_kernels_word(void **state)
{
	const struct ipc_forward_result *result;
	size_t n_fds = count_fds();

	(void)state;
	/* More ports than the soft limit allows. */
	result = add(IPPROTO_TCP, "127.0.0.1", 8001, 10000, "0.0.0.0");
	assert_int_equal(result->outcome, IPC_FORWARD_system_error);
	assert_int_equal(result->error, EMFILE);
	assert_int_not_equal(result->port, 0);
	assert_int_equal(count_fds(), n_fds);
	add_well(IPPROTO_TCP, "127.0.0.1", 8001, 8001, "0.0.0.0");
}

static void
test_table_has_a_limit(void **state)
{
	(void)state;
	/* Pretends that the ports are open. */
	forwards->budget.used[BUDGET_PORT] = FORWARDS_PORTS_MAX - 2;
	forwards->budget.limit[BUDGET_PORT] = FORWARDS_PORTS_MAX;
	forwards->budget.n_shared = FORWARDS_PORTS_MAX;
	assert_int_equal(add(IPPROTO_TCP, "127.0.0.1", 8001, 8003, "0.0.0.0")->outcome,
	    IPC_FORWARD_table_full);
	add_well(IPPROTO_TCP, "127.0.0.1", 8001, 8002, "0.0.0.0");
	forwards->budget.used[BUDGET_PORT] = 2;
	forwards->last_id = UINT32_MAX;
	assert_int_equal(add(IPPROTO_TCP, "127.0.0.1", 8003, 8003, "0.0.0.0")->outcome,
	    IPC_FORWARD_table_full);
}

static void
test_pages_go_through_all_forwards_once(void **state)
{
	struct ipc_forwards_page page = { 0 };
	uint32_t after_id = 0, n = 0;

	(void)state;
	for (uint16_t i = 0; i < 100; i++)
		add_well(IPPROTO_UDP, "127.0.0.1", (uint16_t)(8000 + i),
		    (uint16_t)(8000 + i), "0.0.0.0");
	for (uint32_t id = 1; id <= 100; id += 3)
		assert_int_equal(remove_forward(id), IPC_FORWARD_done);
	do {
		memset(&page, 0, sizeof(page));
		forwards_fill_page(forwards, after_id, &page);
		for (uint32_t i = 0; i < page.n; i++) {
			assert_true(page.entries[i].id > after_id);
			assert_int_not_equal(page.entries[i].id % 3, 1);
			assert_int_equal(page.entries[i].forward.host_port_first,
			    8000 + page.entries[i].id - 1);
			after_id = page.entries[i].id;
		}
		n += page.n;
	} while (page.has_more);
	assert_int_equal(n, 66);
	assert_int_equal(forwards->table->n, 66);
}

static void
test_backlog_is_long(void **state)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int n_listening = 0;

	(void)state;
	add_well(IPPROTO_TCP, "127.0.0.1", 8001, 8002, "0.0.0.0");
	add_well(IPPROTO_TCP, "::", 8001, 8002, "::");
	for (int fd = 0; fd < 100; fd++) {
		int listens = 0;
		socklen_t listens_len = sizeof(listens);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) ==
			-1 ||
		    !listens)
			continue;
		n_listening++;
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
		/* For a socket that listens: its backlog (net/ipv4/tcp.c). */
		assert_int_equal(info.tcpi_sacked, 4096);
	}
	assert_int_equal(n_listening, 4);
}

static void
test_socket_of_a_udp_forward_keeps_groups_off_the_host(void **state)
{
	int n = 0;

	(void)state;
	add_well(IPPROTO_UDP, "0.0.0.0", 8001, 8001, "0.0.0.0");
	for (int fd = 0; fd < 100; fd++) {
		int proto = 0, loops = 1;
		socklen_t proto_len = sizeof(proto), loops_len = sizeof(loops);

		if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &proto_len) == -1 ||
		    proto != IPPROTO_UDP)
			continue;
		assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loops,
				     &loops_len),
		    0);
		assert_int_equal(loops, 0);
		n++;
	}
	assert_int_equal(n, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
	/* Enough for all tests but test_out_of_descriptors_is_the_kernels_word. */
	const struct rlimit files = { .rlim_cur = 2048, .rlim_max = 2048 };
	const struct CMUnitTest tests[] = {
		TEST(test_ids_count_from_1_and_are_not_used_twice),
		TEST(test_every_kind_takes_its_port_and_gives_it_back),
		TEST(test_range_is_all_or_nothing),
		TEST(test_udp_port_of_a_guest_s_port),
		TEST(test_long_range_is_opened_and_closed_in_slices),
		TEST(test_forward_in_the_way_is_named),
		TEST(test_udp_port_is_not_shared),
		TEST(test_tcp_port_of_another_program),
		TEST(test_address_that_the_host_does_not_have),
		TEST(test_guest_addresses),
		TEST(test_guests_own_address_is_filled_in),
		TEST(test_guest_without_a_known_ipv6_address),
		TEST(test_ipv6_is_off),
		TEST(test_out_of_descriptors_is_the_kernels_word),
		TEST(test_table_has_a_limit),
		TEST(test_pages_go_through_all_forwards_once),
		TEST(test_backlog_is_long),
		TEST(test_socket_of_a_udp_forward_keeps_groups_off_the_host),
	};

	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return 1;
	own_netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
