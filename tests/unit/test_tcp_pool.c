/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of TCP data, and its queues of bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp-worker/engine/tcp/tcp_pool.h"

#define N_BLOCKS 16
#define POOL_SIZE ((size_t)N_BLOCKS * TCP_CHUNK_BIG)
#define RESERVE_SIZE (POOL_SIZE / TCP_POOL_RESERVE_DIVISOR)

static struct tcp_pool pool;
static uint8_t bytes[POOL_SIZE];
static struct iovec iov[64];

static int
setup(void **state)
{
	(void)state;
	/* No chunk has the period of this pattern, so a byte in a wrong place shows. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 251);
	return tcp_pool_init(&pool, POOL_SIZE + 1);
}

static int
teardown(void **state)
{
	bool is_sound = tcp_pool_check(&pool);

	(void)state;
	tcp_pool_free(&pool);
	return is_sound ? 0 : -1;
}

/* The queue has n_bytes of the pattern from position `at` on, and sound chunks. */
static void
assert_queue(const struct tcp_queue *queue, size_t at, size_t n_bytes)
{
	size_t done = 0;

	assert_int_equal(queue->n_bytes, n_bytes);
	assert_true(tcp_queue_check(&pool, queue) != SIZE_MAX);
	assert_true(tcp_pool_check(&pool));
	while (done < n_bytes) {
		int n = tcp_queue_pieces(&pool, queue, (uint32_t)done,
		    (uint32_t)(n_bytes - done), iov, 3);

		assert_in_range(n, 1, 3);
		for (int i = 0; i < n; i++) {
			assert_memory_equal(iov[i].iov_base, bytes + at + done,
			    iov[i].iov_len);
			done += iov[i].iov_len;
		}
	}
	assert_int_equal(done, n_bytes);
}

static size_t
used_bytes(void)
{
	return tcp_pool_size(&pool) - tcp_pool_free_bytes(&pool);
}

/* Queues the next bytes of the pattern, as a read from a socket does. */
static void
read_into(struct tcp_queue *queue, size_t at, size_t want, size_t n_bytes, bool is_small)
{
	int n = tcp_queue_reserve(&pool, queue, want, is_small, iov, 64);
	size_t left = n_bytes;

	assert_true(tcp_pool_check(&pool));
	for (int i = 0; i < n && left > 0; i++) {
		size_t part = iov[i].iov_len < left ? iov[i].iov_len : left;

		memcpy(iov[i].iov_base, bytes + at, part);
		at += part;
		left -= part;
	}
	assert_int_equal(left, 0);
	tcp_queue_commit(&pool, queue, n_bytes);
}

static void
test_size_is_rounded_down_to_big_chunks(void **state)
{
	struct tcp_pool other;

	(void)state;
	assert_int_equal(tcp_pool_size(&pool), POOL_SIZE);
	assert_int_equal(tcp_pool_free_bytes(&pool), POOL_SIZE);
	assert_int_equal(tcp_pool_init(&other, TCP_CHUNK_BIG - 1), -1);
	tcp_pool_free(&other);
	assert_int_equal(tcp_pool_init(&other, (size_t)1 << 32), -1);
	tcp_pool_free(&other);
}

static void
test_reserved_room_is_data_only_after_commit(void **state)
{
	struct tcp_queue queue = { 0 };

	(void)state;
	assert_int_equal(tcp_queue_reserve(&pool, &queue, 200000, false, iov, 64), 4);
	assert_int_equal(iov[0].iov_len, TCP_CHUNK_BIG);
	assert_int_equal(iov[3].iov_len, 200000 - 3 * TCP_CHUNK_BIG);
	assert_int_equal(queue.n_bytes, 0);
	tcp_queue_commit(&pool, &queue, 0);
	assert_int_equal(used_bytes(), 0);
	assert_queue(&queue, 0, 0);
	read_into(&queue, 0, 200000, TCP_CHUNK_BIG + 1, false);
	assert_queue(&queue, 0, TCP_CHUNK_BIG + 1);
	assert_int_equal(used_bytes(), 2 * TCP_CHUNK_BIG);
	tcp_queue_clear(&pool, &queue);
	assert_int_equal(used_bytes(), 0);
}

static void
test_reserve_fills_at_most_n_iov(void **state)
{
	struct tcp_queue queue = { 0 };

	(void)state;
	assert_int_equal(tcp_queue_reserve(&pool, &queue, SIZE_MAX, false, iov, 2), 2);
	tcp_queue_commit(&pool, &queue, 0);
	assert_int_equal(tcp_queue_reserve(&pool, &queue, 0, false, iov, 2), 0);
}

static void
test_reserve_goes_on_in_the_last_chunk(void **state)
{
	struct tcp_queue queue = { 0 };
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		read_into(&queue, at, 1000, 100, true);
		at += 100;
	}
	assert_queue(&queue, 0, 4000);
	assert_int_equal(used_bytes(), TCP_CHUNK_SMALL);
	/* Less than the rest, all of it, and more. */
	assert_int_equal(tcp_queue_reserve(&pool, &queue, 95, true, iov, 64), 1);
	assert_int_equal(iov[0].iov_len, 95);
	tcp_queue_commit(&pool, &queue, 0);
	read_into(&queue, at, 97, 97, true);
	assert_queue(&queue, 0, 4097);
	assert_int_equal(used_bytes(), 2 * TCP_CHUNK_SMALL);
	tcp_queue_clear(&pool, &queue);
}

