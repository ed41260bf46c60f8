/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of TCP data: one pool for each worker, and queues of bytes in it. A queue is
 * a list of chunks; it costs no memory while it is empty. The pool is mapped once, before
 * the jail. Later its only system call is madvise(2), in tcp_pool_give_back().
 *
 * All functions take a time that does not depend on the pool's size. Those that walk
 * through a queue say so. A queue of 4 MiB has 64 big chunks, or 1,024 small ones if no
 * big chunk was free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/queue.h>
#include <sys/uio.h>

/* A big chunk holds the longest frame: most frames then are one or two pieces. */
#define TCP_CHUNK_BIG 65536
/* A page, so that the pages of an unused chunk can go back to the kernel. */
#define TCP_CHUNK_SMALL 4096

/* This part of the pool is the reserve. It is given out as small chunks only. */
#define TCP_POOL_RESERVE_DIVISOR 8

/* Memory that may stay resident while nothing uses it. */
#define TCP_POOL_RESIDENT_MAX (32U * 1024 * 1024)

/* All zeros: empty. Owned by the caller, who may copy it, but then uses one copy only. */
struct tcp_queue {
	uint32_t first; /* chunks; 0: none */
	uint32_t last;
	uint32_t n_bytes;
};

struct tcp_chunk;
struct tcp_block;
TAILQ_HEAD(tcp_block_list, tcp_block);

struct tcp_pool {
	uint8_t *data;            /* chunk i begins at byte i * TCP_CHUNK_SMALL */
	struct tcp_chunk *chunks; /* one for each small chunk; a big one has its first */
	struct tcp_block *blocks; /* one for each big chunk; block 0 is not used */
	uint32_t n_blocks;
	uint32_t n_resident; /* blocks that may have pages of memory */
	size_t size;
	size_t free_bytes;
	size_t reserve_bytes;
	struct tcp_block_list split; /* in small chunks, of which some are free */
	struct tcp_block_list warm;  /* free and resident; the last used one is first */
	struct tcp_block_list cold;  /* free and not resident */
	struct tcp_queue open;       /* chunks of the open reservation, without bytes */
	const struct tcp_queue *open_for;
	void *mapping;
	size_t mapping_len;
};

/* Maps a pool for size bytes of data, rounded down to big chunks; it is not resident.
 * Returns 0, or -1 with errno set. tcp_pool_free() may be called in both cases. The pool
 * must not move in memory. */
int tcp_pool_init(struct tcp_pool *pool, size_t size);
void tcp_pool_free(struct tcp_pool *pool);

/* The bytes of all chunks, and of those that no queue has. Both include the reserve. */
size_t tcp_pool_size(const struct tcp_pool *pool);
size_t tcp_pool_free_bytes(const struct tcp_pool *pool);

/*
 * Whether only the reserve is left. Then only a flow without any data in the pool should
 * ask for room, and none for data that came out of order: requests go on while bulk data
 * waits. The pool does not know flows, so the caller asks this first.
 *
 * A call that begins outside the reserve does not enter it. A call that begins in the
 * reserve gets small chunks, whatever it asks for.
 */
bool tcp_pool_is_reserve_only(const struct tcp_pool *pool);

/* Gives the memory of free big chunks back to the kernel until TCP_POOL_RESIDENT_MAX is
 * resident, a limited number of chunks in each call. To be called once a second. */
void tcp_pool_give_back(struct tcp_pool *pool);

/* Whether tcp_pool_give_back() has something to do. */
bool tcp_pool_has_surplus(const struct tcp_pool *pool);

/*
 * Fills iov with room for up to want bytes behind the end of the queue: the rest of its
 * last chunk, then new chunks. is_small asks for small ones; a queue that already has the
 * bytes of a big chunk gets big ones. Small chunks also come if no big one is free.
 *
 * Returns how many entries of iov it filled, at most n_iov. They may hold less than want.
 * 0: there is no room. Otherwise tcp_queue_commit() of the same queue has to follow,
 * before any other call that changes the pool or one of its queues.
 */
int tcp_queue_reserve(struct tcp_pool *pool, struct tcp_queue *queue, size_t want,
    bool is_small, struct iovec *iov, int n_iov);

/* The first n_bytes of the reserved room are data from now on; 0 is allowed. Chunks
 * without data go back to the pool. */
void tcp_queue_commit(struct tcp_pool *pool, struct tcp_queue *queue, size_t n_bytes);

/* Copies data to the end of the queue, in big chunks if the data or the queue is long.
 * Returns how many bytes it took: less than len if there is no more room. */
size_t tcp_queue_append(struct tcp_pool *pool, struct tcp_queue *queue,
    const uint8_t *data, size_t len);

/*
 * Fills iov with the pieces of len bytes from offset on. Returns how many it filled, at
 * most n_iov; then they may hold less than len. Bytes behind the queue's end are left
 * out. The pieces stay valid until the bytes are dropped or trimmed, or the queue is
 * joined behind another one.
 *
 * Walks from the nearer end of the queue. Data that was just read is at its end, and data
 * that is sent again is at its start: both take a few steps. The middle takes at most
 * half of the queue's chunks.
 */
int tcp_queue_pieces(const struct tcp_pool *pool, const struct tcp_queue *queue,
    uint32_t offset, uint32_t len, struct iovec *iov, int n_iov);

/* Takes n_bytes away from the front of the queue, or from its end; all if it has fewer.
 * Walks through the chunks that become free. */
void tcp_queue_drop(struct tcp_pool *pool, struct tcp_queue *queue, uint32_t n_bytes);
void tcp_queue_trim(struct tcp_pool *pool, struct tcp_queue *queue, uint32_t n_bytes);
void tcp_queue_clear(struct tcp_pool *pool, struct tcp_queue *queue);

/* Moves all bytes of `from` behind those of `to`; `from` is empty then. Copies at most 16
 * KiB, so that a guest which sends single bytes out of order does not fill the pool with
 * chunks of one byte. */
void tcp_queue_join(struct tcp_pool *pool, struct tcp_queue *to, struct tcp_queue *from);

/*
 * For tests: whether every chunk is free or in one list, the lists are sound, and all
 * sums agree. Walks through the pool. tcp_queue_check() does the same for one queue and
 * returns the bytes of its chunks, SIZE_MAX if something is wrong: the sum over all
 * queues is tcp_pool_size() - tcp_pool_free_bytes().
 */
bool tcp_pool_check(const struct tcp_pool *pool);
size_t tcp_queue_check(const struct tcp_pool *pool, const struct tcp_queue *queue);
