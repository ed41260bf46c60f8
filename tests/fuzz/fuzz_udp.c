/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of UDP flows beside a model. Each flow of the model is in the table, and ends when
 * the model says so, also if a peer of a forward has to make room. Budgets and sockets are those
 * of the live flows. A datagram goes out once, in its flow's order, also if it has waited for a
 * socket or met a useless one.
 *
 * Input: steps of two bytes: what to do, and with which flow, or for how long.
 */
#include "slirp-worker/engine/udp/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define N_KEYS 64

/* Past this an input is only longer, not different. */
#define STEPS_MAX 512

/* Each step could be looked at, but 64 flows take more time than the step does. */
#define STEPS_PER_CHECK 8

#define UDP_MAX 12
#define PEER_MAX 5
#define N_PORTS 3

enum { SEND, ANSWER, WAIT, OPENED, ADD_PEER, END_PEERS, GONE, END_FLOWS, N_ACTIONS };

/* How the world answers; a step chooses it by its upper bits. */
enum { AT_ONCE, LATER, REFUSED, SEND_FAILS, SEND_FAILS_TWICE, LOST, N_MOODS };

struct model {
	bool is_live, has_socket, is_asked;
	bool is_answered; /* by the peer, or by the guest if the peer is a forward's */
	uint32_t port;    /* of a forward, plus 1; 0: the guest has begun */
	uint16_t own_port;
	uint64_t last_ms, heard_ms;
	uint64_t touched;      /* the order of what last_ms counts */
	uint8_t n_given, next; /* numbers of the guest's datagrams: given, sent next */
};

static struct model models[N_KEYS];
static struct budget budget;
static struct udp udp;
static struct hold hold;
static int mood, n_failures, n_sockets;
static unsigned int n_no_room;
static uint64_t n_touches;

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
touch(struct model *model, uint64_t now_ms)
{
	model->last_ms = now_ms;
	model->touched = ++n_touches;
}

static void
end_model(struct model *model)
{
	*model = (struct model){ .has_socket = model->has_socket };
}

/* --- the world ------------------------------------------------------------------------ */

static void
give_socket(struct udp_flow *flow)
{
	struct model *model = &models[number_of(flow)];

	promise(model->is_asked && !model->has_socket);
	promise(udp_waits(&udp, flow_table_index(&udp.flows, flow),
		    flow->link.generation) == flow);
	model->is_asked = false;
	model->has_socket = true;
	model->own_port = flow->own_port = (uint16_t)(1000 + number_of(flow) / 4);
	n_sockets++;
	udp_opened(&udp, flow, 3);
}

static void
open_socket(void *ctx, struct udp_flow *flow)
{
	struct model *model = &models[number_of(flow)];

	(void)ctx;
	promise(model->is_live && !model->is_asked);
	model->is_asked = true;
	if (mood == LATER)
		return;
	if (mood != REFUSED) {
		give_socket(flow);
		return;
	}
	/* The guest is not told of a peer's socket, so the model has to be. */
	if (flow->port != 0)
		end_model(model);
	udp_refused(&udp, flow_table_index(&udp.flows, flow), flow->link.generation,
	    EPERM);
}

static int
send_datagrams(void *ctx, struct udp_flow *flow, struct udp_run *run)
{
	struct model *model = &models[number_of(flow)];

	(void)ctx;
	promise(model->has_socket);
	while (!udp_run_is_empty(run)) {
		uint8_t copy[2];
		size_t len = run->len < run->piece_len ? run->len : run->piece_len;
		const uint8_t *data = udp_run_front(run, len, copy);

		/* Fails in the middle of a run, if there is one. */
		if (n_failures > 0 && data[1] % 2 == 1) {
			n_failures--;
			return -EINVAL;
		}
		promise(data[0] == number_of(flow) && data[1] == model->next);
		model->next++;
		if (mood != LOST)
			flow->bytes_out += len;
		udp_run_drop(run, len);
	}
	return 0;
}

static void
unreachable(void *ctx, const struct udp_flow *flow, int error)
{
	struct model *model = &models[number_of(flow)];

	(void)ctx;
	promise(model->port == 0 && !model->has_socket);
	promise(error == (mood == REFUSED ? EPERM : EINVAL));
	end_model(model);
}

static void
close_sockets(void *ctx, struct udp_flow *flow)
{
	struct model *model = &models[number_of(flow)];

	(void)ctx;
	promise(model->has_socket);
	model->has_socket = false;
	n_sockets--;
}

/* The guest's datagrams find places: fewer wait than there are. */
static void
lose(void *ctx)
{
	(void)ctx;
	abort();
}

static void
give_way(void *ctx)
{
	(void)ctx;
}

static void
lack_room(void *ctx)
{
	(void)ctx;
	n_no_room++;
}

static const struct udp_world world = {
	.open = open_socket,
	.send = send_datagrams,
	.unreachable = unreachable,
	.lost = lose,
	.gave_way = give_way,
	.no_room = lack_room,
	.close = close_sockets,
};