static void
test_long_queue_gets_big_chunks_for_short_data(void **state)
{
	struct tcp_queue queue = { 0 };

	(void)state;
	read_into(&queue, 0, TCP_CHUNK_BIG, TCP_CHUNK_BIG, true);
	assert_int_equal(used_bytes(), TCP_CHUNK_BIG);
	read_into(&queue, TCP_CHUNK_BIG, 10, 10, true);
	assert_int_equal(used_bytes(), 2 * TCP_CHUNK_BIG);
	assert_queue(&queue, 0, TCP_CHUNK_BIG + 10);
	tcp_queue_trim(&pool, &queue, 10);
	assert_int_equal(used_bytes(), TCP_CHUNK_BIG);
	assert_int_equal(tcp_queue_append(&pool, &queue, bytes + TCP_CHUNK_BIG, 10), 10);
	assert_int_equal(used_bytes(), 2 * TCP_CHUNK_BIG);
	assert_queue(&queue, 0, TCP_CHUNK_BIG + 10);
	tcp_queue_clear(&pool, &queue);
}

static void
test_append_copies_in_chunks_for_the_length(void **state)
{
	struct tcp_queue queue = { 0 };

	(void)state;
	assert_int_equal(tcp_queue_append(&pool, &queue, bytes, 1448), 1448);
	assert_int_equal(used_bytes(), TCP_CHUNK_SMALL);
	assert_int_equal(tcp_queue_append(&pool, &queue, bytes + 1448, 60000), 60000);
	assert_int_equal(used_bytes(), TCP_CHUNK_SMALL + TCP_CHUNK_BIG);
	assert_queue(&queue, 0, 61448);
	tcp_queue_clear(&pool, &queue);
}

static void
test_pieces_of_any_range(void **state)
{
	static const uint32_t edges[] = { 0, 1, 4095, 4096, 4097, 8192, 73728, 100000,
		139264, 270335, 270336 };
	struct tcp_queue queue = { 0 };

	(void)state;
	/* Two small chunks, then four big ones. */
	read_into(&queue, 0, 8192, 8192, true);
	read_into(&queue, 8192, 262144, 262144, false);
	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
		for (size_t j = i; j < sizeof(edges) / sizeof(*edges); j++) {
			uint32_t at = edges[i], len = edges[j] - edges[i];
			int n = tcp_queue_pieces(&pool, &queue, at, len, iov, 64);

			for (int k = 0; k < n; k++) {
				assert_true(iov[k].iov_len > 0 && iov[k].iov_len <= len);
				assert_memory_equal(iov[k].iov_base, bytes + at,
				    iov[k].iov_len);
				at += (uint32_t)iov[k].iov_len;
				len -= (uint32_t)iov[k].iov_len;
			}
			assert_int_equal(len, 0);
		}
	}
	assert_int_equal(tcp_queue_pieces(&pool, &queue, 0, 5000, iov, 1), 1);
	assert_int_equal(iov[0].iov_len, 4096);
	/* Nothing is behind the end. */
	assert_int_equal(tcp_queue_pieces(&pool, &queue, 270335, 9, iov, 64), 1);
	assert_int_equal(iov[0].iov_len, 1);
	assert_int_equal(tcp_queue_pieces(&pool, &queue, 270336, 9, iov, 64), 0);
	tcp_queue_clear(&pool, &queue);
	assert_int_equal(tcp_queue_pieces(&pool, &queue, 0, 9, iov, 64), 0);
}

