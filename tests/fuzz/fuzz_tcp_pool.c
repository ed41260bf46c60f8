/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of TCP data beside flat arrays: every queue has the bytes of its array, every
 * chunk has one owner, and the reserve is kept.
 *
 * Input: steps of four bytes: what to do, which queues, and a number of bytes.
 */
#include "base/bytes.h"
#include "slirp-worker/engine/tcp/tcp_pool.h"

#include <stdlib.h>
#include <string.h>

#define N_QUEUES 8
#define POOL_SIZE ((size_t)16 * TCP_CHUNK_BIG)
#define N_IOV 4
/* All checks walk through the pool after each step. */
#define STEPS_MAX 2000

enum { READ, APPEND, DROP, TRIM, JOIN, CLEAR, N_ACTIONS };

struct model {
	struct tcp_queue queue;
	size_t len;
	uint8_t bytes[POOL_SIZE];
};

static struct tcp_pool pool;
static struct model models[N_QUEUES];
static uint8_t source[POOL_SIZE + 251];

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* Compares len bytes from offset on, a few pieces at a time. */
static void
compare(const struct model *model, size_t offset, size_t len)
{
	struct iovec iov[N_IOV];

	while (len > 0) {
		int n = tcp_queue_pieces(&pool, &model->queue, (uint32_t)offset,
		    (uint32_t)len, iov, N_IOV);

		promise(n > 0 && n <= N_IOV);
		for (int i = 0; i < n; i++) {
			promise(iov[i].iov_len > 0 && iov[i].iov_len <= len);
			promise(memcmp(iov[i].iov_base, model->bytes + offset,
				    iov[i].iov_len) == 0);
			offset += iov[i].iov_len;
			len -= iov[i].iov_len;
		}
	}
}

static void
check(void)
{
	size_t used = 0;

	promise(tcp_pool_check(&pool));
	for (int i = 0; i < N_QUEUES; i++) {
		size_t memory = tcp_queue_check(&pool, &models[i].queue);

		promise(memory != SIZE_MAX);
		promise(models[i].queue.n_bytes == models[i].len);
		used += memory;
	}
	promise(used + tcp_pool_free_bytes(&pool) == POOL_SIZE);
}

/* The next bytes to queue; different each time, with a period that no chunk has. */
static const uint8_t *
fresh(size_t n_bytes)
{
	static size_t at;

	at = (at + n_bytes) % 251;
	return source + at;
}

/* A read from a socket: it may fill less than the room. */
static void
read_some(struct model *model, bool is_small, int n_iov, size_t want, size_t n_bytes)
{
	bool in_reserve = tcp_pool_is_reserve_only(&pool);
	const uint8_t *data = fresh(n_bytes);
	struct iovec iov[N_IOV];
	int n = tcp_queue_reserve(&pool, &model->queue, want, is_small, iov, n_iov);
	size_t done = 0, room = 0;

	promise(n >= 0 && n <= n_iov && (in_reserve || want == 0 || n > 0));
	promise(tcp_pool_check(&pool));
	if (n == 0)
		return;
	for (int i = 0; i < n; i++) {
		size_t part =
		    iov[i].iov_len < n_bytes - done ? iov[i].iov_len : n_bytes - done;

		room += iov[i].iov_len;
		memcpy(iov[i].iov_base, data + done, part);
		done += part;
	}
	promise(room <= want);
	memcpy(model->bytes + model->len, data, done);
	model->len += done;
	tcp_queue_commit(&pool, &model->queue, done);
	promise(in_reserve ||
	    tcp_pool_free_bytes(&pool) >= POOL_SIZE / TCP_POOL_RESERVE_DIVISOR);
}

static void
append(struct model *model, size_t len)
{
	bool in_reserve = tcp_pool_is_reserve_only(&pool);
	const uint8_t *data = fresh(len);
	size_t done = tcp_queue_append(&pool, &model->queue, data, len);

	promise(done <= len && (in_reserve || len == 0 || done > 0));
	promise(in_reserve ||
	    tcp_pool_free_bytes(&pool) >= POOL_SIZE / TCP_POOL_RESERVE_DIVISOR);
	memcpy(model->bytes + model->len, data, done);
	model->len += done;
}

static void
drop(struct model *model, size_t n_bytes)
{
	tcp_queue_drop(&pool, &model->queue, (uint32_t)n_bytes);
	if (n_bytes > model->len)
		n_bytes = model->len;
	model->len -= n_bytes;
	memmove(model->bytes, model->bytes + n_bytes, model->len);
}

static void
step(const uint8_t *data)
{
	struct model *model = &models[data[1] % N_QUEUES];
	struct model *other = &models[data[1] / N_QUEUES % N_QUEUES];
	/* Small numbers and large ones. */
	size_t n = (size_t)load_be16(data + 2) >> 5 << data[0] / N_ACTIONS % 8;

	switch (data[0] % N_ACTIONS) {
	case READ:
		read_some(model, data[1] & 64, 1 + (data[1] >> 7) * 3, n,
		    n * (data[3] & 31) / 31);
		break;
	case APPEND:
		append(model, n);
		break;
	case DROP:
		drop(model, n);
		break;
	case TRIM:
		tcp_queue_trim(&pool, &model->queue, (uint32_t)n);
		model->len -= n < model->len ? n : model->len;
		break;
	case JOIN:
		if (model == other)
			break;
		tcp_queue_join(&pool, &model->queue, &other->queue);
		memcpy(model->bytes + model->len, other->bytes, other->len);
		model->len += other->len;
		other->len = 0;
		break;
	case CLEAR:
		tcp_queue_clear(&pool, &model->queue);
		model->len = 0;
		break;
	}
	check();
	/* The end, where a step changes most, and a part of the middle. */
	n = model->len < 100 ? model->len : 100;
	compare(model, model->len - n, n);
	n = model->len / 3;
	compare(model, n, n < 5000 ? n : 5000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (uint8_t)(i % 251);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	promise(tcp_pool_init(&pool, POOL_SIZE) == 0);
	for (int i = 0; i < N_QUEUES; i++) {
		models[i].queue = (struct tcp_queue){ 0 };
		models[i].len = 0;
	}
	for (size_t i = 0; i + 4 <= size && i < (size_t)4 * STEPS_MAX; i += 4)
		step(data + i);
	for (int i = 0; i < N_QUEUES; i++) {
		compare(&models[i], 0, models[i].len);
		tcp_queue_clear(&pool, &models[i].queue);
	}
	promise(tcp_pool_check(&pool) && tcp_pool_free_bytes(&pool) == POOL_SIZE);
	tcp_pool_free(&pool);
	return 0;
}
