/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of forwards: one table for TCP and UDP. The connector sends each port with a
 * duplicate of its socket, and says when it has closed the port. The place of a port is the
 * number that the connector has given it.
 *
 * If there is no descriptor for a duplicate, the port is missing: peers wait in the queue of the
 * connector's socket, and the worker asks for the port again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/inaddr.h"
#include "ipc/channel.h"
#include "model/budget.h"
#include "slirp-worker/poller.h"

/* Reports to the connector in a turn: each costs a system call. */
#define PORT_TABLE_REPORTS_MAX 64

enum port_state {
	PORT_NONE,
	PORT_MISSING, /* there was no descriptor for it */
	PORT_ASKED,   /* the connector was asked to send it again */
	PORT_AWAY,    /* it has a descriptor, which is not in epoll(7) */
	PORT_WATCHED, /* it has a descriptor in epoll(7) */
	PORT_CLOSED,  /* the connector has to be told that the descriptor is closed */
};

struct port {
	/* PORT_MISSING, PORT_CLOSED: in a list of the table. PORT_AWAY: of the engine. */
	TAILQ_ENTRY(port) entry;
	union inaddr_sock host;
	struct inaddr guest;
	uint16_t guest_port; /* host byte order */
	uint8_t proto;       /* IPPROTO_TCP or IPPROTO_UDP */
	enum port_state state;
	uint32_t forward; /* the forward's id */
	int fd;           /* owned; -1: none */
	bool is_stale;    /* the connector before has sent it, and this one has not */
	uint32_t generation;
	/* The UDP engine's (udp_port.h). */
	uint32_t next_by_guest;
	uint32_t n_asked;
	uint64_t due_ms;
};

TAILQ_HEAD(port_list, port);

struct port_table {
	struct port *places;   /* owned; IPC_LISTENERS_MAX */
	uint32_t n_places;     /* that were used at some time */
	uint32_t n_tcp, n_udp; /* ports that the connector has open */
	uint32_t n_asked;      /* ports that are PORT_ASKED */
	struct port_list missing;
	struct port_list closed;
	uint64_t ask_at_ms;     /* missing ports are asked for from then on */
	bool waits_for_channel; /* the connector's queue was full */
	/* Borrowed. */
	struct poller *poller;
	struct budget *budget;
};

/* Maps memory; call it before the jail. The pointers are borrowed. Returns 0, or -1 with errno
 * set. */
int port_table_init(struct port_table *table, struct poller *poller,
    struct budget *budget);

/* Closes all ports; also after a failed port_table_init(). */
void port_table_free(struct port_table *table);

/* Takes a port of the connector: PORT_AWAY, or PORT_MISSING if adopt_fd is -1 or the budget has no
 * room. NULL: the worker has the port already, so the connector breaks the protocol. */
struct port *port_table_take(struct port_table *table,
    const struct ipc_listener *listener, int adopt_fd, uint64_t now_ms);

/* The port that the connector means; NULL: there is none. */
struct port *port_table_find(const struct port_table *table, uint32_t id);

/* Closes a port, which is in no list of an engine, and has the connector told. The place keeps
 * what it had until it is taken again. */
void port_table_close(struct port_table *table, struct port *port);

/* The same without telling the connector, which does not know of the port. The place is free at
 * once. */
void port_table_forget(struct port_table *table, struct port *port);

/* There is another connector, which sends all its ports. Those that are open are stale until they
 * come again; the others are forgotten. */
void port_table_begin_anew(struct port_table *table);

/* Whether the port is the one of the message. */
bool port_table_is_same(const struct port *port, const struct ipc_listener *listener);

/* Puts a port that is PORT_AWAY into epoll(7). Returns 0, or -1 with errno set and the port
 * unchanged. The reverse cannot fail. */
int port_table_watch(const struct port_table *table, struct port *port);
void port_table_unwatch(const struct port_table *table, struct port *port);

/* The port of an event; NULL: it was closed since. */
struct port *port_table_at(const struct port_table *table,
    const struct poller_event *event);

/* Tells the connector of closed ports, and asks for missing ones if there is room. */
void port_table_report(struct port_table *table, struct ipc_channel *to_connector,
    uint64_t now_ms);

/* When port_table_report() is due without an event (base/deadline.h). */
uint64_t port_table_due(const struct port_table *table);

static inline uint32_t
port_table_place(const struct port_table *table, const struct port *port)
{
	return (uint32_t)(port - table->places);
}

/* Whether the port is open on the host. */
static inline bool
port_is_open(const struct port *port)
{
	return port->state != PORT_NONE && port->state != PORT_CLOSED;
}