static void
test_drop_and_trim_free_whole_chunks(void **state)
{
	struct tcp_queue queue = { 0 };

	(void)state;
	read_into(&queue, 0, 262144, 262144, false);
	tcp_queue_drop(&pool, &queue, 65535);
	assert_queue(&queue, 65535, 262144 - 65535);
	assert_int_equal(used_bytes(), 4 * TCP_CHUNK_BIG);
	tcp_queue_drop(&pool, &queue, 2);
	assert_queue(&queue, 65537, 262144 - 65537);
	assert_int_equal(used_bytes(), 3 * TCP_CHUNK_BIG);
	tcp_queue_trim(&pool, &queue, 65537);
	assert_queue(&queue, 65537, 262144 - 2 * 65537);
	assert_int_equal(used_bytes(), 2 * TCP_CHUNK_BIG);
	/* The trimmed bytes leave room at the end. */
	read_into(&queue, 262144 - 65537, 1, 1, false);
	assert_queue(&queue, 65537, 262144 - 2 * 65537 + 1);
	assert_int_equal(used_bytes(), 2 * TCP_CHUNK_BIG);
	tcp_queue_trim(&pool, &queue, UINT32_MAX);
	assert_queue(&queue, 0, 0);
	assert_int_equal(used_bytes(), 0);
	tcp_queue_drop(&pool, &queue, UINT32_MAX);
}

/* What was dropped at the front of a chunk is not room at its end. */
static void
test_chunk_that_lost_its_front_has_no_more_room(void **state)
{
	struct tcp_queue queue = { 0 }, behind = { 0 };

	(void)state;
	assert_int_equal(tcp_queue_append(&pool, &queue, bytes, 4000), 4000);
	tcp_queue_drop(&pool, &queue, 3000);
	assert_int_equal(tcp_queue_append(&pool, &queue, bytes + 4000, 2000), 2000);
	assert_queue(&queue, 3000, 3000);
	tcp_queue_clear(&pool, &queue);
	read_into(&queue, 0, 4000, 4000, true);
	tcp_queue_drop(&pool, &queue, 3000);
	read_into(&queue, 4000, 2000, 2000, true);
	assert_queue(&queue, 3000, 3000);
	tcp_queue_drop(&pool, &queue, 2000);
	assert_int_equal(tcp_queue_append(&pool, &behind, bytes + 6000, 3000), 3000);
	tcp_queue_join(&pool, &queue, &behind);
	assert_queue(&queue, 5000, 4000);
	tcp_queue_clear(&pool, &queue);
}

static void
test_join_moves_chunks_and_copies_short_data(void **state)
{
	struct tcp_queue to = { 0 }, from = { 0 };

	(void)state;
	/* An empty queue takes over the chunks. */
	tcp_queue_append(&pool, &from, bytes, 100);
	tcp_queue_join(&pool, &to, &from);
	assert_queue(&to, 0, 100);
	assert_queue(&from, 0, 0);
	/* Single bytes do not keep a chunk each. */
	for (size_t i = 100; i < 300; i++) {
		tcp_queue_append(&pool, &from, bytes + i, 1);
		tcp_queue_join(&pool, &to, &from);
	}
	assert_queue(&to, 0, 300);
	assert_int_equal(used_bytes(), TCP_CHUNK_SMALL);
	/* Long data keeps its chunks, and order. */
	tcp_queue_append(&pool, &from, bytes + 300, 70000);
	tcp_queue_join(&pool, &to, &from);
	assert_queue(&to, 0, 70300);
	assert_queue(&from, 0, 0);
	tcp_queue_join(&pool, &to, &from);
	assert_queue(&to, 0, 70300);
	tcp_queue_clear(&pool, &to);
	assert_int_equal(used_bytes(), 0);
}

