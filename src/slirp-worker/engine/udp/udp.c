/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the table of UDP flows: opens them, sends on them, and ends them in time. */
#include "slirp-worker/engine/udp/udp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/dnsname.h"

static const uint64_t lasts_ms[UDP_N_AGES] = {
	[UDP_AGE_UNANSWERED] = UDP_UNANSWERED_MS,
	[UDP_AGE_ANSWERED] = UDP_ANSWERED_MS,
	[UDP_AGE_DNS] = UDP_DNS_ANSWERED_MS,
	[UDP_AGE_PEER] = UDP_UNANSWERED_MS,
	[UDP_AGE_PEER_ANSWERED] = UDP_ANSWERED_MS,
};

int
udp_init(struct udp *udp, const struct udp_world *world, struct budget *budget,
    struct hold *hold)
{
	uint32_t n =
	    budget->limit[BUDGET_UDP] + budget->limit[BUDGET_PEER] + UDP_PLACES_SPARE;

	*udp = (struct udp){ .world = world, .budget = budget, .hold = hold };
	for (int i = 0; i < UDP_N_AGES; i++)
		TAILQ_INIT(&udp->ages[i]);
	return flow_table_init(&udp->flows, sizeof(struct udp_flow), n);
}

static void
take_age(struct udp *udp, struct udp_flow *flow, enum udp_age age, uint64_t now_ms)
{
	flow->age = age;
	flow->last_ms = now_ms;
	TAILQ_INSERT_TAIL(&udp->ages[age], flow, aged);
	udp->n_aged[age]++;
}

static void
leave_age(struct udp *udp, struct udp_flow *flow)
{
	TAILQ_REMOVE(&udp->ages[flow->age], flow, aged);
	udp->n_aged[flow->age]--;
}

static void
set_age(struct udp *udp, struct udp_flow *flow, enum udp_age age, uint64_t now_ms)
{
	leave_age(udp, flow);
	take_age(udp, flow, age, now_ms);
}

static void
close_sockets(struct udp *udp, struct udp_flow *flow)
{
	if (flow->fd == -1 && flow->answers_fd == -1)
		return;
	udp->world->close(udp->world->ctx, flow);
	flow->fd = flow->answers_fd = -1;
}

static void
end_flow(struct udp *udp, struct udp_flow *flow)
{
	close_sockets(udp, flow);
	hold_drop(udp->hold, &flow->held);
	budget_give(udp->budget, flow->budget, 1);
	leave_age(udp, flow);
	flow_table_remove(&udp->flows, flow);
}

void
udp_free(struct udp *udp)
{
	for (int i = 0; i < UDP_N_AGES; i++)
		while (!TAILQ_EMPTY(&udp->ages[i]))
			end_flow(udp, TAILQ_FIRST(&udp->ages[i]));
	flow_table_free(&udp->flows);
}

/* Puts a flow without a socket into the table. NULL: it is full. */
static struct udp_flow *
add_to_table(struct udp *udp, const struct flow_key *key, enum budget_kind budget,
    enum udp_age age, uint64_t now_ms)
{
	struct udp_flow *flow = flow_table_add(&udp->flows, key);

	if (flow == NULL)
		return NULL;
	budget_take(udp->budget, budget, 1);
	flow->budget = budget;
	flow->fd = flow->answers_fd = -1;
	take_age(udp, flow, age, now_ms);
	return flow;
}

/* The flow of this age that has been silent longest, if it may end for a new one; else NULL. */
static struct udp_flow *
find_silent(const struct udp *udp, enum udp_age age, uint64_t now_ms)
{
	struct udp_flow *flow = TAILQ_FIRST(&udp->ages[age]);

	return flow != NULL && flow->last_ms + UDP_GIVES_WAY_MS <= now_ms ? flow : NULL;
}

/* Ends a flow of the guest: an unanswered one if they have more than half of the places, so that
 * a flood leaves the other half alone; else an answered lookup, or else another answered one.
 * Returns false if none has been silent for long enough. */
static bool
make_room(struct udp *udp, uint64_t now_ms)
{
	struct udp_flow *silent;

	if (udp->n_aged[UDP_AGE_UNANSWERED] > udp->budget->limit[BUDGET_UDP] / 2) {
		silent = find_silent(udp, UDP_AGE_UNANSWERED, now_ms);
	} else {
		silent = find_silent(udp, UDP_AGE_DNS, now_ms);
		if (silent == NULL)
			silent = find_silent(udp, UDP_AGE_ANSWERED, now_ms);
	}
	if (silent == NULL)
		return false;
	end_flow(udp, silent);
	flow_table_reap(&udp->flows);
	udp->world->gave_way(udp->world->ctx);
	return true;
}

