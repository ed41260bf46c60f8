/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the ports of forwards, and reports to the connector. */
#include "slirp-worker/engine/port_table.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/mapping.h"

#define GENERATION_MASK ((UINT32_C(1) << POLLER_GENERATION_BITS) - 1)

int
port_table_init(struct port_table *table, struct poller *poller, struct budget *budget)
{
	*table = (struct port_table){ .poller = poller, .budget = budget };
	TAILQ_INIT(&table->missing);
	TAILQ_INIT(&table->closed);
	table->places = mapping_new(IPC_LISTENERS_MAX * sizeof(struct port));
	return table->places ? 0 : -1;
}

void
port_table_free(struct port_table *table)
{
	for (uint32_t i = 0; i < table->n_places; i++)
		if (table->places[i].state != PORT_NONE && table->places[i].fd != -1)
			close(table->places[i].fd);
	if (table->places)
		munmap(table->places, IPC_LISTENERS_MAX * sizeof(struct port));
	table->places = NULL;
	table->n_places = 0;
}

static uint32_t *
counter_of(struct port_table *table, const struct port *port)
{
	return port->proto == IPPROTO_TCP ? &table->n_tcp : &table->n_udp;
}

/* Fills in a place that the connector has not used, or uses again. */
static void
fill(struct port_table *table, struct port *port, const struct ipc_listener *listener)
{
	*port = (struct port){
		.host = inaddr_sock_make(&listener->host_addr, listener->host_port),
		.guest = listener->guest_addr,
		.guest_port = listener->guest_port,
		.proto = listener->proto,
		.forward = listener->forward,
		.fd = -1,
		.generation = port->generation,
	};
	++*counter_of(table, port);
	/* The connector takes low numbers first, so n_places stays near to the ports. */
	if (listener->id >= table->n_places)
		table->n_places = listener->id + 1;
}

static void
miss(struct port_table *table, struct port *port, uint64_t now_ms)
{
	port->state = PORT_MISSING;
	TAILQ_INSERT_TAIL(&table->missing, port, entry);
	table->ask_at_ms = now_ms + FDIO_RETRY_MS;
}

struct port *
port_table_take(struct port_table *table, const struct ipc_listener *listener,
    int adopt_fd, uint64_t now_ms)
{
	struct port *port = &table->places[listener->id];
	autofd int fd = adopt_fd;

	if (port->state == PORT_ASKED)
		table->n_asked--;
	else if (port->state == PORT_NONE)
		fill(table, port, listener);
	else
		return NULL;
	if (fd == -1 || !budget_has_room(table->budget, BUDGET_PORT, 1)) {
		miss(table, port, now_ms);
		return port;
	}
	budget_take(table->budget, BUDGET_PORT, 1);
	port->fd = take_fd(&fd);
	port->state = PORT_AWAY;
	return port;
}

struct port *
port_table_find(const struct port_table *table, uint32_t id)
{
	struct port *port = &table->places[id];

	return port_is_open(port) ? port : NULL;
}

void
port_table_forget(struct port_table *table, struct port *port)
{
	if (port->state == PORT_WATCHED)
		port_table_unwatch(table, port);
	else if (port->state == PORT_MISSING)
		TAILQ_REMOVE(&table->missing, port, entry);
	else if (port->state == PORT_ASKED)
		table->n_asked--;
	if (port->fd != -1) {
		close(take_fd(&port->fd));
		budget_give(table->budget, BUDGET_PORT, 1);
	}
	--*counter_of(table, port);
	/* Events of the last wait are stale now. */
	port->generation = (port->generation + 1) & GENERATION_MASK;
	port->state = PORT_NONE;
}

void
port_table_close(struct port_table *table, struct port *port)
{
	port_table_forget(table, port);
	port->state = PORT_CLOSED;
	TAILQ_INSERT_TAIL(&table->closed, port, entry);
}

