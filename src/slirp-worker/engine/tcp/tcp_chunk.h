/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks of the pool of TCP data, for tcp_pool.c and tcp_queue.c only. */
#pragma once

#include "slirp-worker/engine/tcp/tcp_pool.h"

#define SMALL_PER_BLOCK (TCP_CHUNK_BIG / TCP_CHUNK_SMALL)
#define ALL_SMALL ((1U << SMALL_PER_BLOCK) - 1)

enum block_kind { BLOCK_FREE, BLOCK_BIG, BLOCK_SPLIT };

struct tcp_chunk {
	uint32_t next; /* 0: none */
	uint32_t prev;
	uint32_t start; /* offset in the chunk */
	uint32_t n_bytes;
};

struct tcp_block {
	TAILQ_ENTRY(tcp_block) link; /* in split, warm or cold; a full block is in none */
	uint16_t free_small;         /* a bit for each free small chunk */
	uint8_t kind;
};

/* An empty chunk that is in no list; 0 if there is none beside keep_bytes, which stay
 * free. A small one is taken if no big one is left. */
uint32_t tcp_chunk_take(struct tcp_pool *pool, bool is_small, size_t keep_bytes);
void tcp_chunk_give(struct tcp_pool *pool, uint32_t index);

static inline struct tcp_block *
block_of(const struct tcp_pool *pool, uint32_t index)
{
	return &pool->blocks[index / SMALL_PER_BLOCK];
}

static inline uint32_t
chunk_size(const struct tcp_pool *pool, uint32_t index)
{
	return block_of(pool, index)->kind == BLOCK_BIG ? TCP_CHUNK_BIG : TCP_CHUNK_SMALL;
}
