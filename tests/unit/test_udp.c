/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of UDP flows, over a world that the test controls. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slirp-worker/engine/udp/udp.h"

#define PORT 4000
#define HOST_PORT 50000

static struct {
	bool answers_later;
	bool is_full;   /* the link: it loses what is sent */
	int open_error; /* an errno; 0: a socket */
	int send_error; /* what the next sends return, */
	int n_to_fail;  /* as many of them */
	int n_opened, n_closed, n_sent, n_unreachable;
	int last_error; /* of udp_unreachable */
	int n_asked, n_lost, n_gave_way, n_no_room;
	uint8_t last_sent, last_ttl;
	uint32_t index, generation; /* of the last flow that asked for a socket */
} world;

static struct budget budget;
static struct hold hold;
static struct udp udp;

static void
answer(void)
{
	struct udp_flow *flow = udp_waits(&udp, world.index, world.generation);

	if (world.open_error != 0) {
		udp_refused(&udp, world.index, world.generation, world.open_error);
	} else if (flow != NULL) {
		flow->own_port = (uint16_t)(HOST_PORT + flow->link.key.guest_port - PORT);
		udp_opened(&udp, flow, 100 + world.n_opened++);
	}
}

static void
open_socket(void *ctx, struct udp_flow *flow)
{
	assert_ptr_equal(ctx, &world);
	world.index = flow_table_index(&udp.flows, flow);
	world.generation = flow->link.generation;
	world.n_asked++;
	if (!world.answers_later)
		answer();
}

static int
send_datagrams(void *ctx, struct udp_flow *flow, struct udp_run *run)
{
	assert_ptr_equal(ctx, &world);
	assert_int_not_equal(flow->fd, -1);
	if (world.n_to_fail > 0) {
		world.n_to_fail--;
		return world.send_error;
	}
	if (!world.is_full) {
		world.n_sent++;
		world.last_sent = *(const uint8_t *)run->parts[run->first].iov_base;
		world.last_ttl = run->fate.ttl;
		flow->bytes_out += run->len;
	}
	udp_run_drop(run, run->len);
	return 0;
}

static void
unreachable(void *ctx, const struct udp_flow *flow, int error)
{
	assert_ptr_equal(ctx, &world);
	assert_int_equal(flow->fd, -1);
	world.n_unreachable++;
	world.last_error = error;
}

static void
close_socket(void *ctx, struct udp_flow *flow)
{
	assert_ptr_equal(ctx, &world);
	assert_int_not_equal(flow->fd, -1);
	world.n_closed++;
}

static void
lose(void *ctx)
{
	assert_ptr_equal(ctx, &world);
	world.n_lost++;
}

static void
give_way(void *ctx)
{
	assert_ptr_equal(ctx, &world);
	world.n_gave_way++;
}

static void
lack_room(void *ctx)
{
	assert_ptr_equal(ctx, &world);
	world.n_no_room++;
}

static const struct udp_world calls = {
	.ctx = &world,
	.open = open_socket,
	.send = send_datagrams,
	.unreachable = unreachable,
	.lost = lose,
	.gave_way = give_way,
	.no_room = lack_room,
	.close = close_socket,
};

static int
set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	budget = (struct budget){
		.limit = { [BUDGET_UDP] = 4, [BUDGET_PEER] = 3 },
	};
	assert_int_equal(flow_key_make_secret(), 0);
	assert_int_equal(hold_init(&hold), 0);
	return udp_init(&udp, &calls, &budget, &hold);
}

static int
tear_down(void **state)
{
	(void)state;
	udp_free(&udp);
	assert_int_equal(hold.n_free, HOLD_PLACES);
	hold_free(&hold);
	assert_int_equal(world.n_closed, world.n_opened);
	assert_int_equal(budget.used[BUDGET_UDP] + budget.used[BUDGET_PEER], 0);
	return 0;
}

static struct flow_key
key(uint16_t guest_port, uint8_t peer, uint16_t peer_port)
{
	static const uint8_t guest[4] = { 10, 0, 2, 100 };
	struct flow_key key = flow_key_udp(WIRE_TYPE_IP4, guest, guest_port, peer_port);

	memcpy(key.peer_address, (uint8_t[]){ 192, 0, 2, peer }, 4);
	return key;
}

static const uint8_t mac[WIRE_MAC_LEN] = { 2, 0, 0, 0, 0, 1 };

