/* UDP sockets of the real libslirp: which the guest may have, and whose datagrams open the way to
 * the host's loopback. In a network namespace. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "frames.h"
#include "slirp-worker/wire.h"
#include "worker_box.h"

#define GUEST4 "10.0.2.100"
#define GUEST6 "fd00::64"
#define DNS4 "10.0.2.3"
#define OUTSIDE4 "192.0.2.7"
#define OUTSIDE6 "2001:db8::7"
#define HOST_PORT 8001

/* Of this test's. */
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

static struct udp_end
end_of(const char *guest, uint16_t port)
{
	bool is_ip6 = strchr(guest, ':') != NULL;
	struct in6_addr address;

	inet_pton(is_ip6 ? AF_INET6 : AF_INET, guest, &address);
	return udp_end(is_ip6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4, address.s6_addr, port);
}

/* The guest sends a datagram. Whether it is admitted, and then it goes in. */
static bool
send_udp(const char *guest, uint16_t guest_port, const char *to)
{
	static struct frame frame;
	const struct udp_end end = end_of(guest, guest_port);
	bool is_dns = strcmp(to, DNS4) == 0;

	frame_udp(&frame, guest, guest_port, to, is_dns ? 53 : 9, NULL, 30);
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
	assert_int_equal(stack_sockets(worker->stack)->n_udp, n_udp + n_dns);
}

/* Its sockets, at last. Returns how many milliseconds it wants to be called after. */
static uint32_t
turn(void)
{
	struct pollset *set = &worker->pollset;
	uint32_t timeout_ms = UINT32_MAX;

	pollset_clear(set);
	stack_prepare_wait(worker->stack, set, &timeout_ms);
	relay_prepare_wait(&worker->relay, set, &timeout_ms, worker->now_ms);
	assert_int_not_equal(pollset_wait(set, 0), -1);
	stack_finish_wait(worker->stack, set, false);
	relay_finish_wait(&worker->relay, set, false, worker->now_ms);
	return timeout_ms;
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
	/* One's port is not the other's. */
	assert_false(send_udp(GUEST4, 1000, OUTSIDE4));
	assert_false(send_udp("10.0.2.101", 1001, OUTSIDE4));
	/* What is there goes on, wherever it sends. */
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
	/* It is for names alone. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
		TEST(test_new_flow_beyond_the_budget_is_not_admitted),
		TEST(test_flows_that_end_make_room),
		TEST(test_names_have_room_of_their_own),
		TEST(test_flow_of_a_name_that_goes_elsewhere_is_any),
#undef TEST
	};

	worker_box_enter_namespace();
	return cmocka_run_group_tests_name("udp_flows", tests, NULL, NULL);
}
