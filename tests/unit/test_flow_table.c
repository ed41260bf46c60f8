/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of flows, and counts by address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp-worker/flow/addr_count.h"
#include "model/flow_table.h"

#define N_MAX 64

struct flow {
	struct flow_link link;
	uint64_t data;
};

static struct flow_table table;

static struct flow_key
key(uint16_t port)
{
	return (struct flow_key){ .guest_port = port };
}

static struct flow *
add(uint16_t port)
{
	return flow_table_add(&table, &(struct flow_key){ .guest_port = port });
}

static struct flow *
find(uint16_t port)
{
	return flow_table_find(&table, &(struct flow_key){ .guest_port = port });
}

static int
setup(void **state)
{
	(void)state;
	return flow_table_init(&table, sizeof(struct flow), N_MAX);
}

static int
teardown(void **state)
{
	(void)state;
	flow_table_free(&table);
	return 0;
}

static void
test_flow_is_found_by_its_whole_key(void **state)
{
	struct flow_key wanted = { { 1 }, { 2 }, 3, 4, 5, 6 };
	struct flow_table single;
	struct flow *flow;

	(void)state;
	/* With one chain, so that the hash does not tell keys apart. */
	assert_int_equal(flow_table_init(&single, sizeof(struct flow), 1), 0);
	flow = flow_table_add(&single, &wanted);
	assert_non_null(flow);
	assert_memory_equal(&flow->link.key, &wanted, sizeof(wanted));
	assert_ptr_equal(flow_table_find(&single, &wanted), flow);
	for (size_t i = 0; i < sizeof(wanted); i++) {
		((uint8_t *)&wanted)[i] ^= 1;
		assert_null(flow_table_find(&single, &wanted));
		((uint8_t *)&wanted)[i] ^= 1;
	}
	flow_table_free(&single);
}

static void
test_full_table_has_n_max_flows(void **state)
{
	struct flow *flows[N_MAX];

	(void)state;
	for (uint16_t i = 0; i < N_MAX; i++) {
		flows[i] = add(i);
		assert_non_null(flows[i]);
		assert_int_equal(flow_table_index(&table, flows[i]), i);
		flows[i]->data = i;
	}
	assert_null(add(N_MAX));
	assert_null(find(N_MAX));
	assert_int_equal(table.n_live, N_MAX);
	for (uint16_t i = 0; i < N_MAX; i++) {
		assert_ptr_equal(find(i), flows[i]);
		assert_int_equal(flows[i]->data, i);
	}
	/* From each place of a chain. */
	for (uint16_t i = 0; i < N_MAX; i++) {
		uint16_t port = i * 37 % N_MAX;

		flow_table_remove(&table, flows[port]);
		assert_null(find(port));
		for (uint16_t j = i + 1; j < N_MAX; j++)
			assert_ptr_equal(find(j * 37 % N_MAX), flows[j * 37 % N_MAX]);
	}
	assert_int_equal(table.n_live, 0);
	assert_null(add(1));
	flow_table_reap(&table);
	for (uint16_t i = 0; i < N_MAX; i++)
		assert_non_null(add(i));
	assert_null(add(N_MAX));
}

static void
test_removed_flow_stays_until_reap(void **state)
{
	struct flow *old = add(1), *other = add(2), *new;

	(void)state;
	old->data = 7;
	flow_table_remove(&table, old);
	assert_null(find(1));
	assert_int_equal(table.n_live, 1);
	new = add(1);
	assert_ptr_not_equal(new, old);
	assert_int_equal(old->data, 7);
	assert_ptr_equal(find(1), new);
	flow_table_remove(&table, other);
	flow_table_reap(&table);
	assert_ptr_equal(find(1), new);
	/* Zeros, in the place that was freed last. */
	new = add(3);
	assert_ptr_equal(new, old);
	assert_int_equal(new->data, 0);
	assert_ptr_equal(add(4), other);
	assert_int_equal(flow_table_index(&table, add(5)), 3);
}

static void
test_handle_of_removed_flow_is_stale(void **state)
{
	struct flow *flow = add(1);
	uint32_t generation = flow->link.generation;

	(void)state;
	assert_ptr_equal(flow_table_at(&table, 0, generation), flow);
	assert_null(flow_table_at(&table, 0, generation + 1));
	assert_null(flow_table_at(&table, 0, 0));
	/* Places that were never used, or do not exist. */
	assert_null(flow_table_at(&table, 1, 0));
	assert_null(flow_table_at(&table, 1, 1));
	assert_null(flow_table_at(&table, N_MAX, generation));
	assert_null(flow_table_at(&table, UINT32_MAX, generation));
	flow_table_remove(&table, flow);
	assert_null(flow_table_at(&table, 0, generation));
	flow_table_reap(&table);
	assert_null(flow_table_at(&table, 0, generation));
	assert_ptr_equal(add(1), flow);
	assert_null(flow_table_at(&table, 0, generation));
	assert_ptr_equal(flow_table_at(&table, 0, flow->link.generation), flow);
}