/* NULL: the guest has all flows that it may have. */
static struct udp_flow *
add_flow(struct udp *udp, const struct flow_key *key, const struct udp_run *run,
    uint64_t now_ms)
{
	struct udp_flow *flow;

	if (!budget_has_room(udp->budget, BUDGET_UDP, 1) && !make_room(udp, now_ms))
		return NULL;
	/* Cannot fail: the table has a place for each flow of the budgets. */
	flow = add_to_table(udp, key, BUDGET_UDP, UDP_AGE_UNANSWERED, now_ms);
	if (flow == NULL)
		return NULL;
	flow->is_group = run->is_group;
	return flow;
}

struct udp_flow *
udp_at(const struct udp *udp, uint32_t index, uint32_t generation)
{
	return flow_table_at(&udp->flows, index, generation);
}

struct udp_flow *
udp_waits(const struct udp *udp, uint32_t index, uint32_t generation)
{
	struct udp_flow *flow = udp_at(udp, index, generation);

	return flow != NULL && flow->fd == -1 ? flow : NULL;
}

void
udp_refused(struct udp *udp, uint32_t index, uint32_t generation, int error)
{
	struct udp_flow *flow = udp_waits(udp, index, generation);

	if (flow == NULL)
		return;
	/* Nobody may answer a group with an error; the guest has sent nothing to a peer
	 * that has no socket. */
	if (!flow->is_group && flow->port == 0)
		udp->world->unreachable(udp->world->ctx, flow, error);
	end_flow(udp, flow);
}

/* Asks for a new socket, once: the source address of a connected socket may have left the host.
 * The flow may end. */
static void
ask_again(struct udp *udp, struct udp_flow *flow, int error)
{
	close_sockets(udp, flow);
	if (flow->is_again) {
		udp_refused(udp, flow_table_index(&udp->flows, flow),
		    flow->link.generation, error);
		return;
	}
	flow->is_again = true;
	udp->world->open(udp->world->ctx, flow);
}

/* Sends on the flow's socket. Returns 0, or an errno if that is of no use: the run is then not
 * empty. */
static int
send_on(struct udp *udp, struct udp_flow *flow, struct udp_run *run)
{
	int error = -udp->world->send(udp->world->ctx, flow, run);

	if (error == 0)
		flow->is_again = false;
	return error;
}

void
udp_opened(struct udp *udp, struct udp_flow *flow, int fd)
{
	const struct held_datagram *held;
	const uint8_t *data;

	flow->fd = fd;
	flow->cut_max = UINT16_MAX;
	flow->cut_len = 0;
	flow->is_joined = false;
	while ((held = hold_first(udp->hold, &flow->held, &data)) != NULL) {
		struct udp_run run = { .fate = held->fate, .is_group = flow->is_group };
		int error;

		udp_run_begin(&run, data, held->len, held->len);
		error = send_on(udp, flow, &run);
		if (error != 0) {
			ask_again(udp, flow, error);
			return;
		}
		hold_take(udp->hold, &flow->held);
	}
}

/* Copies what is left of the run. */
static void
keep(struct udp *udp, struct udp_flow *flow, struct udp_run *run)
{
	while (!udp_run_is_empty(run)) {
		size_t len = run->len < run->piece_len ? run->len : run->piece_len;

		if (!hold_add(udp->hold, &flow->held, run->parts[run->first].iov_base,
			len, &run->fate))
			udp->world->lost(udp->world->ctx);
		udp_run_drop(run, len);
	}
}

/* Sends, or keeps the datagrams for the socket that is to come. The flow may end. */
static void
send_or_keep(struct udp *udp, struct udp_flow *flow, struct udp_run *run)
{
	int error = flow->fd != -1 ? send_on(udp, flow, run) : 0;

	keep(udp, flow, run);
	if (error != 0)
		ask_again(udp, flow, error);
}

static void
make_room_for_peer(struct udp *udp)
{
	struct udp_flow *silent = TAILQ_FIRST(&udp->ages[UDP_AGE_PEER]);

	if (silent == NULL)
		silent = TAILQ_FIRST(&udp->ages[UDP_AGE_PEER_ANSWERED]);
	if (silent != NULL)
		end_flow(udp, silent);
	flow_table_reap(&udp->flows);
}

struct udp_flow *
udp_add_peer(struct udp *udp, const struct flow_key *key, const union inaddr_sock *peer,
    const union inaddr_sock *own, uint32_t port, uint64_t now_ms)
{
	struct udp_flow *flow;
	uint32_t index, generation;

	if (!budget_has_room(udp->budget, BUDGET_PEER, 1))
		make_room_for_peer(udp);
	flow = add_to_table(udp, key, BUDGET_PEER, UDP_AGE_PEER, now_ms);
	if (flow == NULL)
		return NULL;
	flow->to = *peer;
	flow->own = *own;
	flow->port = port;
	index = flow_table_index(&udp->flows, flow);
	generation = flow->link.generation;
	udp->world->open(udp->world->ctx, flow);
	return udp_at(udp, index, generation);
}