void
port_table_begin_anew(struct port_table *table)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&table->closed))) {
		TAILQ_REMOVE(&table->closed, port, entry);
		port->state = PORT_NONE;
	}
	for (uint32_t i = 0; i < table->n_places; i++) {
		port = &table->places[i];
		if (port->state == PORT_MISSING || port->state == PORT_ASKED)
			port_table_forget(table, port);
		port->is_stale = port->state != PORT_NONE;
	}
	table->waits_for_channel = false;
}

bool
port_table_is_same(const struct port *port, const struct ipc_listener *listener)
{
	struct inaddr host;

	inaddr_from_sockaddr(&host, &port->host.any);
	return port->forward == listener->forward && port->proto == listener->proto &&
	    inaddr_sock_port(&port->host) == listener->host_port &&
	    port->guest_port == listener->guest_port &&
	    inaddr_is_equal(&host, &listener->host_addr) &&
	    inaddr_is_equal(&port->guest, &listener->guest_addr);
}

int
port_table_watch(const struct port_table *table, struct port *port)
{
	enum poller_kind kind =
	    port->proto == IPPROTO_TCP ? POLLER_LISTENER : POLLER_UDP_PORT;

	if (poller_add_reader(table->poller, port->fd, kind,
		port_table_place(table, port), port->generation) == -1)
		return -1;
	port->state = PORT_WATCHED;
	return 0;
}

void
port_table_unwatch(const struct port_table *table, struct port *port)
{
	poller_remove(table->poller, port->fd);
	port->state = PORT_AWAY;
}

struct port *
port_table_at(const struct port_table *table, const struct poller_event *event)
{
	struct port *port = &table->places[event->index];

	return port->state == PORT_WATCHED && port->generation == event->generation
	    ? port
	    : NULL;
}

/* Returns false if the queue has not taken all. */
static bool
tell_closed(struct port_table *table, struct ipc_channel *to_connector, int *n_left)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&table->closed)) && *n_left > 0) {
		const struct ipc_listener_closed closed = {
			.id = port_table_place(table, port),
		};

		if (ipc_send_listener_closed(to_connector, &closed) == -1)
			return false;
		TAILQ_REMOVE(&table->closed, port, entry);
		port->state = PORT_NONE;
		--*n_left;
	}
	return true;
}

static bool
ask_for_missing(struct port_table *table, struct ipc_channel *to_connector, int *n_left)
{
	struct port *port;

	while ((port = TAILQ_FIRST(&table->missing)) && *n_left > 0 &&
	    budget_has_room(table->budget, BUDGET_PORT, table->n_asked + 1)) {
		const struct ipc_listener_wanted wanted = {
			.id = port_table_place(table, port),
		};

		if (ipc_send_listener_wanted(to_connector, &wanted) == -1)
			return false;
		TAILQ_REMOVE(&table->missing, port, entry);
		port->state = PORT_ASKED;
		table->n_asked++;
		--*n_left;
	}
	return true;
}

void
port_table_report(struct port_table *table, struct ipc_channel *to_connector,
    uint64_t now_ms)
{
	int n_left = PORT_TABLE_REPORTS_MAX;
	bool took_all = true;

	if (to_connector->fd == -1)
		return;
	if (!TAILQ_EMPTY(&table->closed))
		took_all = tell_closed(table, to_connector, &n_left);
	if (took_all && !TAILQ_EMPTY(&table->missing) && now_ms >= table->ask_at_ms) {
		took_all = ask_for_missing(table, to_connector, &n_left);
		table->ask_at_ms = now_ms + FDIO_RETRY_MS;
	}
	table->waits_for_channel = !took_all;
}

uint64_t
port_table_due(const struct port_table *table)
{
	if (!TAILQ_EMPTY(&table->closed) && !table->waits_for_channel)
		return 0;
	return TAILQ_EMPTY(&table->missing) ? DEADLINE_NONE : table->ask_at_ms;
}