static void
test_last_eighth_is_for_small_chunks(void **state)
{
	struct tcp_queue bulk = { 0 }, request = { 0 }, other = { 0 };

	(void)state;
	assert_false(tcp_pool_is_reserve_only(&pool));
	read_into(&bulk, 0, POOL_SIZE, POOL_SIZE - RESERVE_SIZE, false);
	assert_int_equal(tcp_pool_free_bytes(&pool), RESERVE_SIZE);
	assert_true(tcp_pool_is_reserve_only(&pool));
	/* Small, whatever the call asks for. */
	read_into(&request, 0, 5000, 5000, false);
	assert_int_equal(tcp_pool_free_bytes(&pool), RESERVE_SIZE - 2 * TCP_CHUNK_SMALL);
	assert_int_equal(tcp_queue_append(&pool, &other, bytes, POOL_SIZE),
	    RESERVE_SIZE - 2 * TCP_CHUNK_SMALL);
	assert_queue(&other, 0, RESERVE_SIZE - 2 * TCP_CHUNK_SMALL);
	assert_int_equal(tcp_queue_pieces(&pool, &other, 0, UINT32_MAX, iov, 64),
	    RESERVE_SIZE / TCP_CHUNK_SMALL - 2);
	assert_int_equal(tcp_pool_free_bytes(&pool), 0);
	assert_int_equal(tcp_queue_append(&pool, &other, bytes, 1), 0);
	assert_int_equal(tcp_queue_reserve(&pool, &other, 1, true, iov, 64), 0);
	/* The rest of a chunk is there even now. */
	read_into(&request, 5000, 3192, 3192, true);
	assert_queue(&request, 0, 8192);
	/* Small chunks of one block make a big one again. */
	tcp_queue_clear(&pool, &request);
	tcp_queue_clear(&pool, &other);
	tcp_queue_clear(&pool, &bulk);
	assert_int_equal(tcp_queue_reserve(&pool, &bulk, POOL_SIZE, false, iov, 64),
	    N_BLOCKS - N_BLOCKS / TCP_POOL_RESERVE_DIVISOR);
	tcp_queue_commit(&pool, &bulk, 0);
	assert_int_equal(used_bytes(), 0);
}

static void
test_call_outside_the_reserve_does_not_enter_it(void **state)
{
	struct tcp_queue queue = { 0 }, other = { 0 };

	(void)state;
	read_into(&other, 0, 1, 1, true);
	/* Whole big chunks, then small ones up to the reserve. */
	assert_int_equal(tcp_queue_append(&pool, &queue, bytes, POOL_SIZE),
	    POOL_SIZE - RESERVE_SIZE - TCP_CHUNK_SMALL);
	assert_int_equal(tcp_pool_free_bytes(&pool), RESERVE_SIZE);
	tcp_queue_trim(&pool, &queue, TCP_CHUNK_SMALL);
	assert_int_equal(tcp_queue_reserve(&pool, &queue, 100000, true, iov, 64), 1);
	tcp_queue_commit(&pool, &queue, TCP_CHUNK_SMALL);
	assert_int_equal(tcp_pool_free_bytes(&pool), RESERVE_SIZE);
	tcp_queue_clear(&pool, &queue);
	tcp_queue_clear(&pool, &other);
}

static void
test_chunk_used_last_is_used_first(void **state)
{
	struct tcp_queue queue = { 0 };
	void *first;

	(void)state;
	tcp_queue_reserve(&pool, &queue, 200000, false, iov, 64);
	first = iov[0].iov_base;
	tcp_queue_commit(&pool, &queue, 0);
	tcp_queue_reserve(&pool, &queue, 1, false, iov, 64);
	assert_ptr_equal(iov[0].iov_base, first);
	tcp_queue_commit(&pool, &queue, 0);
}

static void
test_small_chunk_of_a_full_block_is_used_again(void **state)
{
	struct tcp_queue queue = { 0 };
	void *first;

	(void)state;
	read_into(&queue, 0, TCP_CHUNK_BIG, TCP_CHUNK_BIG, true);
	tcp_queue_pieces(&pool, &queue, 0, 1, iov, 1);
	first = iov[0].iov_base;
	tcp_queue_drop(&pool, &queue, TCP_CHUNK_SMALL);
	assert_queue(&queue, TCP_CHUNK_SMALL, TCP_CHUNK_BIG - TCP_CHUNK_SMALL);
	assert_int_equal(tcp_queue_reserve(&pool, &queue, 1, true, iov, 1), 1);
	assert_ptr_equal(iov[0].iov_base, first);
	tcp_queue_commit(&pool, &queue, 0);
	tcp_queue_clear(&pool, &queue);
}

