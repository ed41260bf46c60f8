/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the UDP peers on the host's loopback that a guest may answer. */
#include "slirp-worker/gate/gate_flows.h"

#include <stddef.h>
#include <string.h>

static unsigned int
set_of(const struct flow_key *key)
{
	return (unsigned int)(flow_key_hash(key) % GATE_FLOW_SETS);
}

static bool
flow_is(const struct gate_flow *flow, const struct flow_key *key)
{
	return memcmp(&flow->key, key, sizeof(*key)) == 0;
}

void
gate_flows_note(struct gate_flows *flows, const struct flow_key *key, int port_fd,
    uint64_t now_ms)
{
	struct gate_flow *set = flows->sets[set_of(key)];
	struct gate_flow *place = &set[0];

	for (int i = 0; i < GATE_FLOW_WAYS; i++) {
		if (flow_is(&set[i], key)) {
			place = &set[i];
			break;
		}
		/* All flows have the same lifetime: the first to expire is the oldest. */
		if (set[i].expires_ms < place->expires_ms)
			place = &set[i];
	}
	place->key = *key;
	place->port_fd = port_fd;
	place->expires_ms = now_ms + GATE_FLOW_LIFE_MS;
}

void
gate_flows_forget(struct gate_flows *flows, const struct flow_key *key)
{
	struct gate_flow *set = flows->sets[set_of(key)];

	for (int i = 0; i < GATE_FLOW_WAYS; i++)
		if (flow_is(&set[i], key))
			set[i] = (struct gate_flow){ 0 };
}

void
gate_flows_forget_port(struct gate_flows *flows, int port_fd)
{
	struct gate_flow *flow = flows->sets[0];

	for (size_t i = 0; i < (size_t)GATE_FLOW_SETS * GATE_FLOW_WAYS; i++)
		if (flow[i].port_fd == port_fd)
			flow[i] = (struct gate_flow){ 0 };
}

bool
gate_flows_find(const struct gate_flows *flows, const struct flow_key *key,
    uint64_t now_ms)
{
	const struct gate_flow *set = flows->sets[set_of(key)];

	for (int i = 0; i < GATE_FLOW_WAYS; i++) {
		if (flow_is(&set[i], key))
			return now_ms < set[i].expires_ms;
	}
	return false;
}
