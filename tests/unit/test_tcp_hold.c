/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of forwards that wait for the guest's MAC. */
#include "slirp-worker/engine/forward/tcp_hold.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/deadline.h"

#define NOW_MS 1000

static struct tcp_hold hold;

static int
begin(void **state)
{
	(void)state;
	hold = (struct tcp_hold){ 0 };
	return 0;
}

static struct inaddr
guest(unsigned int number)
{
	return inaddr_from4(htonl(0x0a000200 + number));
}

static void
add(unsigned int number, int fd)
{
	const struct peer_incoming incoming = { .guest = guest(number), .fd = fd };

	assert_true(tcp_hold_has_room(&hold, &incoming.guest));
	tcp_hold_add(&hold, &incoming, NOW_MS);
}

static void
expect_taken(unsigned int number, int fd)
{
	const struct inaddr addr = guest(number);
	struct peer_incoming incoming;

	assert_true(tcp_hold_take(&hold, &addr, &incoming));
	assert_int_equal(incoming.fd, fd);
	assert_true(inaddr_is_equal(&incoming.guest, &addr));
}

static void
expect_none(unsigned int number)
{
	const struct inaddr addr = guest(number);
	struct peer_incoming incoming;

	assert_false(tcp_hold_take(&hold, &addr, &incoming));
}

static void
test_connections_come_out_in_order_by_address(void **state)
{
	(void)state;
	add(1, 10);
	add(2, 20);
	add(1, 11);
	add(3, 30);
	add(2, 21);
	assert_int_equal(hold.n_wanted, 3);
	expect_taken(2, 20);
	expect_taken(1, 10);
	expect_taken(1, 11);
	expect_none(1);
	expect_taken(2, 21);
	expect_none(2);
	expect_taken(3, 30);
	assert_int_equal(hold.n_held, 0);
	assert_int_equal(hold.n_wanted, 0);
	assert_true(tcp_hold_due(&hold) == DEADLINE_NONE);
}

static void
test_three_requests_then_the_end(void **state)
{
	struct tcp_wanted *wanted = &hold.wanted[0];
	uint64_t now_ms = NOW_MS;

	(void)state;
	add(1, 10);
	for (int i = 0; i < TCP_HOLD_ASKS; i++) {
		assert_true(tcp_hold_due(&hold) == now_ms);
		assert_int_equal(tcp_hold_look(wanted, now_ms), TCP_HOLD_ASK);
		tcp_hold_asked(wanted, true, now_ms);
		assert_int_equal(tcp_hold_look(wanted, now_ms), TCP_HOLD_WAIT);
		now_ms += TCP_HOLD_ASK_MS;
		assert_int_equal(tcp_hold_look(wanted, now_ms - 1), TCP_HOLD_WAIT);
	}
	assert_int_equal(tcp_hold_look(wanted, now_ms), TCP_HOLD_GIVE_UP);
	/* A later connection to the address waits with the first, no longer. */
	add(1, 11);
	assert_int_equal(hold.n_wanted, 1);
	assert_int_equal(tcp_hold_look(wanted, now_ms), TCP_HOLD_GIVE_UP);
}

/* Requests that do not go out are not counted, and still there is an end. */
static void
test_interface_that_is_down(void **state)
{
	struct tcp_wanted *wanted = &hold.wanted[0];
	uint64_t now_ms = NOW_MS;

	(void)state;
	add(1, 10);
	for (; now_ms < NOW_MS + TCP_HOLD_MAX_MS; now_ms += TCP_HOLD_ASK_MS) {
		assert_int_equal(tcp_hold_look(wanted, now_ms), TCP_HOLD_ASK);
		tcp_hold_asked(wanted, false, now_ms);
		assert_true(tcp_hold_due(&hold) <= NOW_MS + TCP_HOLD_MAX_MS);
	}
	assert_int_equal(tcp_hold_look(wanted, now_ms), TCP_HOLD_GIVE_UP);
}

static void
test_limits(void **state)
{
	const struct inaddr first = guest(1), last = guest(200);
	unsigned int number = 1;
	int fd = 0;

	(void)state;
	for (int i = 0; i < TCP_HELD_BY_GUEST; i++)
		add(1, fd++);
	assert_false(tcp_hold_has_room(&hold, &first));
	while (hold.n_held < TCP_HELD_MAX)
		add(++number, fd++);
	assert_false(tcp_hold_has_room(&hold, &last));
	/* One out, one in, in all and for the address. */
	expect_taken(1, 0);
	assert_true(tcp_hold_has_room(&hold, &first));
	assert_true(tcp_hold_has_room(&hold, &last));
	add(200, fd);
	assert_false(tcp_hold_has_room(&hold, &first));
	for (int i = 1; i < TCP_HELD_BY_GUEST; i++)
		expect_taken(1, i);
	for (unsigned int n = 2; n <= number; n++)
		expect_taken(n, TCP_HELD_BY_GUEST + (int)n - 2);
	expect_taken(200, fd);
	assert_int_equal(hold.n_held + hold.n_wanted, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
		TEST(test_connections_come_out_in_order_by_address),
		TEST(test_three_requests_then_the_end),
		TEST(test_interface_that_is_down),
		TEST(test_limits),
#undef TEST
	};

	return cmocka_run_group_tests_name("tcp_hold", tests, NULL, NULL);
}