static void
send_from(uint16_t guest_port, uint8_t peer, uint16_t peer_port, uint64_t now_ms)
{
	const struct flow_key wanted = key(guest_port, peer, peer_port);
	struct udp_run run = {
		.guest_mac = mac,
		.our_mac = mac,
		.is_group = peer == 255,
	};

	udp_run_begin(&run, (const uint8_t *)"hello", 5, 5);
	udp_from_guest(&udp, &wanted, &run, now_ms);
}

static struct udp_flow *
find(uint16_t guest_port, uint8_t peer, uint16_t peer_port)
{
	const struct flow_key wanted = key(guest_port, peer, peer_port);

	return flow_table_find(&udp.flows, &wanted);
}

static void
test_first_datagram_opens_a_flow(void **state)
{
	(void)state;
	send_from(PORT, 1, 9, 1000);
	send_from(PORT, 1, 9, 1001);
	assert_int_equal(world.n_opened, 1);
	assert_int_equal(world.n_sent, 2);
	assert_int_equal(find(PORT, 1, 9)->bytes_out, 10);
	udp_to_guest(&udp, find(PORT, 1, 9), 7, 1002);
	assert_int_equal(find(PORT, 1, 9)->bytes_in, 7);
}

/* The flow of the datagram at 1000 lasts until this time, and no longer. */
static void
check_lasts_until(uint16_t peer_port, uint64_t end_ms)
{
	assert_int_equal(udp_due(&udp), end_ms);
	udp_expire(&udp, end_ms - 1);
	assert_non_null(find(PORT, 1, peer_port));
	udp_expire(&udp, end_ms);
	assert_null(find(PORT, 1, peer_port));
	assert_int_equal(udp_due(&udp), DEADLINE_NONE);
	assert_int_equal(world.n_closed, world.n_opened);
}

static void
test_unanswered_flow_ends(void **state)
{
	(void)state;
	send_from(PORT, 1, 9, 1000);
	send_from(PORT, 1, 9, 5000);
	check_lasts_until(9, 5000 + UDP_UNANSWERED_MS);
}

static void
test_answered_flow_ends_later(void **state)
{
	(void)state;
	send_from(PORT, 1, 9, 1000);
	udp_to_guest(&udp, find(PORT, 1, 9), 1, 2000);
	send_from(PORT, 1, 9, 3000);
	check_lasts_until(9, 3000 + UDP_ANSWERED_MS);
}

static void
test_answered_lookup_ends_soon(void **state)
{
	(void)state;
	send_from(PORT, 1, 53, 1000);
	udp_to_guest(&udp, find(PORT, 1, 53), 1, 2000);
	check_lasts_until(53, 2000 + UDP_DNS_ANSWERED_MS);
	/* A second question on the same port waits for its own answer. */
	send_from(PORT, 1, 53, 101000);
	udp_to_guest(&udp, find(PORT, 1, 53), 1, 102000);
	send_from(PORT, 1, 53, 103000);
	check_lasts_until(53, 103000 + UDP_UNANSWERED_MS);
}

static void
test_silent_flow_ends_for_a_new_one(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		send_from(PORT + i, 1, i == 2 ? 53 : 9, 1000 + i);
	assert_int_equal(world.n_gave_way, 0);
	/* More than half are not answered. */
	send_from(PORT + 4, 1, 9, 2000);
	assert_null(find(PORT, 1, 9));
	/* What was answered by DNS is over. */
	udp_to_guest(&udp, find(PORT + 1, 1, 9), 1, 2020);
	udp_to_guest(&udp, find(PORT + 2, 1, 53), 1, 2030);
	send_from(PORT + 5, 1, 9, 3030);
	assert_null(find(PORT + 2, 1, 53));
	/* Half are not answered: then it is the others. */
	udp_to_guest(&udp, find(PORT + 3, 1, 9), 1, 3050);
	send_from(PORT + 6, 1, 9, 3060);
	assert_null(find(PORT + 1, 1, 9));
	assert_non_null(find(PORT + 3, 1, 9));
	send_from(PORT + 7, 1, 9, 3070);
	assert_null(find(PORT + 4, 1, 9));
	assert_non_null(find(PORT + 3, 1, 9));
	assert_int_equal(world.n_gave_way, 4);
	assert_int_equal(world.n_no_room, 0);
	assert_int_equal(budget.used[BUDGET_UDP], 4);
}

