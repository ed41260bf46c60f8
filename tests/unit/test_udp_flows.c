/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP sockets of the real libslirp: the flows that the guest may have, and the datagrams
 * that allow answers to the host's loopback. Runs in a network namespace. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "frames.h"
#include "slirp-worker/wire/wire.h"
#include "worker_box.h"

#define GUEST4 "10.0.2.100"
#define GUEST6 "fd00::64"
#define DNS4 "10.0.2.3"
#define OUTSIDE4 "192.0.2.7"
#define OUTSIDE6 "2001:db8::7"
#define HOST4 "10.0.2.2"
#define HOST_PORT 8001

/* The destination of all datagrams but names. */
#define SINK_PORT 9

/* Limits of this test. */
#define N_UDP 20
#define N_DNS 5

static struct worker_box box;
static struct worker *const worker = &box.worker;
static struct budget *const budget = &box.worker.budget;
static int peer_fds[16];
static size_t n_peers;

static int
open_box(void **state)
{
	(void)state;
	worker_box_open(&box, true);
	budget->limit[BUDGET_UDP] = N_UDP;
	budget->limit[BUDGET_DNS] = N_DNS;
	stack_set_time(worker->stack, INT64_MAX / 2);
	return 0;
}

static int
close_box(void **state)
{
	(void)state;
	while (n_peers > 0)
		close(peer_fds[--n_peers]);
	worker_box_close(&box);
	return 0;
}

static struct flow_key
end_of(const char *guest, uint16_t port)
{
	bool is_ip6 = strchr(guest, ':') != NULL;
	struct in6_addr address;

	inet_pton(is_ip6 ? AF_INET6 : AF_INET, guest, &address);
	return flow_key_udp(is_ip6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4, address.s6_addr, port,
	    0);
}

/* Sends a datagram of the guest, if it is admitted. Returns whether it was. */
static bool
send_udp(const char *guest, uint16_t guest_port, const char *to)
{
	static struct frame frame;
	const struct flow_key end = end_of(guest, guest_port);
	bool is_dns = strcmp(to, DNS4) == 0;

	frame_udp(&frame, guest, guest_port, to, is_dns ? 53 : SINK_PORT, NULL, 30);
	if (!stack_admit_udp(worker->stack, &end, is_dns))
		return false;
	stack_input(worker->stack, frame.bytes, frame.len);
	return true;
}

static void
expect_used(uint32_t n_udp, uint32_t n_dns)
{
	assert_int_equal(budget->used[BUDGET_UDP], n_udp);
	assert_int_equal(budget->used[BUDGET_DNS], n_dns);
	assert_int_equal(stack_n_sockets(worker->stack), n_udp + n_dns);
}

/* Polls libslirp's sockets. Returns its timeout in milliseconds. */
static uint64_t
turn(void)
{
	struct pollset *set = &worker->pollset;
	uint64_t due_ms;

	pollset_clear(set);
	due_ms = engines_prepare(&worker->engines, set, worker->now_ms);
	assert_int_not_equal(pollset_wait(set, 0), -1);
	engines_finish(&worker->engines, set, false, worker->now_ms);
	return due_ms - worker->now_ms;
}

static void
test_new_flow_beyond_the_budget_is_not_admitted(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < N_UDP; i++)
		assert_true(send_udp(i % 2 ? GUEST4 : GUEST6, 1000 + i,
		    i % 2 ? OUTSIDE4 : OUTSIDE6));
	expect_used(N_UDP, 0);
	assert_false(send_udp(GUEST4, 2000, OUTSIDE4));
	assert_false(send_udp(GUEST6, 2000, OUTSIDE6));
	/* The same port of another address is another flow. */
	assert_false(send_udp(GUEST4, 1000, OUTSIDE4));
	assert_false(send_udp("10.0.2.101", 1001, OUTSIDE4));
	/* Existing flows go on, to any destination. */
	assert_true(send_udp(GUEST4, 1001, "192.0.2.8"));
	assert_true(send_udp(GUEST6, 1000, OUTSIDE6));
	expect_used(N_UDP, 0);
}

