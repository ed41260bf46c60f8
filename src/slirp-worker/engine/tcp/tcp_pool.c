/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of TCP data: blocks of memory, and chunks of them.
 *
 * Theory of operation
 * The pool consists of blocks of 64 KiB. A block is free, or one big chunk, or split into
 * 16 small chunks; it is free again when the last of these is. A chunk is named by the
 * number of its first page. Block 0 is never used, so that 0 means "none".
 *
 * Descriptors of blocks and chunks are beside the data, in front of it in the same
 * mapping: data is page-aligned, and data that runs over its end does not reach them.
 */
#include "slirp-worker/engine/tcp/tcp_pool.h"

#include "base/mapping.h"
#include "slirp-worker/engine/tcp/tcp_chunk.h"

#include <assert.h>
#include <errno.h>

#include <sys/mman.h>

/* 8 MiB a second: 128 calls of madvise(2) take less than a millisecond. */
#define GIVE_BACK_MAX 128

static_assert(SMALL_PER_BLOCK == 16, "free_small has a bit for each small chunk");

int
tcp_pool_init(struct tcp_pool *pool, size_t size)
{
	size_t n_blocks = size / TCP_CHUNK_BIG + 1;
	size_t chunks_len = n_blocks * SMALL_PER_BLOCK * sizeof(struct tcp_chunk);
	size_t blocks_len = n_blocks * sizeof(struct tcp_block);
	/* Rounded up, so that data is aligned with any size of pages. */
	size_t data_at =
	    (chunks_len + blocks_len + TCP_CHUNK_BIG - 1) / TCP_CHUNK_BIG * TCP_CHUNK_BIG;

	*pool = (struct tcp_pool){ 0 };
	/* A queue counts its bytes in 32 bits. */
	if (n_blocks < 2 || n_blocks > UINT32_MAX / TCP_CHUNK_BIG) {
		errno = EINVAL;
		return -1;
	}
	pool->mapping_len = data_at + n_blocks * TCP_CHUNK_BIG;
	pool->mapping = mapping_new(pool->mapping_len);
	if (pool->mapping == NULL)
		return -1;
	pool->chunks = pool->mapping;
	pool->blocks = (struct tcp_block *)((uint8_t *)pool->mapping + chunks_len);
	pool->data = (uint8_t *)pool->mapping + data_at;
	pool->n_blocks = (uint32_t)n_blocks;
	pool->size = (n_blocks - 1) * TCP_CHUNK_BIG;
	pool->free_bytes = pool->size;
	pool->reserve_bytes =
	    pool->size / TCP_POOL_RESERVE_DIVISOR / TCP_CHUNK_SMALL * TCP_CHUNK_SMALL;
	TAILQ_INIT(&pool->split);
	TAILQ_INIT(&pool->warm);
	TAILQ_INIT(&pool->cold);
	for (uint32_t i = 1; i < pool->n_blocks; i++)
		TAILQ_INSERT_TAIL(&pool->cold, &pool->blocks[i], link);
	return 0;
}

void
tcp_pool_free(struct tcp_pool *pool)
{
	if (pool->mapping != NULL)
		munmap(pool->mapping, pool->mapping_len);
	*pool = (struct tcp_pool){ 0 };
}

size_t
tcp_pool_size(const struct tcp_pool *pool)
{
	return pool->size;
}

size_t
tcp_pool_free_bytes(const struct tcp_pool *pool)
{
	return pool->free_bytes;
}

bool
tcp_pool_is_reserve_only(const struct tcp_pool *pool)
{
	return pool->free_bytes <= pool->reserve_bytes;
}

bool
tcp_pool_has_surplus(const struct tcp_pool *pool)
{
	return !TAILQ_EMPTY(&pool->warm) &&
	    pool->n_resident > TCP_POOL_RESIDENT_MAX / TCP_CHUNK_BIG;
}

void
tcp_pool_give_back(struct tcp_pool *pool)
{
	for (int i = 0; i < GIVE_BACK_MAX && tcp_pool_has_surplus(pool); i++) {
		struct tcp_block *block = TAILQ_LAST(&pool->warm, tcp_block_list);

		madvise(pool->data + (size_t)(block - pool->blocks) * TCP_CHUNK_BIG,
		    TCP_CHUNK_BIG, MADV_DONTNEED);
		TAILQ_REMOVE(&pool->warm, block, link);
		TAILQ_INSERT_HEAD(&pool->cold, block, link);
		pool->n_resident--;
	}
}

/* Chunks: taken from blocks, and given back. */

static struct tcp_block *
block_take(struct tcp_pool *pool, enum block_kind kind)
{
	struct tcp_block *block = TAILQ_FIRST(&pool->warm);

	if (block != NULL) {
		TAILQ_REMOVE(&pool->warm, block, link);
	} else if ((block = TAILQ_FIRST(&pool->cold)) != NULL) {
		TAILQ_REMOVE(&pool->cold, block, link);
		pool->n_resident++;
	} else {
		return NULL;
	}
	block->kind = (uint8_t)kind;
	return block;
}

static void
block_give(struct tcp_pool *pool, struct tcp_block *block)
{
	block->kind = BLOCK_FREE;
	block->free_small = 0;
	TAILQ_INSERT_HEAD(&pool->warm, block, link);
}

uint32_t
tcp_chunk_take(struct tcp_pool *pool, bool is_small, size_t keep_bytes)
{
	struct tcp_block *block = NULL;
	uint32_t index, nth = 0;

	if (!is_small && pool->free_bytes >= keep_bytes + TCP_CHUNK_BIG)
		block = block_take(pool, BLOCK_BIG);
	if (block == NULL) {
		if (pool->free_bytes < keep_bytes + TCP_CHUNK_SMALL)
			return 0;
		block = TAILQ_FIRST(&pool->split);
		if (block == NULL) {
			block = block_take(pool, BLOCK_SPLIT);
			block->free_small = ALL_SMALL;
			TAILQ_INSERT_HEAD(&pool->split, block, link);
		}
		nth = (uint32_t)__builtin_ctz(block->free_small);
		block->free_small &= (uint16_t)(block->free_small - 1);
		if (block->free_small == 0)
			TAILQ_REMOVE(&pool->split, block, link);
	}
	index = (uint32_t)(block - pool->blocks) * SMALL_PER_BLOCK + nth;
	pool->chunks[index] = (struct tcp_chunk){ 0 };
	pool->free_bytes -= chunk_size(pool, index);
	return index;
}

void
tcp_chunk_give(struct tcp_pool *pool, uint32_t index)
{
	struct tcp_block *block = block_of(pool, index);

	pool->free_bytes += chunk_size(pool, index);
	if (block->kind == BLOCK_BIG) {
		block_give(pool, block);
		return;
	}
	if (block->free_small == 0)
		TAILQ_INSERT_HEAD(&pool->split, block, link);
	block->free_small |= (uint16_t)(1U << index % SMALL_PER_BLOCK);
	if (block->free_small == ALL_SMALL) {
		TAILQ_REMOVE(&pool->split, block, link);
		block_give(pool, block);
	}
}