void
udp_end_peers(struct udp *udp, uint32_t port)
{
	for (int age = UDP_AGE_PEER; age <= UDP_AGE_PEER_ANSWERED; age++) {
		struct udp_flow *flow = TAILQ_FIRST(&udp->ages[age]), *next;

		for (; flow != NULL; flow = next) {
			next = TAILQ_NEXT(flow, aged);
			if (flow->port == port)
				end_flow(udp, flow);
		}
	}
}

void
udp_end_flows_from(struct udp *udp, const struct flow_key *end, uint16_t own_port)
{
	struct udp_flow *flow = NULL;

	while ((flow = flow_table_next(&udp->flows, flow)) != NULL) {
		const struct flow_key *key = &flow->link.key;

		if (flow->port == 0 && flow->own_port == own_port &&
		    key->guest_port == end->guest_port &&
		    key->ethertype == end->ethertype &&
		    memcmp(key->guest_address, end->guest_address,
			sizeof(key->guest_address)) == 0)
			end_flow(udp, flow);
	}
}

bool
udp_may_answer(const struct udp *udp, const struct flow_key *key, uint64_t now_ms)
{
	const struct udp_flow *flow = flow_table_find(&udp->flows, key);

	return flow != NULL && flow->heard_ms != 0 &&
	    now_ms < flow->heard_ms + UDP_ANSWERED_MS;
}

void
udp_peer_has_gone(struct udp_flow *flow)
{
	flow->heard_ms = 0;
}

static enum udp_age
age_when_sent(const struct udp_flow *flow)
{
	if (flow->port != 0)
		return UDP_AGE_PEER_ANSWERED;
	/* A further query waits for its answer like the first one. */
	return flow->age == UDP_AGE_ANSWERED ? UDP_AGE_ANSWERED : UDP_AGE_UNANSWERED;
}

static enum udp_age
age_when_answered(const struct udp_flow *flow)
{
	if (flow->port != 0)
		return flow->age;
	return flow->link.key.peer_port == DNS_PORT ? UDP_AGE_DNS : UDP_AGE_ANSWERED;
}

void
udp_from_guest(struct udp *udp, const struct flow_key *key, struct udp_run *run,
    uint64_t now_ms)
{
	struct udp_flow *flow;
	bool is_new;

	flow_table_reap(&udp->flows);
	flow = flow_table_find(&udp->flows, key);
	is_new = flow == NULL;
	if (is_new)
		flow = add_flow(udp, key, run, now_ms);
	if (flow == NULL) {
		for (size_t n = udp_run_count(run, run->len); n > 0; n--)
			udp->world->no_room(udp->world->ctx);
		return;
	}
	memcpy(flow->guest_mac, run->guest_mac, sizeof(flow->guest_mac));
	memcpy(flow->our_mac, run->our_mac, sizeof(flow->our_mac));
	flow->last_len = (uint16_t)udp_run_last_len(run);
	set_age(udp, flow, age_when_sent(flow), now_ms);
	flow->mac_ms = now_ms;
	send_or_keep(udp, flow, run);
	if (is_new)
		udp->world->open(udp->world->ctx, flow);
}

void
udp_to_guest(struct udp *udp, struct udp_flow *flow, size_t data_len, uint64_t now_ms)
{
	flow->bytes_in += data_len;
	flow->heard_ms = now_ms;
	set_age(udp, flow, age_when_answered(flow), now_ms);
}

void
udp_expire(struct udp *udp, uint64_t now_ms)
{
	for (int i = 0; i < UDP_N_AGES; i++)
		while (!TAILQ_EMPTY(&udp->ages[i]) &&
		    TAILQ_FIRST(&udp->ages[i])->last_ms + lasts_ms[i] <= now_ms)
			end_flow(udp, TAILQ_FIRST(&udp->ages[i]));
	flow_table_reap(&udp->flows);
}

uint64_t
udp_due(const struct udp *udp)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (int i = 0; i < UDP_N_AGES; i++)
		if (!TAILQ_EMPTY(&udp->ages[i]))
			due_ms = deadline_earlier(due_ms,
			    TAILQ_FIRST(&udp->ages[i])->last_ms + lasts_ms[i]);
	return due_ms;
}

const struct udp_flow *
udp_next(const struct udp *udp, const struct udp_flow *flow)
{
	return flow_table_next(&udp->flows, flow);
}
