/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the ports of UDP forwards. */
#include "slirp-worker/engine/udp/udp_port.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/mapping.h"
#include "slirp-worker/wire/wire.h"

#define GENERATION_MASK ((UINT32_C(1) << POLLER_GENERATION_BITS) - 1)

int
udp_ports_init(struct udp_ports *ports, uint32_t n_max, struct poller *poller)
{
	*ports = (struct udp_ports){ .n_max = n_max, .poller = poller };
	TAILQ_INIT(&ports->waiting);
	ports->places = mapping_new(n_max * sizeof(ports->places[0]));
	return ports->places ? 0 : -1;
}

void
udp_ports_free(struct udp_ports *ports)
{
	for (uint32_t i = 0; i < ports->n_places; i++)
		if (ports->places[i].fd != -1)
			close(ports->places[i].fd);
	if (ports->places)
		munmap(ports->places, ports->n_max * sizeof(ports->places[0]));
	ports->places = NULL;
	ports->n_places = 0;
}

uint32_t
udp_ports_place(const struct udp_ports *ports, const struct udp_port *port)
{
	return (uint32_t)(port - ports->places);
}

static uint32_t *
host_chain(struct udp_ports *ports, const union inaddr_sock *host)
{
	return &ports->by_host[inaddr_sock_port(host) % UDP_PORT_CHAINS];
}

/* An unused place, or NULL. */
static struct udp_port *
take_place(struct udp_ports *ports)
{
	struct udp_port *port;

	if (ports->first_free > 0) {
		port = &ports->places[ports->first_free - 1];
		ports->first_free = port->next_by_host;
		return port;
	}
	return ports->n_places < ports->n_max ? &ports->places[ports->n_places++] : NULL;
}

static void
give_place(struct udp_ports *ports, struct udp_port *port)
{
	port->fd = -1;
	/* Events of the last wait are stale now. */
	port->generation = (port->generation + 1) & GENERATION_MASK;
	port->next_by_host = ports->first_free;
	ports->first_free = udp_ports_place(ports, port) + 1;
}

static int
watch(const struct udp_ports *ports, const struct udp_port *port)
{
	return poller_add_reader(ports->poller, port->fd, POLLER_UDP_PORT,
	    udp_ports_place(ports, port), port->generation);
}

int
udp_ports_take(struct udp_ports *ports, int adopt_fd, const union inaddr_sock *host,
    const struct inaddr *guest, uint16_t guest_port)
{
	struct udp_port *port = take_place(ports);
	uint32_t *by_host = host_chain(ports, host);
	uint32_t *by_guest = &ports->by_guest[guest_port % UDP_PORT_CHAINS];

	if (port == NULL) {
		close(adopt_fd);
		errno = ENOBUFS;
		return -1;
	}
	*port = (struct udp_port){
		.host = *host,
		.guest = *guest,
		.guest_port = guest_port,
		.fd = adopt_fd,
		.generation = port->generation,
		.next_by_host = *by_host,
		.next_by_guest = *by_guest,
	};
	if (watch(ports, port) == -1) {
		int saved_errno = errno;

		close(adopt_fd);
		give_place(ports, port);
		errno = saved_errno;
		return -1;
	}
	*by_host = *by_guest = udp_ports_place(ports, port) + 1;
	return 0;
}

static void
leave_guest_chain(struct udp_ports *ports, const struct udp_port *port)
{
	uint32_t place = udp_ports_place(ports, port) + 1;
	uint32_t *link = &ports->by_guest[port->guest_port % UDP_PORT_CHAINS];

	while (*link != place)
		link = &ports->places[*link - 1].next_by_guest;
	*link = port->next_by_guest;
}

uint32_t
udp_ports_close(struct udp_ports *ports, const union inaddr_sock *host)
{
	uint32_t *link = host_chain(ports, host);
	struct udp_port *port;

	while (*link > 0 && !inaddr_sock_is_equal(&ports->places[*link - 1].host, host))
		link = &ports->places[*link - 1].next_by_host;
	if (*link == 0)
		return UINT32_MAX;
	port = &ports->places[*link - 1];
	*link = port->next_by_host;
	leave_guest_chain(ports, port);
	if (port->waits)
		TAILQ_REMOVE(&ports->waiting, port, waiting_entry);
	else
		poller_remove(ports->poller, port->fd);
	close(port->fd);
	give_place(ports, port);
	return udp_ports_place(ports, port);
}

struct udp_port *
udp_ports_at(const struct udp_ports *ports, uint32_t place, uint32_t generation)
{
	struct udp_port *port = &ports->places[place];

	return place < ports->n_places && port->fd != -1 && port->generation == generation
	    ? port
	    : NULL;
}

const struct udp_port *
udp_port_to_guest(const struct udp_ports *ports, const struct flow_key *key)
{
	const struct inaddr guest =
	    inaddr_from_bytes(key->guest_address, key->ethertype == WIRE_TYPE_IP6);
	uint32_t next = ports->by_guest[key->guest_port % UDP_PORT_CHAINS];

	for (; next > 0; next = ports->places[next - 1].next_by_guest) {
		const struct udp_port *port = &ports->places[next - 1];
		struct inaddr host;

		if (port->guest_port == key->guest_port &&
		    inaddr_is_equal(&port->guest, &guest) &&
		    inaddr_from_sockaddr(&host, &port->host.any) &&
		    host.is_ipv6 == guest.is_ipv6 && inaddr_is_unspecified(&host))
			return port;
	}
	return NULL;
}

uint16_t
udp_port_of_guest(const struct udp_ports *ports, const struct flow_key *key)
{
	const struct udp_port *port = udp_port_to_guest(ports, key);

	return port != NULL ? inaddr_sock_port(&port->host) : 0;
}

void
udp_port_wait(struct udp_ports *ports, struct udp_port *port, uint64_t now_ms)
{
	if (port->waits)
		return;
	poller_remove(ports->poller, port->fd);
	port->waits = true;
	port->n_asked = 0;
	port->due_ms = now_ms;
	TAILQ_INSERT_TAIL(&ports->waiting, port, waiting_entry);
}

void
udp_port_go_on(struct udp_ports *ports, struct udp_port *port)
{
	TAILQ_REMOVE(&ports->waiting, port, waiting_entry);
	port->waits = false;
	/* If the kernel lacks memory, try it again at the next request. */
	if (watch(ports, port) == -1) {
		port->waits = true;
		port->due_ms += UDP_PORT_ASK_MS;
		TAILQ_INSERT_TAIL(&ports->waiting, port, waiting_entry);
	}
}

uint64_t
udp_ports_due(const struct udp_ports *ports)
{
	const struct udp_port *port;
	uint64_t due_ms = DEADLINE_NONE;

	TAILQ_FOREACH(port, &ports->waiting, waiting_entry)
	due_ms = deadline_earlier(due_ms, port->due_ms);
	return due_ms;
}
