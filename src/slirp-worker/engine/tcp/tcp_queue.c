/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues of bytes in the pool of TCP data.
 *
 * Theory of operation
 * The chunks of a queue are linked in both directions. The bytes of a chunk begin at its
 * `start`; every chunk has at least one byte. The chunks of an open reservation are in
 * pool->open, without bytes.
 */
#include "slirp-worker/engine/tcp/tcp_pool.h"

#include "slirp-worker/engine/tcp/tcp_chunk.h"

#include <assert.h>
#include <string.h>

/* Data up to this length is worth a copy or small chunks. In a big chunk of its own it
 * would leave three quarters unused. */
#define SHORT_MAX (TCP_CHUNK_BIG / 4)

static uint8_t *
chunk_bytes(const struct tcp_pool *pool, uint32_t index, uint32_t offset)
{
	return pool->data + (size_t)index * TCP_CHUNK_SMALL + pool->chunks[index].start +
	    offset;
}

static void
push_back(struct tcp_pool *pool, struct tcp_queue *queue, uint32_t index)
{
	struct tcp_chunk *chunk = &pool->chunks[index];

	chunk->next = 0;
	chunk->prev = queue->last;
	if (queue->last != 0)
		pool->chunks[queue->last].next = index;
	else
		queue->first = index;
	queue->last = index;
	queue->n_bytes += chunk->n_bytes;
}

static uint32_t
pop_front(struct tcp_pool *pool, struct tcp_queue *queue)
{
	uint32_t index = queue->first;

	queue->first = pool->chunks[index].next;
	if (queue->first != 0)
		pool->chunks[queue->first].prev = 0;
	else
		queue->last = 0;
	queue->n_bytes -= pool->chunks[index].n_bytes;
	return index;
}

static uint32_t
pop_back(struct tcp_pool *pool, struct tcp_queue *queue)
{
	uint32_t index = queue->last;

	queue->last = pool->chunks[index].prev;
	if (queue->last != 0)
		pool->chunks[queue->last].next = 0;
	else
		queue->first = 0;
	queue->n_bytes -= pool->chunks[index].n_bytes;
	return index;
}

/* Bytes that fit behind those of the last chunk. */
static uint32_t
room_at_end(const struct tcp_pool *pool, const struct tcp_queue *queue)
{
	const struct tcp_chunk *last = &pool->chunks[queue->last];

	return queue->last == 0
	    ? 0
	    : chunk_size(pool, queue->last) - last->start - last->n_bytes;
}

static uint8_t *
end_of(const struct tcp_pool *pool, const struct tcp_queue *queue)
{
	return chunk_bytes(pool, queue->last, pool->chunks[queue->last].n_bytes);
}

