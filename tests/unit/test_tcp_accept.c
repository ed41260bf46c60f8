/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of connections of forwards that the guest has not answered. */
#include "tcp_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

#define POOL_BYTES (1 << 20)
#define BEGIN_US UINT64_C(1000000000)
#define US_PER_S 1000000

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
static const struct inaddr guest = { .bytes = { 10, 0, 2, 100 } };
static struct tcp tcp;
static size_t n_syns, n_resets;
static int last_closed;

static int
emit(void *ctx, const struct tcp_frame *frame)
{
	(void)ctx;
	n_syns += frame->flags == WIRE_TCP_SYN;
	return 0;
}

static void
close_socket(void *ctx, int fd, bool is_reset)
{
	(void)ctx;
	n_resets += is_reset;
	last_closed = fd;
}

static const struct tcp_world world = { .emit = emit, .close = close_socket };

static int
begin(void **state)
{
	const struct tcp_config config = {
		.n_flows_max = 4 * TCP_ACCEPTED_MAX,
		.pool_bytes = POOL_BYTES,
		.mtu_bytes = 1500,
	};

	(void)state;
	n_syns = n_resets = 0;
	return tcp_init(&tcp, &config, &world, BEGIN_US);
}

static int
end(void **state)
{
	(void)state;
	tcp_free(&tcp);
	return 0;
}

/* A peer, named by its socket, connects to a port of the guest. */
static bool
accept_peer(int fd, uint16_t port)
{
	struct flow_key key = {
		.peer_address = { 203, 0, 113, 1 },
		.guest_port = port,
		.peer_port = (uint16_t)fd,
		.ethertype = WIRE_TYPE_IP4,
		.protocol = IPPROTO_TCP,
	};
	bool is_accepted;

	memcpy(key.guest_address, guest.bytes, 4);
	is_accepted = tcp_accepted(&tcp, fd, &key, mac, mac, 1) != NULL;
	tcp_end_turn(&tcp);
	tcp_check(&tcp);
	return is_accepted;
}

static void
test_each_port_has_a_limit(void **state)
{
	int fd = 1000;

	(void)state;
	for (int i = 0; i < TCP_ACCEPTED_BY_PORT; i++) {
		assert_true(tcp_may_accept(&tcp, &guest, 80));
		assert_true(accept_peer(fd++, 80));
	}
	assert_false(tcp_may_accept(&tcp, &guest, 80));
	assert_false(accept_peer(fd, 80));
	assert_int_equal(last_closed, fd);
	assert_int_equal(n_resets, 1);
	/* Another port of the guest is not concerned. */
	assert_true(tcp_may_accept(&tcp, &guest, 81));
	assert_true(accept_peer(++fd, 81));
	assert_int_equal(n_syns, TCP_ACCEPTED_BY_PORT + 1);
}

static void
test_an_old_one_of_the_port_gives_way(void **state)
{
	int fd = 1000;

	(void)state;
	assert_true(accept_peer(fd++, 81));
	for (int i = 0; i < TCP_ACCEPTED_BY_PORT; i++)
		assert_true(accept_peer(fd++, 80));
	tcp_set_time(&tcp, BEGIN_US + (uint64_t)19 * US_PER_S);
	assert_false(tcp_may_accept(&tcp, &guest, 80));
	tcp_set_time(&tcp, BEGIN_US + (uint64_t)20 * US_PER_S);
	assert_true(tcp_may_accept(&tcp, &guest, 80));
	/* The oldest of all is of another port. */
	assert_int_equal(last_closed, 1001);
	assert_int_equal(n_resets, 1);
	assert_int_equal(tcp.ends[TCP_END_gave_way], 1);
	/* There is room: nobody else goes. */
	assert_true(tcp_may_accept(&tcp, &guest, 80));
	assert_int_equal(n_resets, 1);
	assert_true(accept_peer(fd, 80));
}

static void
test_all_together_have_a_limit(void **state)
{
	int fd = 1000;

	(void)state;
	for (int i = 0; i < TCP_ACCEPTED_MAX; i++)
		assert_true(accept_peer(fd++, (uint16_t)(80 + i % 16)));
	assert_false(tcp_may_accept(&tcp, &guest, 7));
	tcp_set_time(&tcp, BEGIN_US + (uint64_t)20 * US_PER_S);
	assert_true(tcp_may_accept(&tcp, &guest, 7));
	assert_int_equal(last_closed, 1000);
	assert_true(accept_peer(fd, 7));
	assert_int_equal(tcp.n_accepted, TCP_ACCEPTED_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(test_each_port_has_a_limit),
		TEST(test_an_old_one_of_the_port_gives_way),
		TEST(test_all_together_have_a_limit),
#undef TEST
	};

	return cmocka_run_group_tests_name("tcp_accept", tests, NULL, NULL);
}
