/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows, and counts by address, beside an array: each flow is found by its
 * key and its handle as long as it lives, and never again.
 *
 * Input: steps of two bytes: what to do, and with which key.
 */
#include "slirp-worker/flow/addr_count.h"
#include "model/flow_table.h"

#include <stdlib.h>
#include <string.h>

/* More than there are places, so that the table is full at times. */
#define N_KEYS 64
#define N_MAX 40
#define N_ADDRESSES 8
#define COUNT_MAX 6

enum { ADD, ADD_TOO, REMOVE, REMOVE_IN_WALK, REAP, COUNT, COUNT_BACK, N_ACTIONS };

struct flow {
	struct flow_link link;
	uint64_t data;
	uint8_t tail[16];
};

static struct model {
	struct flow *flow; /* NULL: not in the table */
	uint64_t data;
	uint32_t index;
	uint32_t generation;
	uint32_t old_index; /* the handle of the last flow that was removed */
	uint32_t old_generation;
} models[N_KEYS];
static struct flow_table table;
static struct addr_count counts;
static uint32_t n_counted[2 * N_ADDRESSES];
static uint32_t n_live, n_dead;
static uint64_t n_added;

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static struct flow_key
key(uint8_t number)
{
	return (struct flow_key){ .guest_port = number, .peer_address = { number / 3 } };
}

static void
add(uint8_t number)
{
	static const uint8_t zeros[sizeof(((struct flow *)0)->tail)];
	struct flow_key wanted = key(number);
	struct model *model = &models[number];
	struct flow *flow;

	if (model->flow != NULL)
		return;
	flow = flow_table_add(&table, &wanted);
	promise((flow == NULL) == (n_live + n_dead == N_MAX));
	if (flow == NULL)
		return;
	promise(flow->data == 0 && memcmp(flow->tail, zeros, sizeof(zeros)) == 0);
	n_live++;
	model->flow = flow;
	model->index = flow_table_index(&table, flow);
	model->generation = flow->link.generation;
	model->data = flow->data = ++n_added;
	memset(flow->tail, 0xff, sizeof(flow->tail));
}

static void
drop(struct model *model)
{
	if (model->flow == NULL)
		return;
	flow_table_remove(&table, model->flow);
	promise(model->flow->data == model->data);
	model->old_index = model->index;
	model->old_generation = model->generation;
	model->flow = NULL;
	n_live--;
	n_dead++;
}

static void
drop_in_walk(uint8_t number)
{
	uint32_t n = n_live;
	struct flow *flow = NULL;

	while ((flow = flow_table_next(&table, flow)) != NULL) {
		promise(models[flow->link.key.guest_port].flow == flow);
		promise(n-- > 0);
		if ((flow->link.key.guest_port & number) == number)
			drop(&models[flow->link.key.guest_port]);
	}
	promise(n == 0);
}

static void
count(uint8_t number, bool is_more)
{
	struct inaddr addr = { .bytes = { [3] = number % N_ADDRESSES },
		.is_ipv6 = number / N_ADDRESSES % 2 };
	uint32_t *n = &n_counted[number % (2 * N_ADDRESSES)];
	uint32_t n_addresses = 0;

	for (int i = 0; i < 2 * N_ADDRESSES; i++)
		n_addresses += n_counted[i] > 0;
	if (is_more) {
		bool has_room = *n > 0 ? *n < COUNT_MAX : n_addresses < N_ADDRESSES;

		promise(addr_count_add(&counts, &addr) == has_room);
		*n += has_room;
	} else if (*n > 0) {
		addr_count_remove(&counts, &addr);
		--*n;
	}
	promise(addr_count_get(&counts, &addr) == *n);
}

static void
step(uint8_t action, uint8_t number)
{
	switch (action % N_ACTIONS) {
	case ADD:
	case ADD_TOO:
		add(number % N_KEYS);
		break;
	case REMOVE:
		drop(&models[number % N_KEYS]);
		break;
	case REMOVE_IN_WALK:
		drop_in_walk(number % N_KEYS);
		break;
	case REAP:
		flow_table_reap(&table);
		n_dead = 0;
		break;
	case COUNT:
	case COUNT_BACK:
		count(number, action % N_ACTIONS == COUNT);
		break;
	}
}

static void
check(uint8_t number)
{
	const struct model *model = &models[number];
	struct flow_key wanted = key(number);

	promise(flow_table_find(&table, &wanted) == model->flow);
	promise(model->old_generation == 0 ||
	    flow_table_at(&table, model->old_index, model->old_generation) == NULL);
	if (model->flow == NULL)
		return;
	promise(model->flow->data == model->data);
	promise(flow_table_at(&table, model->index, model->generation) == model->flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(models, 0, sizeof(models));
	memset(n_counted, 0, sizeof(n_counted));
	n_live = n_dead = 0;
	promise(flow_table_init(&table, sizeof(struct flow), N_MAX) == 0);
	promise(addr_count_init(&counts, N_ADDRESSES, COUNT_MAX) == 0);
	for (size_t i = 0; i + 2 <= size; i += 2) {
		step(data[i], data[i + 1]);
		promise(table.n_live == n_live && table.n_long_chains == 0);
		/* One that the step changed, and all others in turn. */
		check(data[i + 1] % N_KEYS);
		check(i / 2 % N_KEYS);
	}
	for (uint8_t i = 0; i < N_KEYS; i++)
		check(i);
	flow_table_free(&table);
	addr_count_free(&counts);
	return 0;
}