static void
test_flows_that_end_make_room(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < N_UDP; i++)
		assert_true(send_udp(GUEST4, 1000 + i, OUTSIDE4));
	/* libslirp keeps them for 240 seconds. */
	stack_set_time(worker->stack, INT64_MAX / 2 + INT64_C(241000000000));
	stack_go_on(worker->stack);
	turn();
	expect_used(0, 0);
	assert_true(send_udp(GUEST4, 2000, OUTSIDE4));
	expect_used(1, 0);
}

static void
test_names_have_room_of_their_own(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < N_UDP; i++)
		assert_true(send_udp(GUEST4, 1000 + i, OUTSIDE4));
	for (uint16_t i = 0; i < N_DNS; i++)
		assert_true(send_udp(GUEST4, 3000 + i, DNS4));
	expect_used(N_UDP, N_DNS);
	assert_false(send_udp(GUEST4, 4000, DNS4));
	assert_true(send_udp(GUEST4, 3000, DNS4));
	/* This socket is for names only. */
	assert_false(send_udp(GUEST4, 3000, OUTSIDE4));
	expect_used(N_UDP, N_DNS);
}

static void
test_flow_of_a_name_that_goes_elsewhere_is_any(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < N_DNS + 3; i++)
		assert_true(send_udp(GUEST4, 3000 + i, DNS4));
	expect_used(3, N_DNS);
	assert_true(send_udp(GUEST4, 3000, OUTSIDE4));
	expect_used(4, N_DNS - 1);
	assert_true(send_udp(GUEST4, 3000, DNS4));
	expect_used(4, N_DNS - 1);
}

static union inaddr_sock
loopback(bool is_ip6, uint32_t last, uint16_t port)
{
	const struct inaddr addr =
	    is_ip6 ? inaddr_loopback(true) : inaddr_from4(htonl(0x7f000000 + last));

	return inaddr_sock_make(&addr, port);
}

static union inaddr_sock
guest_address(bool is_ip6, uint16_t port)
{
	struct inaddr addr;

	assert_true(inaddr_parse(is_ip6 ? GUEST6 : GUEST4, &addr));
	return inaddr_sock_make(&addr, port);
}

static void
open_port(bool is_ip6, uint16_t guest_port)
{
	const union inaddr_sock host = loopback(is_ip6, 1, HOST_PORT);
	const union inaddr_sock guest = guest_address(is_ip6, guest_port);

	assert_int_equal(stack_port_open(worker->stack, &host.any, &guest.any, false), 0);
}