/* --- the steps ------------------------------------------------------------------------ */

static uint64_t
ends_ms(unsigned int number)
{
	const struct model *model = &models[number];

	if (!model->is_answered)
		return model->last_ms + UDP_UNANSWERED_MS;
	return model->last_ms +
	    (number % 4 == 0 && model->port == 0 ? UDP_DNS_ANSWERED_MS : UDP_ANSWERED_MS);
}

/* Whether all that waits for sockets, with three datagrams more, has places. */
static bool
has_places(void)
{
	return hold.n_free > 3;
}

/* Of the guest's flows: 0, not answered; 1, answered by DNS; 2, answered. */
static unsigned int
kind_of(const struct model *model)
{
	if (!model->is_answered)
		return 0;
	return (model - models) % 4 == 0 ? 1 : 2;
}

/* The flow of the guest that has to make room, of those that have been silent for a second: the
 * one silent longest of those that are not answered if they have more than half of the places,
 * else of those that DNS has answered, else of the others. NULL: none has to. */
static struct model *
find_room(uint64_t now_ms)
{
	struct model *found = NULL;
	unsigned int n = 0;
	bool is_of_unanswered;

	for (unsigned int i = 0; i < N_KEYS; i++)
		n += models[i].is_live && models[i].port == 0 && !models[i].is_answered;
	is_of_unanswered = n > UDP_MAX / 2;
	for (unsigned int i = 0; i < N_KEYS; i++) {
		struct model *model = &models[i];
		unsigned int kind = kind_of(model);

		if (!model->is_live || model->port != 0 ||
		    model->last_ms + UDP_GIVES_WAY_MS > now_ms ||
		    (kind == 0) != is_of_unanswered)
			continue;
		if (found == NULL || kind < kind_of(found) ||
		    (kind == kind_of(found) && model->touched < found->touched))
			found = model;
	}
	return found;
}

/* Whether a new flow of the guest finds a place; another one may end for it. */
static bool
finds_room(uint64_t now_ms)
{
	struct model *silent;

	if (budget.used[BUDGET_UDP] < UDP_MAX)
		return true;
	silent = find_room(now_ms);
	if (silent == NULL)
		return false;
	end_model(silent);
	return true;
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
	uint8_t data[3][2];

	if (!has_places())
		return;
	if (!model->is_live && !finds_room(now_ms)) {
		n_no_room = 0;
		udp_run_begin(&run, (const uint8_t *)"abcdef", 6, 2);
		udp_from_guest(&udp, &wanted, &run, now_ms);
		promise(n_no_room == 3);
		return;
	}
	if (!model->is_live)
		*model = (struct model){ .is_live = true };
	for (size_t i = 0; i < 3; i++) {
		data[i][0] = (uint8_t)number;
		data[i][1] = model->n_given++;
	}
	if (model->port != 0)
		model->is_answered = true;
	else if (number % 4 == 0)
		model->is_answered = false;
	touch(model, now_ms);
	n_failures = mood == SEND_FAILS ? 1 : mood == SEND_FAILS_TWICE ? 2 : 0;
	udp_run_begin(&run, data[0], 4, 2);
	promise(udp_run_add(&run, data[2], 2, 2));
	udp_from_guest(&udp, &wanted, &run, now_ms);
	n_failures = 0;
	/* Nobody is told that a peer's second socket was of no use either. */
	if (mood == SEND_FAILS_TWICE && model->port != 0 && !model->has_socket &&
	    !model->is_asked)
		end_model(model);
}

static void
answer(unsigned int number, uint64_t now_ms)
{
	const struct flow_key wanted = key(number);
	struct model *model = &models[number];

	if (!model->has_socket)
		return;
	udp_to_guest(&udp, flow_table_find(&udp.flows, &wanted), 1, now_ms);
	if (model->port == 0)
		model->is_answered = true;
	model->heard_ms = now_ms;
	touch(model, now_ms);
}

static void
give_late_socket(unsigned int number)
{
	const struct flow_key wanted = key(number);
	struct udp_flow *flow = flow_table_find(&udp.flows, &wanted);

	if (flow != NULL && models[number].is_asked)
		give_socket(flow);
}

/* The peer that has to make room: the one silent longest, at first of those that the guest has
 * not answered. */
static struct model *
find_silent(void)
{
	struct model *found = NULL;

	for (unsigned int i = 0; i < N_KEYS; i++) {
		struct model *model = &models[i];

		if (!model->is_live || model->port == 0)
			continue;
		if (found == NULL || model->is_answered < found->is_answered ||
		    (model->is_answered == found->is_answered &&
			model->touched < found->touched))
			found = model;
	}
	return found;
}