/* A flood gets no socket for each datagram. */
static void
test_flow_of_the_last_second_ends_for_none(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		send_from(PORT + i, 1, i == 3 ? 53 : 9, 1000);
	send_from(PORT + 4, 1, 9, 1000 + UDP_GIVES_WAY_MS - 1);
	assert_int_equal(world.n_no_room, 1);
	assert_int_equal(world.n_gave_way, 0);
	assert_int_equal(world.n_asked, 4);
	/* An answered flow ends for none of a flood. */
	udp_to_guest(&udp, find(PORT, 1, 9), 1, 1000);
	send_from(PORT + 1, 1, 9, 1001);
	send_from(PORT + 2, 1, 9, 1001);
	send_from(PORT + 3, 1, 53, 1001);
	send_from(PORT + 4, 1, 9, 1000 + UDP_GIVES_WAY_MS);
	assert_int_equal(world.n_no_room, 2);
	/* Two are answered. A lookup of the last second leaves it to another flow. */
	udp_to_guest(&udp, find(PORT + 3, 1, 53), 1, 1001);
	send_from(PORT + 4, 1, 9, 1000 + UDP_GIVES_WAY_MS);
	assert_null(find(PORT, 1, 9));
	assert_non_null(find(PORT + 3, 1, 53));
	assert_int_equal(world.n_gave_way, 1);
	assert_int_equal(world.n_no_room, 2);
}

static void
test_flow_without_a_socket_is_unreachable(void **state)
{
	(void)state;
	world.open_error = EHOSTUNREACH;
	send_from(PORT, 1, 9, 1000);
	assert_int_equal(world.n_unreachable, 1);
	assert_int_equal(world.last_error, EHOSTUNREACH);
	assert_null(find(PORT, 1, 9));
	assert_int_equal(budget.used[BUDGET_UDP], 0);
	/* Nobody may answer a group with an error. */
	send_from(PORT, 255, 9, 1000);
	assert_int_equal(world.n_unreachable, 1);
	assert_null(find(PORT, 255, 9));
}

static void
test_socket_that_comes_later(void **state)
{
	uint32_t index, generation;

	(void)state;
	world.answers_later = true;
	send_from(PORT, 1, 9, 1000);
	send_from(PORT, 1, 9, 1000);
	assert_int_equal(world.n_asked, 1);
	assert_int_equal(world.n_sent, 0);
	answer();
	assert_int_equal(world.n_sent, 2);
	send_from(PORT, 1, 9, 1001);
	assert_int_equal(world.n_sent, 3);
	/* The flow does not wait any more, and then has ended. */
	index = world.index;
	generation = world.generation;
	assert_null(udp_waits(&udp, index, generation));
	udp_expire(&udp, 1001 + UDP_UNANSWERED_MS);
	assert_null(udp_waits(&udp, index, generation));
	udp_refused(&udp, index, generation, EPERM);
	assert_int_equal(world.n_unreachable, 0);
	/* The place is used again, with another handle. */
	send_from(PORT, 2, 9, 40000);
	assert_int_equal(world.index, index);
	assert_null(udp_waits(&udp, index, generation));
	assert_int_equal(find(PORT, 2, 9)->fd, -1);
	udp_expire(&udp, 40000 + UDP_UNANSWERED_MS);
	assert_int_equal(hold.n_free, HOLD_PLACES);
}

/* As the guest has sent them, with the fields of their headers; a run is of several. */
static void
test_datagrams_that_wait_keep_their_order(void **state)
{
	static const uint8_t data[] = "abcdef";
	const struct flow_key wanted = key(PORT, 1, 9);

	(void)state;
	world.answers_later = true;
	for (uint8_t i = 0; i < 3; i++) {
		struct udp_run run = {
			.guest_mac = mac,
			.our_mac = mac,
			.fate.ttl = (uint8_t)(10 + i),
		};

		/* Two of one byte each. */
		udp_run_begin(&run, data + 2 * i, 2, 1);
		udp_from_guest(&udp, &wanted, &run, 1000);
	}
	answer();
	assert_int_equal(world.n_sent, 6);
	assert_int_equal(world.last_sent, 'f');
	assert_int_equal(world.last_ttl, 12);
	assert_int_equal(hold.n_free, HOLD_PLACES);
}

static void
test_too_many_that_wait_are_lost(void **state)
{
	(void)state;
	world.answers_later = true;
	for (int i = 0; i < HOLD_NEXT_PLACES; i++)
		send_from(PORT, 1, 9, 1000);
	assert_int_equal(world.n_lost, 0);
	send_from(PORT, 1, 9, 1000);
	assert_int_equal(world.n_lost, 1);
	/* The first one of another flow has a place. */
	send_from(PORT, 2, 9, 1000);
	assert_int_equal(world.n_lost, 1);
	answer();
	assert_int_equal(world.n_sent, 1);
}