static size_t
resident_bytes(const struct tcp_pool *of)
{
	static unsigned char pages[65536];
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE), n = 0;

	assert_int_equal(mincore(of->data, tcp_pool_size(of) + TCP_CHUNK_BIG, pages), 0);
	for (size_t i = 0; i < (tcp_pool_size(of) + TCP_CHUNK_BIG) / page_size; i++)
		n += pages[i] & 1;
	return n * page_size;
}

static void
test_memory_of_free_chunks_goes_back(void **state)
{
	struct tcp_pool large;
	struct tcp_queue queue = { 0 };
	const uint8_t *last;
	size_t before;

	(void)state;
	assert_int_equal(tcp_pool_init(&large, (size_t)2 * TCP_POOL_RESIDENT_MAX), 0);
	assert_int_equal(resident_bytes(&large), 0);
	/* One byte does not cost a huge page. */
	assert_int_equal(tcp_queue_append(&large, &queue, bytes, 1), 1);
	assert_int_equal(resident_bytes(&large), sysconf(_SC_PAGESIZE));
	while (tcp_queue_append(&large, &queue, bytes, sizeof(bytes)) == sizeof(bytes))
		;
	before = resident_bytes(&large);
	assert_true(before > TCP_POOL_RESIDENT_MAX);
	/* Memory in use stays. */
	tcp_pool_give_back(&large);
	assert_int_equal(resident_bytes(&large), before);
	tcp_queue_pieces(&large, &queue, queue.n_bytes - 1, 1, iov, 1);
	last = iov[0].iov_base;
	tcp_queue_clear(&large, &queue);
	tcp_pool_give_back(&large);
	assert_true(resident_bytes(&large) < before);
	assert_true(resident_bytes(&large) > TCP_POOL_RESIDENT_MAX);
	for (int i = 0; i < 8; i++)
		tcp_pool_give_back(&large);
	assert_int_equal(resident_bytes(&large), TCP_POOL_RESIDENT_MAX);
	assert_true(tcp_pool_check(&large));
	/* The block that was used last keeps its memory. */
	tcp_queue_reserve(&large, &queue, 1, false, iov, 1);
	assert_in_range(last - (uint8_t *)iov[0].iov_base, 0, TCP_CHUNK_BIG - 1);
	tcp_queue_commit(&large, &queue, 0);
	tcp_pool_free(&large);
}

/* The check itself sees each kind of damage. */
static void
test_check_finds_damage(void **state)
{
	struct tcp_queue queue = { 0 }, alias;

	(void)state;
	read_into(&queue, 0, 12000, 12000, true);
	assert_true(tcp_pool_check(&pool));
	assert_int_equal(tcp_queue_check(&pool, &queue), 3 * TCP_CHUNK_SMALL);
	/* Two queues with the same chunks: the second one's end becomes wrong. */
	alias = queue;
	tcp_queue_trim(&pool, &alias, 4000);
	assert_true(tcp_queue_check(&pool, &queue) == SIZE_MAX);
	queue = alias;
	/* Sums. */
	pool.free_bytes += TCP_CHUNK_SMALL;
	assert_false(tcp_pool_check(&pool));
	pool.free_bytes -= TCP_CHUNK_SMALL;
	pool.n_resident++;
	assert_false(tcp_pool_check(&pool));
	pool.n_resident--;
	queue.n_bytes++;
	assert_true(tcp_queue_check(&pool, &queue) == SIZE_MAX);
	queue.n_bytes--;
	tcp_queue_clear(&pool, &queue);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_size_is_rounded_down_to_big_chunks),
		TEST(test_reserved_room_is_data_only_after_commit),
		TEST(test_reserve_fills_at_most_n_iov),
		TEST(test_reserve_goes_on_in_the_last_chunk),
		TEST(test_long_queue_gets_big_chunks_for_short_data),
		TEST(test_append_copies_in_chunks_for_the_length),
		TEST(test_pieces_of_any_range),
		TEST(test_drop_and_trim_free_whole_chunks),
		TEST(test_chunk_that_lost_its_front_has_no_more_room),
		TEST(test_join_moves_chunks_and_copies_short_data),
		TEST(test_last_eighth_is_for_small_chunks),
		TEST(test_call_outside_the_reserve_does_not_enter_it),
		TEST(test_chunk_used_last_is_used_first),
		TEST(test_small_chunk_of_a_full_block_is_used_again),
		TEST(test_memory_of_free_chunks_goes_back),
		TEST(test_check_finds_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