/* Sends from that address of the host's loopback. Returns the port. */
static uint16_t
send_from(const union inaddr_sock *from, const union inaddr_sock *to)
{
	union inaddr_sock own = *from;
	socklen_t len = sizeof(own);
	int fd = socket(from->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	peer_fds[n_peers++] = fd;
	assert_int_equal(bind(fd, &own.any, inaddr_sock_len(&own.any)), 0);
	assert_int_equal(getsockname(fd, &own.any, &len), 0);
	assert_int_equal(sendto(fd, "hi", 2, 0, &to->any, inaddr_sock_len(&to->any)), 2);
	return inaddr_sock_port(&own);
}

static bool
may_answer(bool is_ip6, uint16_t guest_port, uint16_t peer_port)
{
	const struct flow_key end = end_of(is_ip6 ? GUEST6 : GUEST4, guest_port);
	const struct flow_key key =
	    flow_key_udp(end.ethertype, end.guest_address, guest_port, peer_port);

	return gate_flows_find(&worker->gate.flows, &key, worker->now_ms);
}

static void
test_peer_on_the_loopback_may_be_answered(void **state)
{
	(void)state;
	for (int is_ip6 = 0; is_ip6 <= 1; is_ip6++) {
		const union inaddr_sock from = loopback(is_ip6, 1, 0);
		const union inaddr_sock to = loopback(is_ip6, 1, HOST_PORT);
		uint16_t port;

		open_port(is_ip6, 80);
		port = send_from(&from, &to);
		assert_false(may_answer(is_ip6, 80, port));
		turn();
		assert_true(may_answer(is_ip6, 80, port));
		assert_false(may_answer(!is_ip6, 80, port));
		assert_false(may_answer(is_ip6, 81, port));
		stack_port_close(worker->stack, &to.any);
		assert_false(may_answer(is_ip6, 80, port));
	}
}

/* The answer would go to 127.0.0.1, to another process on the port. */
static void
test_peer_at_another_loopback_address_may_not(void **state)
{
	const union inaddr_sock from = loopback(false, 2, 0),
				to = loopback(false, 1, HOST_PORT);
	uint16_t port;

	(void)state;
	open_port(false, 80);
	port = send_from(&from, &to);
	turn();
	assert_false(may_answer(false, 80, port));
}

/* Finds the socket with that port. */
static int
find_socket(uint16_t port)
{
	for (int fd = 0; fd < 100; fd++) {
		union inaddr_sock own = { 0 };
		socklen_t len = sizeof(own);

		if (getsockname(fd, &own.any, &len) == 0 &&
		    own.any.sa_family == AF_INET && inaddr_sock_port(&own) == port)
			return fd;
	}
	fail_msg("libslirp has no socket");
	return -1;
}

/* The host can reach the guest through forwards only. */
static void
test_who_finds_the_socket_of_a_flow_may_not(void **state)
{
	const union inaddr_sock sink = loopback(false, 1, SINK_PORT);
	union inaddr_sock flow = { 0 };
	socklen_t len = sizeof(flow);
	char byte;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	peer_fds[n_peers++] = fd;
	assert_int_equal(bind(fd, &sink.any, sizeof(sink.in)), 0);
	/* libslirp sends datagrams for the gateway to the loopback. */
	assert_true(send_udp(GUEST4, 1000, HOST4));
	assert_int_equal(recvfrom(fd, &byte, 1, MSG_DONTWAIT, &flow.any, &len), 1);
	assert_int_equal(sendto(fd, "hi", 2, 0, &flow.any, len), 2);
	turn();
	/* The datagram was taken. */
	fd = find_socket(inaddr_sock_port(&flow));
	assert_int_equal(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	assert_false(may_answer(false, 1000, SINK_PORT));
}

/* Datagrams from a relay are for its peers. */
static void
test_who_finds_the_inner_port_of_a_relay_may_not(void **state)
{
	(void)state;
	for (int is_ip6 = 0; is_ip6 <= 1; is_ip6++) {
		const union inaddr_sock from = loopback(is_ip6, 1, 0);
		const union inaddr_sock host = loopback(!is_ip6, 1, HOST_PORT);
		const union inaddr_sock guest = guest_address(is_ip6, 80);
		const union inaddr_sock outside = loopback(!is_ip6, 1, 0);
		struct relay *relay = &worker->relay;
		union inaddr_sock own = { 0 };
		socklen_t len = sizeof(own);
		uint16_t port;

		assert_int_equal(relay_open(relay, &host.any, &guest.any), 0);
		port = send_from(&from, &relay->ports[0].inner);
		turn();
		assert_false(may_answer(is_ip6, 80, port));
		/* A peer of the relay, until it is forgotten. */
		send_from(&outside, &host);
		turn();
		assert_int_equal(relay->udp.n, 1);
		getsockname(relay->udp.peers[0].fd, &own.any, &len);
		port = inaddr_sock_port(&own);
		assert_true(may_answer(is_ip6, 80, port));
		relay_close(relay, &host.any);
		assert_false(may_answer(is_ip6, 80, port));
		turn();
		assert_false(may_answer(is_ip6, 80, port));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
		TEST(test_new_flow_beyond_the_budget_is_not_admitted),
		TEST(test_flows_that_end_make_room),
		TEST(test_names_have_room_of_their_own),
		TEST(test_flow_of_a_name_that_goes_elsewhere_is_any),
		TEST(test_peer_on_the_loopback_may_be_answered),
		TEST(test_peer_at_another_loopback_address_may_not),
		TEST(test_who_finds_the_socket_of_a_flow_may_not),
		TEST(test_who_finds_the_inner_port_of_a_relay_may_not),
#undef TEST
	};

	worker_box_enter_namespace();
	return cmocka_run_group_tests_name("udp_flows", tests, NULL, NULL);
}
