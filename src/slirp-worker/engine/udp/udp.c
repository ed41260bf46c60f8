/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the table of UDP flows: opens them, sends on them, and ends them in time. */
#include "slirp-worker/engine/udp/udp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* RFC 1035 4.2. */
#define DNS_PORT 53

static const uint64_t lasts_ms[UDP_N_AGES] = {
	[UDP_AGE_UNANSWERED] = UDP_UNANSWERED_MS,
	[UDP_AGE_ANSWERED] = UDP_ANSWERED_MS,
	[UDP_AGE_DNS] = UDP_DNS_ANSWERED_MS,
	[UDP_AGE_PEER] = UDP_UNANSWERED_MS,
	[UDP_AGE_PEER_ANSWERED] = UDP_ANSWERED_MS,
};

int
udp_init(struct udp *udp, const struct udp_world *world, struct budget *budget)
{
	uint32_t n = budget->limit[BUDGET_UDP] + budget->limit[BUDGET_DNS] +
	    budget->limit[BUDGET_PEER] + UDP_PLACES_SPARE;

	*udp = (struct udp){ .world = world, .budget = budget };
	for (int i = 0; i < UDP_N_AGES; i++)
		TAILQ_INIT(&udp->ages[i]);
	return flow_table_init(&udp->flows, sizeof(struct udp_flow), n) == 0 &&
		flow_table_init(&udp->ends, sizeof(struct udp_end), n) == 0
	    ? 0
	    : -1;
}

static void
set_age(struct udp *udp, struct udp_flow *flow, enum udp_age age, uint64_t now_ms)
{
	TAILQ_REMOVE(&udp->ages[flow->age], flow, aged);
	flow->age = age;
	flow->last_ms = now_ms;
	TAILQ_INSERT_TAIL(&udp->ages[age], flow, aged);
}

static struct flow_key
key_of_end(const struct flow_key *key)
{
	return flow_key_udp(key->ethertype, key->guest_address, key->guest_port, 0);
}

static void
end_leave(struct udp *udp, struct udp_end *end)
{
	if (--end->n_flows == 0)
		flow_table_remove(&udp->ends, end);
}

static void
end_flow(struct udp *udp, struct udp_flow *flow)
{
	if (flow->fd != -1)
		udp->world->close(udp->world->ctx, flow);
	flow->fd = -1;
	budget_give(udp->budget, flow->budget, 1);
	if (flow->end != NULL)
		end_leave(udp, flow->end);
	TAILQ_REMOVE(&udp->ages[flow->age], flow, aged);
	flow_table_remove(&udp->flows, flow);
}

void
udp_free(struct udp *udp)
{
	for (int i = 0; i < UDP_N_AGES; i++)
		while (!TAILQ_EMPTY(&udp->ages[i]))
			end_flow(udp, TAILQ_FIRST(&udp->ages[i]));
	flow_table_free(&udp->flows);
	flow_table_free(&udp->ends);
}

/* The name server has a budget of its own; beyond it, lookups are UDP like any other. */
static enum budget_kind
choose_budget(const struct udp *udp, bool is_dns)
{
	return is_dns && budget_has_room(udp->budget, BUDGET_DNS, 1) ? BUDGET_DNS
								     : BUDGET_UDP;
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
	flow->fd = -1;
	flow->age = age;
	flow->last_ms = now_ms;
	TAILQ_INSERT_TAIL(&udp->ages[age], flow, aged);
	return flow;
}

/* NULL: no room. */
static struct udp_flow *
add_flow(struct udp *udp, const struct flow_key *key, const struct udp_run *run,
    uint64_t now_ms)
{
	const struct flow_key end_key = key_of_end(key);
	enum budget_kind budget = choose_budget(udp, run->is_dns);
	struct udp_end *end;
	struct udp_flow *flow;

	if (!budget_has_room(udp->budget, budget, 1))
		return NULL;
	end = flow_table_find(&udp->ends, &end_key);
	if (end == NULL)
		end = flow_table_add(&udp->ends, &end_key);
	if (end == NULL)
		return NULL;
	end->n_flows++;
	flow = add_to_table(udp, key, budget, UDP_AGE_UNANSWERED, now_ms);
	if (flow == NULL) {
		end_leave(udp, end);
		return NULL;
	}
	flow->end = end;
	flow->is_group = run->is_group;
	return flow;
}