static void
test_generation_wraps_without_zero(void **state)
{
	struct flow *flow = add(1);

	(void)state;
	flow->link.generation = (1U << FLOW_GENERATION_BITS) - 1;
	flow_table_remove(&table, flow);
	flow_table_reap(&table);
	assert_ptr_equal(add(1), flow);
	assert_int_equal(flow->link.generation, 1);
}

static void
test_walk_sees_live_flows_and_may_remove_them(void **state)
{
	struct flow *flow = NULL;
	int n = 0;

	(void)state;
	assert_null(flow_table_next(&table, NULL));
	for (uint16_t i = 0; i < 10; i++)
		add(i);
	flow_table_remove(&table, find(4));
	flow_table_remove(&table, find(5));
	while ((flow = flow_table_next(&table, flow)) != NULL) {
		assert_true(
		    flow->link.key.guest_port < 4 || flow->link.key.guest_port > 5);
		n++;
		flow_table_remove(&table, flow);
	}
	assert_int_equal(n, 8);
	flow_table_reap(&table);
	assert_null(flow_table_next(&table, NULL));
}

static void
test_walk_goes_on_at_a_place(void **state)
{
	(void)state;
	assert_null(flow_table_from(&table, 0));
	for (uint16_t i = 0; i < 4; i++)
		add(i);
	flow_table_remove(&table, find(1));
	flow_table_remove(&table, find(2));
	assert_ptr_equal(flow_table_from(&table, 0), find(0));
	assert_ptr_equal(flow_table_from(&table, 1), find(3));
	assert_ptr_equal(flow_table_from(&table, 3), find(3));
	assert_null(flow_table_from(&table, 4));
	assert_null(flow_table_from(&table, UINT32_MAX));
}

static void
test_long_chain_is_counted(void **state)
{
	int n = 0;

	(void)state;
	/* Keys of one chain, found by trying. */
	for (uint16_t port = 0; n < FLOW_CHAIN_LONG + 2; port++) {
		struct flow_key wanted = key(port);

		if (flow_key_hash(&wanted) % N_MAX != 0)
			continue;
		assert_non_null(flow_table_add(&table, &wanted));
		n++;
		assert_int_equal(table.n_long_chains,
		    n > FLOW_CHAIN_LONG ? n - FLOW_CHAIN_LONG : 0);
	}
}

static void
test_chains_of_a_full_table_are_short(void **state)
{
	struct flow_table large;

	(void)state;
	assert_int_equal(flow_table_init(&large, sizeof(struct flow), 4000), 0);
	for (uint16_t i = 0; i < 4000; i++) {
		struct flow_key wanted = key(i);

		assert_non_null(flow_table_add(&large, &wanted));
	}
	assert_int_equal(large.n_long_chains, 0);
	flow_table_free(&large);
}

static void
test_only_used_pages_are_resident(void **state)
{
	static unsigned char pages[65536];
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE), n_pages, n = 0;
	struct flow_table large;

	(void)state;
	assert_int_equal(flow_table_init(&large, 256, 65536), 0);
	assert_non_null(flow_table_add(&large, &(struct flow_key){ 0 }));
	n_pages = (large.mapping_len + page_size - 1) / page_size;
	assert_int_equal(mincore(large.mapping, large.mapping_len, pages), 0);
	for (size_t i = 0; i < n_pages; i++)
		n += pages[i] & 1;
	/* The flow's, and its chain's. */
	assert_int_equal(n, 2);
	flow_table_free(&large);
}

/* Each flow is found while chains are split, and few flows use few pages. */
static void
test_chains_grow_with_the_flows(void **state)
{
	struct flow_table large;

	(void)state;
	assert_int_equal(flow_table_init(&large, sizeof(struct flow), 40000), 0);
	for (uint32_t i = 0; i < 40000; i++) {
		struct flow_key wanted = key((uint16_t)i);

		assert_null(flow_table_find(&large, &wanted));
		assert_non_null(flow_table_add(&large, &wanted));
		for (uint32_t k = i - i % 16; k <= i; k++) {
			struct flow_key other = key((uint16_t)(k * 7 % (i + 1)));

			assert_non_null(flow_table_find(&large, &other));
		}
		assert_in_range(large.n_chains, i < 32768 ? i + 1 : 65536, 2 * i + 2);
	}
	assert_int_equal(large.n_chains, 65536);
	assert_int_equal(large.n_long_chains, 0);
	for (uint32_t i = 0; i < 40000; i++) {
		struct flow_key wanted = key((uint16_t)i);

		flow_table_remove(&large, flow_table_find(&large, &wanted));
		assert_null(flow_table_find(&large, &wanted));
	}
	assert_int_equal(large.n_live, 0);
	flow_table_free(&large);
}

