/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens flows to the guest for the connections of forwards. */
#include "slirp-worker/engine/forward/tcp_forward.h"

#include "base/deadline.h"
#include "slirp-worker/engine/tcp/tcp_parts.h"
#include "slirp-worker/engine/gateway.h"

static uint64_t
now_ms_of(const struct tcp_forward *forward)
{
	return forward->host->tcp.now_us / TCP_US_PER_MS;
}

static void
reset_incoming(const struct tcp_forward *forward, const struct peer_incoming *incoming)
{
	const struct tcp_world *world = &forward->host->world;

	world->close(world->ctx, incoming->fd, true);
}

/* The first key that no other connection has. False if all are taken. */
static bool
find_key(const struct tcp_forward *forward, const struct peer_incoming *incoming,
    struct flow_key *key)
{
	struct tcp *tcp = &forward->host->tcp;

	for (unsigned int i = 0; i < PEER_KEYS; i++) {
		*key = peer_key(&forward->host->network, incoming, i);
		if (tcp_key_is_free(tcp, key))
			return true;
		if (i == 0)
			tcp_count(tcp, TCP_COUNT_tuple_taken, 1);
	}
	return false;
}

static void
open_to_guest(const struct tcp_forward *forward, const struct peer_incoming *incoming,
    const struct mac *guest_mac)
{
	struct tcp_host *host = forward->host;
	const struct mac our_mac = gateway_mac(&host->network, incoming->guest.is_ipv6);
	struct tcp_flow *flow;
	struct flow_key key;

	if (!find_key(forward, incoming, &key)) {
		reset_incoming(forward, incoming);
		return;
	}
	flow = tcp_accepted(&host->tcp, incoming->fd, &key, guest_mac->octets,
	    our_mac.octets, incoming->rule);
	if (flow &&
	    poller_add(host->poller, flow->fd, POLLER_FLOW,
		flow_table_index(&host->tcp.flows, flow), flow->link.generation) == -1)
		tcp_abort(&host->tcp, flow, TCP_END_host_error);
}

static bool
may_accept(void *ctx, const struct inaddr *guest, uint16_t port)
{
	const struct tcp_forward *forward = ctx;
	struct mac mac;

	return tcp_may_accept(&forward->host->tcp, guest, port) &&
	    (neigh_find(forward->neigh, guest, now_ms_of(forward), &mac) ||
		tcp_hold_has_room(&forward->hold, guest));
}

static void
take_accepted(void *ctx, const struct peer_incoming *incoming)
{
	struct tcp_forward *forward = ctx;
	uint64_t now_ms = now_ms_of(forward);
	struct mac mac;

	if (neigh_find(forward->neigh, &incoming->guest, now_ms, &mac))
		open_to_guest(forward, incoming, &mac);
	else
		tcp_hold_add(&forward->hold, incoming, now_ms);
}

/* Sends a request for the address's MAC. */
static void
ask(const struct tcp_forward *forward, struct tcp_wanted *wanted, uint64_t now_ms)
{
	struct tcp_host *host = forward->host;
	uint8_t request[NEIGH_REQUEST_MAX];
	size_t len = peer_write_request(&host->network, &wanted->guest, request);
	int result = tapio_write(host->tap, request, len);

	host->wrote_frame(host->ctx, result, len);
	tcp_hold_asked(wanted, result == 0, now_ms);
}

static void
release(struct tcp_forward *forward, const struct inaddr *guest, const struct mac *mac)
{
	struct peer_incoming incoming;

	while (tcp_hold_take(&forward->hold, guest, &incoming))
		open_to_guest(forward, &incoming, mac);
}

static void
give_up(struct tcp_forward *forward, const struct inaddr *guest)
{
	struct peer_incoming incoming;

	while (tcp_hold_take(&forward->hold, guest, &incoming)) {
		tcp_count(&forward->host->tcp, TCP_COUNT_mac_unknown, 1);
		reset_incoming(forward, &incoming);
	}
}

static void
serve_held(struct tcp_forward *forward, uint64_t now_ms)
{
	struct tcp_hold *hold = &forward->hold;

	/* Backwards: the last address moves to the place of one that is done. */
	for (size_t i = hold->n_wanted; i-- > 0;) {
		struct tcp_wanted *wanted = &hold->wanted[i];
		const struct inaddr guest = wanted->guest;
		enum tcp_hold_action action = tcp_hold_look(wanted, now_ms);
		struct mac mac;

		if (neigh_find(forward->neigh, &guest, now_ms, &mac))
			release(forward, &guest, &mac);
		else if (action == TCP_HOLD_GIVE_UP)
			give_up(forward, &guest);
		else if (action == TCP_HOLD_ASK)
			ask(forward, wanted, now_ms);
	}
}

static uint64_t
prepare(void *self, uint64_t now_ms)
{
	struct tcp_forward *forward = self;
	uint64_t due_ms;

	serve_held(forward, now_ms);
	due_ms = tcp_listen_resume(&forward->listen, now_ms);
	return deadline_earlier(due_ms, tcp_hold_due(&forward->hold));
}

static void
finish(void *self, uint64_t now_ms)
{
	struct tcp_forward *forward = self;

	tcp_listen_accept(&forward->listen, now_ms);
}

static void
free_forward(void *self)
{
	struct tcp_forward *forward = self;

	while (forward->hold.n_held > 0) {
		const struct inaddr guest = forward->hold.held[0].guest;
		struct peer_incoming incoming;

		if (tcp_hold_take(&forward->hold, &guest, &incoming))
			reset_incoming(forward, &incoming);
	}
}

void
tcp_forward_init(struct tcp_forward *forward, struct tcp_host *host,
    const struct neigh *neigh, struct port_table *ports)
{
	*forward = (struct tcp_forward){ .host = host, .neigh = neigh };
	forward->owner = (struct tcp_listen_owner){
		.ctx = forward,
		.may_accept = may_accept,
		.accepted = take_accepted,
	};
	tcp_listen_init(&forward->listen, ports, &forward->owner,
	    &host->tcp.counters[TCP_COUNT_accepts_paused]);
}

const struct engine_ops tcp_forward_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = free_forward,
};