/* A datagram that the first socket does not take goes out by the next, and the others follow. */
static void
test_datagrams_wait_for_the_second_socket(void **state)
{
	(void)state;
	world.answers_later = true;
	for (int i = 0; i < 3; i++)
		send_from(PORT, 1, 9, 1000);
	world.send_error = -EINVAL;
	world.n_to_fail = 1;
	answer();
	assert_int_equal(world.n_sent, 0);
	assert_int_equal(world.n_asked, 2);
	send_from(PORT, 1, 9, 1000);
	answer();
	assert_int_equal(world.n_sent, 4);
	assert_int_equal(world.n_unreachable, 0);
}

static void
test_full_link_loses_a_datagram(void **state)
{
	(void)state;
	world.is_full = true;
	send_from(PORT, 1, 9, 1000);
	assert_int_equal(world.n_opened, 1);
	assert_int_equal(find(PORT, 1, 9)->bytes_out, 0);
	world.is_full = false;
	send_from(PORT, 1, 9, 1001);
	assert_int_equal(find(PORT, 1, 9)->bytes_out, 5);
}

static void
test_useless_socket_is_made_again_once(void **state)
{
	(void)state;
	send_from(PORT, 1, 9, 1000);
	world.send_error = -EINVAL;
	world.n_to_fail = 1;
	send_from(PORT, 1, 9, 1001);
	assert_int_equal(world.n_opened, 2);
	assert_int_equal(world.n_closed, 1);
	assert_int_equal(world.n_sent, 2);
	world.send_error = -ENETUNREACH;
	world.n_to_fail = 2;
	send_from(PORT, 1, 9, 1002);
	assert_int_equal(world.n_opened, 3);
	assert_int_equal(world.last_error, ENETUNREACH);
	assert_null(find(PORT, 1, 9));
}

static void
test_places_are_used_again_in_a_batch(void **state)
{
	(void)state;
	/* All within one turn, without udp_expire(). */
	world.open_error = ENETUNREACH;
	for (int i = 0; i < 10 * UDP_PLACES_SPARE; i++)
		send_from((uint16_t)(PORT + i), 1, 9, 1000);
	assert_int_equal(world.n_unreachable, 10 * UDP_PLACES_SPARE);
}

/* --- peers of forwards ---------------------------------------------------------------- */

#define PORT_PLACE 7

static struct udp_flow *
add_peer(uint8_t peer, uint64_t now_ms)
{
	const struct flow_key wanted = key(PORT, peer, 9);
	const struct inaddr addr = inaddr_from_bytes(wanted.peer_address, false);
	const union inaddr_sock to = inaddr_sock_make(&addr, 9), own = { 0 };

	return udp_add_peer(&udp, &wanted, &to, &own, PORT_PLACE, now_ms);
}

static void
test_guest_answers_a_peer_on_its_socket(void **state)
{
	struct udp_flow *flow;

	(void)state;
	flow = add_peer(1, 1000);
	assert_non_null(flow);
	assert_int_equal(budget.used[BUDGET_PEER], 1);
	udp_to_guest(&udp, flow, 3, 1000);
	send_from(PORT, 1, 9, 1001);
	assert_int_equal(world.n_opened, 1);
	assert_int_equal(world.n_sent, 1);
	assert_int_equal(budget.used[BUDGET_UDP], 0);
	check_lasts_until(9, 1001 + UDP_ANSWERED_MS);
}

static void
test_peer_that_is_not_answered_ends(void **state)
{
	struct udp_flow *flow;

	(void)state;
	flow = add_peer(1, 1000);
	udp_to_guest(&udp, flow, 3, 1000);
	udp_to_guest(&udp, flow, 3, 2000);
	check_lasts_until(9, 2000 + UDP_UNANSWERED_MS);
}

static void
test_new_peer_takes_the_place_of_a_silent_one(void **state)
{
	(void)state;
	for (uint8_t peer = 1; peer <= 3; peer++)
		assert_non_null(add_peer(peer, 1000 + peer));
	send_from(PORT, 1, 9, 1010);
	send_from(PORT, 3, 9, 1011);
	/* The second has no answer; then the answered one that is silent for longest. */
	assert_non_null(add_peer(4, 1020));
	assert_null(find(PORT, 2, 9));
	send_from(PORT, 4, 9, 1021);
	assert_non_null(add_peer(5, 1030));
	assert_null(find(PORT, 1, 9));
	assert_non_null(find(PORT, 3, 9));
	assert_int_equal(budget.used[BUDGET_PEER], 3);
	/* A flood of peers replaces itself. */
	for (uint8_t peer = 100; peer < 200; peer++)
		assert_non_null(add_peer(peer, 1040));
	assert_non_null(find(PORT, 3, 9));
	assert_non_null(find(PORT, 4, 9));
}