static void
test_bad_sizes_are_refused(void **state)
{
	struct flow_table bad;

	(void)state;
	assert_int_equal(flow_table_init(&bad, sizeof(struct flow), 0), -1);
	assert_int_equal(flow_table_init(&bad, sizeof(struct flow), UINT32_MAX), -1);
	assert_int_equal(flow_table_init(&bad, sizeof(struct flow_link) - 8, 1), -1);
	assert_int_equal(flow_table_init(&bad, sizeof(struct flow) + 4, 1), -1);
	flow_table_free(&bad);
}

static void
test_address_has_a_limit(void **state)
{
	struct inaddr one = inaddr_from4(htonl(1)), two = inaddr_from4(htonl(2));
	struct inaddr six = one;
	struct addr_count counts;

	(void)state;
	six.is_ipv6 = 1;
	assert_int_equal(addr_count_init(&counts, 3, 2), 0);
	assert_true(addr_count_add(&counts, &one));
	assert_true(addr_count_add(&counts, &one));
	assert_false(addr_count_add(&counts, &one));
	assert_int_equal(addr_count_get(&counts, &one), 2);
	/* Others have a count of their own, also with the same bytes. */
	assert_true(addr_count_add(&counts, &two));
	assert_true(addr_count_add(&counts, &six));
	assert_int_equal(addr_count_get(&counts, &six), 1);
	/* A fourth address has no place. */
	assert_false(addr_count_add(&counts, &(struct inaddr){ { 9 }, 0 }));
	assert_int_equal(addr_count_get(&counts, &(struct inaddr){ { 9 }, 0 }), 0);
	for (int i = 0; i < 100; i++) {
		addr_count_remove(&counts, &one);
		assert_int_equal(addr_count_get(&counts, &one), 1);
		assert_true(addr_count_add(&counts, &one));
		assert_false(addr_count_add(&counts, &one));
		addr_count_remove(&counts, &two);
		assert_int_equal(addr_count_get(&counts, &two), 0);
		assert_true(addr_count_add(&counts, &two));
	}
	addr_count_free(&counts);
}

static void
test_ports_of_an_address_are_counted_apart(void **state)
{
	const struct inaddr one = inaddr_from4(htonl(1));
	struct addr_count counts;

	(void)state;
	assert_int_equal(addr_count_init(&counts, 3, 1), 0);
	assert_true(addr_count_add_at(&counts, &one, 80));
	assert_false(addr_count_add_at(&counts, &one, 80));
	assert_true(addr_count_add_at(&counts, &one, 81));
	assert_int_equal(addr_count_get(&counts, &one), 0);
	addr_count_remove_at(&counts, &one, 80);
	assert_int_equal(addr_count_get_at(&counts, &one, 80), 0);
	assert_int_equal(addr_count_get_at(&counts, &one, 81), 1);
	addr_count_free(&counts);
}

static void
test_limit_of_zero_admits_none(void **state)
{
	struct inaddr one = inaddr_from4(htonl(1));
	struct addr_count counts;

	(void)state;
	assert_int_equal(addr_count_init(&counts, 3, 0), 0);
	assert_false(addr_count_add(&counts, &one));
	assert_int_equal(addr_count_get(&counts, &one), 0);
	addr_count_free(&counts);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flow_is_found_by_its_whole_key),
		TEST(test_full_table_has_n_max_flows),
		TEST(test_removed_flow_stays_until_reap),
		TEST(test_handle_of_removed_flow_is_stale),
		TEST(test_generation_wraps_without_zero),
		TEST(test_walk_sees_live_flows_and_may_remove_them),
		TEST(test_walk_goes_on_at_a_place),
		TEST(test_long_chain_is_counted),
		cmocka_unit_test(test_chains_of_a_full_table_are_short),
		cmocka_unit_test(test_chains_grow_with_the_flows),
		cmocka_unit_test(test_only_used_pages_are_resident),
		cmocka_unit_test(test_bad_sizes_are_refused),
		cmocka_unit_test(test_address_has_a_limit),
		cmocka_unit_test(test_ports_of_an_address_are_counted_apart),
		cmocka_unit_test(test_limit_of_zero_admits_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
