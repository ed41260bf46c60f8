/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the ports of UDP forwards, and lets them wait for a MAC. */
#include "slirp-worker/engine/udp/udp_port.h"

#include "base/deadline.h"

void
udp_ports_init(struct udp_ports *ports, struct port_table *table)
{
	*ports = (struct udp_ports){ .table = table };
	TAILQ_INIT(&ports->waiting);
}

bool
udp_ports_begin(struct udp_ports *ports, struct port *port, uint64_t now_ms)
{
	uint32_t *by_guest = &ports->by_guest[port->guest_port % UDP_PORT_CHAINS];

	port->next_by_guest = *by_guest;
	*by_guest = port_table_place(ports->table, port) + 1;
	if (port_table_watch(ports->table, port) == 0)
		return true;
	/* As if the guest had not answered: the guest is not asked without a peer. */
	port->n_asked = UDP_PORT_ASKS;
	port->due_ms = now_ms + UDP_PORT_ASK_MS;
	TAILQ_INSERT_TAIL(&ports->waiting, port, entry);
	return false;
}

void
udp_ports_end(struct udp_ports *ports, struct port *port)
{
	uint32_t place = port_table_place(ports->table, port) + 1;
	uint32_t *link = &ports->by_guest[port->guest_port % UDP_PORT_CHAINS];

	while (*link != place)
		link = &ports->table->places[*link - 1].next_by_guest;
	*link = port->next_by_guest;
	if (port->state == PORT_AWAY)
		TAILQ_REMOVE(&ports->waiting, port, entry);
}

const struct port *
udp_port_to_guest(const struct udp_ports *ports, const struct flow_key *key)
{
	const struct inaddr guest = flow_key_guest(key);
	uint32_t next = ports->by_guest[key->guest_port % UDP_PORT_CHAINS];

	for (; next > 0; next = ports->table->places[next - 1].next_by_guest) {
		const struct port *port = &ports->table->places[next - 1];
		struct inaddr host;

		if (port->guest_port == key->guest_port &&
		    inaddr_is_equal(&port->guest, &guest) &&
		    inaddr_from_sockaddr(&host, &port->host.any) &&
		    host.is_ipv6 == guest.is_ipv6 && inaddr_is_unspecified(&host))
			return port;
	}
	return NULL;
}

void
udp_port_wait(struct udp_ports *ports, struct port *port, uint64_t now_ms)
{
	if (port->state == PORT_AWAY)
		return;
	port_table_unwatch(ports->table, port);
	port->n_asked = 0;
	port->due_ms = now_ms;
	TAILQ_INSERT_TAIL(&ports->waiting, port, entry);
}

void
udp_port_go_on(struct udp_ports *ports, struct port *port)
{
	/* If the kernel lacks memory, try it again at the next request. */
	if (port_table_watch(ports->table, port) == -1)
		port->due_ms += UDP_PORT_ASK_MS;
	else
		TAILQ_REMOVE(&ports->waiting, port, entry);
}

uint64_t
udp_ports_due(const struct udp_ports *ports)
{
	const struct port *port;
	uint64_t due_ms = DEADLINE_NONE;

	TAILQ_FOREACH(port, &ports->waiting, entry)
	due_ms = deadline_earlier(due_ms, port->due_ms);
	return due_ms;
}