static void
test_peers_end_with_their_port(void **state)
{
	(void)state;
	send_from(PORT, 1, 9, 1000);
	assert_non_null(add_peer(2, 1000));
	assert_non_null(add_peer(3, 1000));
	send_from(PORT, 3, 9, 1001);
	udp_end_peers(&udp, PORT_PLACE + 1);
	assert_non_null(find(PORT, 2, 9));
	udp_end_peers(&udp, PORT_PLACE);
	assert_null(find(PORT, 2, 9));
	assert_null(find(PORT, 3, 9));
	assert_non_null(find(PORT, 1, 9));
	assert_int_equal(world.n_closed, 2);
}

static void
test_flows_of_an_end_end_with_its_port(void **state)
{
	const struct flow_key end = key(PORT, 0, 0), other = key(PORT + 1, 0, 0);

	(void)state;
	send_from(PORT, 1, 9, 1000);
	send_from(PORT, 255, 9, 1000);
	send_from(PORT + 1, 1, 9, 1000);
	assert_non_null(add_peer(2, 1000));
	udp_end_flows_from(&udp, &end, HOST_PORT + 1);
	udp_end_flows_from(&udp, &other, HOST_PORT);
	assert_non_null(find(PORT, 1, 9));
	assert_non_null(find(PORT + 1, 1, 9));
	udp_end_flows_from(&udp, &end, HOST_PORT);
	assert_null(find(PORT, 1, 9));
	assert_null(find(PORT, 255, 9));
	assert_non_null(find(PORT, 2, 9));
	assert_non_null(find(PORT + 1, 1, 9));
}

static void
test_guest_cannot_prolong_its_right_to_answer(void **state)
{
	const struct flow_key peer = key(PORT, 1, 9), nobody = key(PORT, 2, 9);
	struct udp_flow *flow;

	(void)state;
	flow = add_peer(1, 1000);
	assert_false(udp_may_answer(&udp, &peer, 1000));
	udp_to_guest(&udp, flow, 3, 1000);
	send_from(PORT, 1, 9, UDP_ANSWERED_MS);
	assert_true(udp_may_answer(&udp, &peer, 999 + UDP_ANSWERED_MS));
	assert_false(udp_may_answer(&udp, &peer, 1000 + UDP_ANSWERED_MS));
	assert_false(udp_may_answer(&udp, &nobody, 1000));
	udp_to_guest(&udp, flow, 3, 2000 + UDP_ANSWERED_MS);
	assert_true(udp_may_answer(&udp, &peer, 2000 + UDP_ANSWERED_MS));
	udp_peer_has_gone(flow);
	assert_false(udp_may_answer(&udp, &peer, 2000 + UDP_ANSWERED_MS));
	udp_to_guest(&udp, flow, 3, 2001 + UDP_ANSWERED_MS);
	assert_true(udp_may_answer(&udp, &peer, 2001 + UDP_ANSWERED_MS));
}

static void
test_peer_without_a_socket_is_no_error_for_the_guest(void **state)
{
	(void)state;
	world.open_error = EMFILE;
	assert_null(add_peer(1, 1000));
	assert_int_equal(world.n_unreachable, 0);
	assert_int_equal(budget.used[BUDGET_PEER], 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_first_datagram_opens_a_flow),
		TEST(test_unanswered_flow_ends),
		TEST(test_answered_flow_ends_later),
		TEST(test_answered_lookup_ends_soon),
		TEST(test_silent_flow_ends_for_a_new_one),
		TEST(test_flow_of_the_last_second_ends_for_none),
		TEST(test_flow_without_a_socket_is_unreachable),
		TEST(test_socket_that_comes_later),
		TEST(test_datagrams_that_wait_keep_their_order),
		TEST(test_too_many_that_wait_are_lost),
		TEST(test_datagrams_wait_for_the_second_socket),
		TEST(test_full_link_loses_a_datagram),
		TEST(test_useless_socket_is_made_again_once),
		TEST(test_places_are_used_again_in_a_batch),
		TEST(test_guest_answers_a_peer_on_its_socket),
		TEST(test_peer_that_is_not_answered_ends),
		TEST(test_new_peer_takes_the_place_of_a_silent_one),
		TEST(test_peers_end_with_their_port),
		TEST(test_flows_of_an_end_end_with_its_port),
		TEST(test_guest_cannot_prolong_its_right_to_answer),
		TEST(test_peer_without_a_socket_is_no_error_for_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
