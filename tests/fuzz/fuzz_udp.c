/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of UDP flows beside a model: each flow of the model is in the table, and ends when the model says so; budgets and sockets are those of
 * the live flows.
 *
 * Input: steps of two bytes: what to do, and with which flow, or for how long.
 */
#include "slirp-worker/engine/udp/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define N_KEYS 64
#define UDP_MAX 12

enum { SEND, ANSWER, WAIT, OPENED, N_ACTIONS };

/* How the world answers; a step chooses it by its upper bits. */
enum { AT_ONCE, LATER, REFUSED, SEND_FAILS, SEND_FAILS_TWICE, LOST, N_MOODS };

struct model {
	bool is_live, has_socket, is_asked, is_answered;
	uint64_t last_ms;
};

static struct model models[N_KEYS];
static struct budget budget;
static struct udp udp;
static struct hold hold;
static int mood, n_failures, n_sockets, n_sent;

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* Four peers, of which the first is asked by DNS, for each of 16 ends. */
static struct flow_key
key(unsigned int number)
{
	const uint8_t guest[4] = { 10, 0, 2, (uint8_t)(number / 32) };
	struct flow_key key = flow_key_udp(WIRE_TYPE_IP4, guest,
	    (uint16_t)(number / 4 % 8), number % 4 == 0 ? 53 : 9);

	key.peer_address[0] = (uint8_t)(number % 4 + 1);
	return key;
}

static unsigned int
number_of(const struct udp_flow *flow)
{
	const struct flow_key *found = &flow->link.key;

	return found->guest_address[3] * 32U + found->guest_port * 4U +
	    found->peer_address[0] - 1U;
}

static void
give_socket(struct udp_flow *flow)
{
	struct model *model = &models[number_of(flow)];

	promise(model->is_asked && !model->has_socket);
	promise(udp_waits(&udp, flow_table_index(&udp.flows, flow),
		    flow->link.generation) == flow);
	model->is_asked = false;
	model->has_socket = true;
	n_sockets++;
	udp_opened(&udp, flow, 3);
}

static void
open_socket(void *ctx, struct udp_flow *flow)
{
	struct model *model = &models[number_of(flow)];

	(void)ctx;
	model->is_live = model->is_asked = true;
	if (mood == REFUSED)
		udp_refused(&udp, flow_table_index(&udp.flows, flow),
		    flow->link.generation, EPERM);
	else if (mood != LATER)
		give_socket(flow);
}

static int
send_datagrams(void *ctx, struct udp_flow *flow, struct udp_run *run)
{
	(void)ctx;
	promise(models[number_of(flow)].has_socket);
	if (n_failures > 0) {
		n_failures--;
		return -EINVAL;
	}
	udp_run_drop(run, run->len);
	if (mood != LOST)
		n_sent++;
	return 0;
}

static void
unreachable(void *ctx, const struct udp_flow *flow, int error)
{
	(void)ctx;
	promise(error == (mood == REFUSED ? EPERM : EINVAL));
	promise(!models[number_of(flow)].has_socket);
	models[number_of(flow)].is_live = models[number_of(flow)].is_asked = false;
}

static void
close_socket(void *ctx, struct udp_flow *flow)
{
	struct model *model = &models[number_of(flow)];

	(void)ctx;
	promise(model->has_socket);
	model->has_socket = false;
	n_sockets--;
}

static void
lose(void *ctx)
{
	(void)ctx;
}

static const struct udp_world world = {
	.open = open_socket,
	.send = send_datagrams,
	.unreachable = unreachable,
	.lost = lose,
	.close = close_socket,
};

static uint64_t
ends_ms(unsigned int number)
{
	const struct model *model = &models[number];

	if (!model->is_answered)
		return model->last_ms + UDP_UNANSWERED_MS;
	return model->last_ms + (number % 4 == 0 ? UDP_DNS_ANSWERED_MS : UDP_ANSWERED_MS);
}

static void
send_from(unsigned int number, uint64_t now_ms)
{
	const struct flow_key wanted = key(number);
	struct udp_run run = {
		.guest_mac = wanted.guest_address,
		.our_mac = wanted.peer_address,
	};
	struct model *model = &models[number];
	bool was_live = model->is_live, has_room = budget.used[BUDGET_UDP] < UDP_MAX;

	n_sent = 0;
	n_failures = mood == SEND_FAILS ? 1 : mood == SEND_FAILS_TWICE ? 2 : 0;
	udp_run_begin(&run, (const uint8_t *)"hello", 5, 2);
	promise(udp_from_guest(&udp, &wanted, &run, now_ms) == (was_live || has_room));
	if (!was_live || number % 4 == 0)
		model->is_answered = false;
	model->last_ms = now_ms;
	if (mood == AT_ONCE && model->has_socket)
		promise(n_sent == 1);
}

static void
answer(unsigned int number, uint64_t now_ms)
{
	const struct flow_key wanted = key(number);

	if (!models[number].has_socket)
		return;
	udp_to_guest(&udp, flow_table_find(&udp.flows, &wanted), 1, now_ms);
	models[number].is_answered = true;
	models[number].last_ms = now_ms;
}

static void
give_late_socket(unsigned int number)
{
	const struct flow_key wanted = key(number);
	struct udp_flow *flow = flow_table_find(&udp.flows, &wanted);

	promise((flow != NULL) == models[number].is_live);
	if (flow != NULL && models[number].is_asked)
		give_socket(flow);
}

static void
expire(uint64_t now_ms)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (unsigned int i = 0; i < N_KEYS; i++)
		if (models[i].is_live && ends_ms(i) <= now_ms)
			models[i].is_live = models[i].is_asked = false;
		else if (models[i].is_live)
			due_ms = deadline_earlier(due_ms, ends_ms(i));
	udp_expire(&udp, now_ms);
	promise(udp_due(&udp) == due_ms);
}

static void
check(void)
{
	uint32_t n_live = 0;
	int n_with_socket = 0;

	for (unsigned int i = 0; i < N_KEYS; i++) {
		const struct flow_key wanted = key(i);
		const struct udp_flow *flow = flow_table_find(&udp.flows, &wanted);

		promise((flow != NULL) == models[i].is_live);
		promise(flow == NULL || (flow->fd != -1) == models[i].has_socket);
		n_live += models[i].is_live;
		n_with_socket += models[i].has_socket;
	}
	promise(n_with_socket == n_sockets);
	promise(budget.used[BUDGET_UDP] == n_live);
	promise(budget.used[BUDGET_UDP] <= UDP_MAX);
	promise(udp.flows.n_live == n_live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now_ms = 1000;

	memset(models, 0, sizeof(models));
	n_sockets = 0;
	budget = (struct budget){
		.limit = { [BUDGET_UDP] = UDP_MAX },
	};
	promise(hold_init(&hold) == 0);
	promise(udp_init(&udp, &world, &budget, &hold) == 0);
	for (size_t i = 0; i + 1 < size; i += 2) {
		unsigned int number = data[i + 1] % N_KEYS;

		mood = data[i] / N_ACTIONS % N_MOODS;
		switch (data[i] % N_ACTIONS) {
		case SEND:
			send_from(number, now_ms);
			break;
		case ANSWER:
			answer(number, now_ms);
			break;
		case WAIT:
			now_ms += (uint64_t)data[i + 1] * 1000;
			expire(now_ms);
			break;
		case OPENED:
			give_late_socket(number);
			break;
		}
		check();
	}
	udp_free(&udp);
	promise(hold.n_free == HOLD_PLACES);
	hold_free(&hold);
	promise(n_sockets == 0);
	promise(budget.used[BUDGET_UDP] == 0);
	return 0;
}