struct udp_flow *
udp_at(const struct udp *udp, uint32_t index, uint32_t generation)
{
	return flow_table_at(&udp->flows, index, generation);
}

static void
open_socket(struct udp *udp, struct udp_flow *flow)
{
	udp->world->open(udp->world->ctx, flow, flow->end ? flow->end->host_port : 0);
}

struct udp_flow *
udp_opened(struct udp *udp, uint32_t index, uint32_t generation, int fd,
    uint16_t host_port)
{
	struct udp_flow *flow = udp_at(udp, index, generation);

	if (flow == NULL || flow->fd != -1)
		return NULL;
	flow->fd = fd;
	flow->cut_max = UINT16_MAX;
	flow->cut_len = 0;
	if (flow->end != NULL)
		flow->end->host_port = host_port;
	return flow;
}

void
udp_refused(struct udp *udp, uint32_t index, uint32_t generation, int error)
{
	struct udp_flow *flow = udp_at(udp, index, generation);

	if (flow == NULL || flow->fd != -1)
		return;
	/* Nobody may answer a group with an error; the guest has sent nothing to a peer
	 * that has no socket. */
	if (!flow->is_group && flow->port == 0)
		udp->world->unreachable(udp->world->ctx, flow, error);
	end_flow(udp, flow);
}

/* Sends, if the flow has a socket. A datagram that comes before the socket is lost, as one
 * that comes before a neighbor's address is known. Returns 0 or -errno. */
static int
send_on(struct udp *udp, struct udp_flow *flow, struct udp_run *run)
{
	return flow->fd == -1 ? 0 : udp->world->send(udp->world->ctx, flow, run);
}

/* Makes a new socket and sends on it: the source address of a connected socket may have
 * left the host. */
static void
send_again(struct udp *udp, struct udp_flow *flow, struct udp_run *run)
{
	uint32_t index = flow_table_index(&udp->flows, flow);
	uint32_t generation = flow->link.generation;
	int error;

	udp->world->close(udp->world->ctx, flow);
	flow->fd = -1;
	open_socket(udp, flow);
	flow = udp_at(udp, index, generation);
	error = flow == NULL ? 0 : send_on(udp, flow, run);
	if (error == 0)
		return;
	udp->world->close(udp->world->ctx, flow);
	flow->fd = -1;
	udp_refused(udp, index, generation, -error);
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
	open_socket(udp, flow);
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
udp_end_flows_of_end(struct udp *udp, const struct flow_key *key, uint16_t host_port)
{
	const struct flow_key end_key = key_of_end(key);
	const struct udp_end *end = flow_table_find(&udp->ends, &end_key);
	struct udp_flow *flow = NULL;

	if (end == NULL || end->host_port != host_port)
		return;
	while ((flow = flow_table_next(&udp->flows, flow)) != NULL)
		if (flow->end == end)
			end_flow(udp, flow);
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

bool
udp_from_guest(struct udp *udp, const struct flow_key *key, struct udp_run *run,
    uint64_t now_ms)
{
	struct udp_flow *flow;
	uint32_t index, generation;
	bool is_new;

	flow_table_reap(&udp->flows);
	flow_table_reap(&udp->ends);
	flow = flow_table_find(&udp->flows, key);
	is_new = flow == NULL;
	if (is_new)
		flow = add_flow(udp, key, run, now_ms);
	if (flow == NULL)
		return false;
	memcpy(flow->guest_mac, run->guest_mac, sizeof(flow->guest_mac));
	memcpy(flow->our_mac, run->our_mac, sizeof(flow->our_mac));
	flow->last_len = (uint16_t)udp_run_last_len(run);
	set_age(udp, flow, age_when_sent(flow), now_ms);
	flow->mac_ms = now_ms;
	index = flow_table_index(&udp->flows, flow);
	generation = flow->link.generation;
	if (is_new)
		open_socket(udp, flow);
	flow = udp_at(udp, index, generation);
	if (flow != NULL && send_on(udp, flow, run) != 0)
		send_again(udp, flow, run);
	return true;
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
	flow_table_reap(&udp->ends);
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