static void
add_peer(unsigned int number, uint64_t now_ms)
{
	const struct flow_key wanted = key(number);
	const union inaddr_sock none = { 0 };
	struct model *model = &models[number];
	uint32_t port = number % N_PORTS + 1;
	struct udp_flow *flow;

	if (model->is_live)
		return;
	if (budget.used[BUDGET_PEER] == PEER_MAX)
		end_model(find_silent());
	*model = (struct model){ .is_live = true, .port = port };
	touch(model, now_ms);
	flow = udp_add_peer(&udp, &wanted, &none, &none, port, now_ms);
	promise((flow != NULL) == model->is_live);
	promise(flow == NULL || flow->port == port);
}

static void
end_peers(uint32_t port)
{
	for (unsigned int i = 0; i < N_KEYS; i++)
		if (models[i].is_live && models[i].port == port)
			end_model(&models[i]);
	udp_end_peers(&udp, port);
}

static void
peer_has_gone(unsigned int number)
{
	const struct flow_key wanted = key(number);
	struct udp_flow *flow = flow_table_find(&udp.flows, &wanted);

	models[number].heard_ms = 0;
	if (flow != NULL)
		udp_peer_has_gone(flow);
}

static void
end_flows_from(unsigned int number)
{
	const struct flow_key end = key(number);
	uint16_t own_port = (uint16_t)(1000 + number / 4);

	for (unsigned int i = 0; i < N_KEYS; i++)
		if (models[i].is_live && models[i].port == 0 && i / 4 == number / 4 &&
		    models[i].own_port == own_port)
			end_model(&models[i]);
	udp_end_flows_from(&udp, &end, own_port);
}

static void
expire(uint64_t now_ms)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (unsigned int i = 0; i < N_KEYS; i++)
		if (models[i].is_live && ends_ms(i) <= now_ms)
			end_model(&models[i]);
		else if (models[i].is_live)
			due_ms = deadline_earlier(due_ms, ends_ms(i));
	udp_expire(&udp, now_ms);
	promise(udp_due(&udp) == due_ms);
}

static void
check_flow(unsigned int number, uint64_t now_ms)
{
	const struct flow_key wanted = key(number);
	const struct udp_flow *flow = flow_table_find(&udp.flows, &wanted);
	const struct model *model = &models[number];

	promise((flow != NULL) == model->is_live);
	promise(flow == NULL || (flow->fd != -1) == model->has_socket);
	promise(flow == NULL || flow->port == model->port);
	promise(model->is_live || !model->has_socket);
	/* With a socket, nothing waits. */
	promise(!model->has_socket || model->next == model->n_given);
	promise(udp_may_answer(&udp, &wanted, now_ms) ==
	    (model->is_live && model->heard_ms != 0 &&
		now_ms < model->heard_ms + UDP_ANSWERED_MS));
}

static void
check(uint64_t now_ms)
{
	uint32_t n_own = 0, n_peers = 0;
	int n_with_socket = 0;

	for (unsigned int i = 0; i < N_KEYS; i++) {
		check_flow(i, now_ms);
		n_own += models[i].is_live && models[i].port == 0;
		n_peers += models[i].is_live && models[i].port != 0;
		n_with_socket += models[i].has_socket;
	}
	promise(n_with_socket == n_sockets);
	promise(budget.used[BUDGET_UDP] == n_own && n_own <= UDP_MAX);
	promise(budget.used[BUDGET_PEER] == n_peers && n_peers <= PEER_MAX);
	promise(udp.flows.n_live == n_own + n_peers);
}

static uint64_t
act(unsigned int action, uint8_t value, uint64_t now_ms)
{
	unsigned int number = value % N_KEYS;

	switch (action) {
	case SEND:
		send_from(number, now_ms);
		break;
	case ANSWER:
		answer(number, now_ms);
		break;
	case WAIT:
		now_ms += (uint64_t)value * 500;
		expire(now_ms);
		break;
	case OPENED:
		give_late_socket(number);
		break;
	case ADD_PEER:
		add_peer(number, now_ms);
		break;
	case END_PEERS:
		end_peers(value % N_PORTS + 1);
		break;
	case GONE:
		peer_has_gone(number);
		break;
	case END_FLOWS:
		end_flows_from(number);
		break;
	}
	return now_ms;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now_ms = 1000;

	memset(models, 0, sizeof(models));
	n_sockets = n_failures = 0;
	n_touches = 0;
	budget = (struct budget){
		.limit = { [BUDGET_UDP] = UDP_MAX, [BUDGET_PEER] = PEER_MAX },
	};
	promise(hold_init(&hold) == 0);
	promise(udp_init(&udp, &world, &budget, &hold) == 0);
	for (size_t i = 0; i < size / 2 && i < STEPS_MAX; i++) {
		mood = data[2 * i] / N_ACTIONS % N_MOODS;
		now_ms = act(data[2 * i] % N_ACTIONS, data[2 * i + 1], now_ms);
		if (i % STEPS_PER_CHECK == 0)
			check(now_ms);
	}
	check(now_ms);
	udp_free(&udp);
	promise(hold.n_free == HOLD_PLACES);
	hold_free(&hold);
	promise(n_sockets == 0);
	promise(budget.used[BUDGET_UDP] + budget.used[BUDGET_PEER] == 0);
	return 0;
}