static void
grow_last(struct tcp_pool *pool, struct tcp_queue *queue, size_t n_bytes)
{
	pool->chunks[queue->last].n_bytes += (uint32_t)n_bytes;
	queue->n_bytes += (uint32_t)n_bytes;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Whether the queue gets big chunks in any case: small ones would become many. */
static bool
is_long(const struct tcp_queue *queue)
{
	return queue->n_bytes >= TCP_CHUNK_BIG;
}

int
tcp_queue_reserve(struct tcp_pool *pool, struct tcp_queue *queue, size_t want,
    bool is_small, struct iovec *iov, int n_iov)
{
	bool in_reserve = tcp_pool_is_reserve_only(pool);
	size_t keep_bytes = in_reserve ? 0 : pool->reserve_bytes;
	size_t room = smaller(room_at_end(pool, queue), want);
	int n = 0;

	assert(pool->open_for == NULL);
	is_small = in_reserve || (is_small && !is_long(queue));
	if (room > 0 && n_iov > 0) {
		iov[n++] = (struct iovec){ end_of(pool, queue), room };
		want -= room;
	}
	while (want > 0 && n < n_iov) {
		uint32_t index = tcp_chunk_take(pool, is_small, keep_bytes);

		if (index == 0)
			break;
		push_back(pool, &pool->open, index);
		room = smaller(chunk_size(pool, index), want);
		iov[n++] = (struct iovec){ chunk_bytes(pool, index, 0), room };
		want -= room;
	}
	if (n > 0)
		pool->open_for = queue;
	return n;
}

void
tcp_queue_commit(struct tcp_pool *pool, struct tcp_queue *queue, size_t n_bytes)
{
	size_t room = smaller(room_at_end(pool, queue), n_bytes);

	assert(pool->open_for == queue);
	if (room > 0) {
		grow_last(pool, queue, room);
		n_bytes -= room;
	}
	while (n_bytes > 0 && pool->open.first != 0) {
		push_back(pool, queue, pop_front(pool, &pool->open));
		room = smaller(room_at_end(pool, queue), n_bytes);
		grow_last(pool, queue, room);
		n_bytes -= room;
	}
	assert(n_bytes == 0);
	/* The chunk taken first is given last: its memory is the most recently used. */
	while (pool->open.last != 0)
		tcp_chunk_give(pool, pop_back(pool, &pool->open));
	pool->open_for = NULL;
}

size_t
tcp_queue_append(struct tcp_pool *pool, struct tcp_queue *queue, const uint8_t *data,
    size_t len)
{
	bool in_reserve = tcp_pool_is_reserve_only(pool);
	size_t keep_bytes = in_reserve ? 0 : pool->reserve_bytes;
	size_t left = len;

	assert(pool->open_for == NULL);
	while (left > 0) {
		size_t n = smaller(room_at_end(pool, queue), left);

		if (n == 0) {
			bool is_small = left <= SHORT_MAX && !is_long(queue);
			uint32_t index =
			    tcp_chunk_take(pool, in_reserve || is_small, keep_bytes);

			if (index == 0)
				break;
			push_back(pool, queue, index);
			continue;
		}
		memcpy(end_of(pool, queue), data, n);
		grow_last(pool, queue, n);
		data += n;
		left -= n;
	}
	return len - left;
}

/* The chunk with the byte at *offset, which becomes an offset in this chunk. */
static uint32_t
find(const struct tcp_pool *pool, const struct tcp_queue *queue, uint32_t *offset)
{
	uint32_t index, start;

	if (*offset < queue->n_bytes / 2) {
		index = queue->first;
		while (*offset >= pool->chunks[index].n_bytes) {
			*offset -= pool->chunks[index].n_bytes;
			index = pool->chunks[index].next;
		}
		return index;
	}
	index = queue->last;
	start = queue->n_bytes - pool->chunks[index].n_bytes;
	while (*offset < start) {
		index = pool->chunks[index].prev;
		start -= pool->chunks[index].n_bytes;
	}
	*offset -= start;
	return index;
}

int
tcp_queue_pieces(const struct tcp_pool *pool, const struct tcp_queue *queue,
    uint32_t offset, uint32_t len, struct iovec *iov, int n_iov)
{
	uint32_t index;
	int n = 0;

	if (offset >= queue->n_bytes)
		return 0;
	len = (uint32_t)smaller(len, queue->n_bytes - offset);
	index = find(pool, queue, &offset);
	for (; len > 0 && n < n_iov; index = pool->chunks[index].next) {
		size_t n_bytes = smaller(pool->chunks[index].n_bytes - offset, len);

		iov[n++] = (struct iovec){ chunk_bytes(pool, index, offset), n_bytes };
		len -= (uint32_t)n_bytes;
		offset = 0;
	}
	return n;
}

void
tcp_queue_drop(struct tcp_pool *pool, struct tcp_queue *queue, uint32_t n_bytes)
{
	while (n_bytes > 0 && queue->first != 0) {
		struct tcp_chunk *chunk = &pool->chunks[queue->first];

		if (n_bytes < chunk->n_bytes) {
			chunk->start += n_bytes;
			chunk->n_bytes -= n_bytes;
			queue->n_bytes -= n_bytes;
			return;
		}
		n_bytes -= chunk->n_bytes;
		tcp_chunk_give(pool, pop_front(pool, queue));
	}
}

void
tcp_queue_trim(struct tcp_pool *pool, struct tcp_queue *queue, uint32_t n_bytes)
{
	while (n_bytes > 0 && queue->last != 0) {
		struct tcp_chunk *chunk = &pool->chunks[queue->last];

		if (n_bytes < chunk->n_bytes) {
			chunk->n_bytes -= n_bytes;
			queue->n_bytes -= n_bytes;
			return;
		}
		n_bytes -= chunk->n_bytes;
		tcp_chunk_give(pool, pop_back(pool, queue));
	}
}

void
tcp_queue_clear(struct tcp_pool *pool, struct tcp_queue *queue)
{
	tcp_queue_drop(pool, queue, queue->n_bytes);
}

void
tcp_queue_join(struct tcp_pool *pool, struct tcp_queue *to, struct tcp_queue *from)
{
	uint32_t n_bytes = pool->chunks[from->first].n_bytes;

	if (from->first != 0 && n_bytes <= SHORT_MAX &&
	    n_bytes <= room_at_end(pool, to)) {
		memcpy(end_of(pool, to), chunk_bytes(pool, from->first, 0), n_bytes);
		grow_last(pool, to, n_bytes);
		tcp_queue_drop(pool, from, n_bytes);
	}
	if (from->first == 0)
		return;
	if (to->first == 0) {
		*to = *from;
	} else {
		pool->chunks[to->last].next = from->first;
		pool->chunks[from->first].prev = to->last;
		to->last = from->last;
		to->n_bytes += from->n_bytes;
	}
	*from = (struct tcp_queue){ 0 };
}

/* Checks, for tests. */

static bool
is_used(const struct tcp_pool *pool, uint32_t index)
{
	const struct tcp_block *block;

	if (index < SMALL_PER_BLOCK || index >= pool->n_blocks * SMALL_PER_BLOCK)
		return false;
	block = block_of(pool, index);
	if (block->kind == BLOCK_SPLIT)
		return (block->free_small & 1U << index % SMALL_PER_BLOCK) == 0;
	return block->kind == BLOCK_BIG && index % SMALL_PER_BLOCK == 0;
}

/* The list that begins with found->first: sets the rest of *found. Returns the bytes of
 * its chunks, SIZE_MAX if the list is not sound. */
static size_t
walk(const struct tcp_pool *pool, struct tcp_queue *found, bool is_open)
{
	size_t memory = 0;

	found->last = 0;
	found->n_bytes = 0;
	for (uint32_t i = found->first; i != 0; i = pool->chunks[i].next) {
		const struct tcp_chunk *chunk = &pool->chunks[i];

		if (!is_used(pool, i) || chunk->prev != found->last ||
		    (chunk->n_bytes == 0) != is_open || memory >= pool->size ||
		    chunk->start + chunk->n_bytes > chunk_size(pool, i))
			return SIZE_MAX;
		found->last = i;
		found->n_bytes += chunk->n_bytes;
		memory += chunk_size(pool, i);
	}
	return memory;
}

static size_t
check_list(const struct tcp_pool *pool, const struct tcp_queue *queue, bool is_open)
{
	struct tcp_queue found = { .first = queue->first };
	size_t memory = walk(pool, &found, is_open);

	return found.last == queue->last && found.n_bytes == queue->n_bytes ? memory
									    : SIZE_MAX;
}

size_t
tcp_queue_check(const struct tcp_pool *pool, const struct tcp_queue *queue)
{
	return check_list(pool, queue, false);
}

static uint32_t
count(const struct tcp_block_list *list, uint32_t limit)
{
	const struct tcp_block *block;
	uint32_t n = 0;

	TAILQ_FOREACH(block, list, link)
	{
		if (n++ == limit)
			break;
	}
	return n;
}

static bool
check_blocks(const struct tcp_pool *pool)
{
	uint32_t n_cold = count(&pool->cold, pool->n_blocks);
	uint32_t n_free = 0, n_split = 0;

	for (uint32_t i = 1; i < pool->n_blocks; i++) {
		const struct tcp_block *block = &pool->blocks[i];

		if (block->free_small == ALL_SMALL ||
		    (block->kind != BLOCK_SPLIT && block->free_small != 0))
			return false;
		n_free += block->kind == BLOCK_FREE;
		n_split += block->free_small != 0;
	}
	return count(&pool->split, pool->n_blocks) == n_split &&
	    count(&pool->warm, pool->n_blocks) + n_cold == n_free &&
	    pool->n_resident + n_cold == pool->n_blocks - 1;
}

bool
tcp_pool_check(const struct tcp_pool *pool)
{
	size_t used_bytes = 0, listed_bytes = 0;

	if (!check_blocks(pool) || check_list(pool, &pool->open, true) == SIZE_MAX)
		return false;
	/* Every list begins with a chunk that has no chunk before it. A circle does not
	 * have one, so its bytes are missing from the second sum. */
	for (uint32_t i = 0; i < pool->n_blocks * SMALL_PER_BLOCK; i++) {
		struct tcp_queue list = { .first = i };
		size_t memory;

		if (!is_used(pool, i))
			continue;
		used_bytes += chunk_size(pool, i);
		if (pool->chunks[i].prev != 0)
			continue;
		memory = walk(pool, &list, i == pool->open.first);
		if (memory == SIZE_MAX)
			return false;
		listed_bytes += memory;
	}
	return used_bytes == listed_bytes && used_bytes + pool->free_bytes == pool->size;
}
