/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of UDP forwards: sockets of the host at which new peers come. Each peer then has
 * a flow with a socket of its own at the same port (udp.h).
 *
 * A port whose guest has no known MAC waits: it leaves epoll(7), and datagrams stay in its
 * socket while the caller asks the guest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/inaddr.h"
#include "ipc/messages.h"
#include "model/flow_key.h"
#include "slirp-worker/poller.h"

/* Ports are found by their number, the host's and the guest's, in chains. With a forward of
 * all ports, 16 are in each. */
#define UDP_PORT_CHAINS 4096

/* A guest answers at once, if it has the address. Three requests, because one can be lost
 * behind a bridge. */
#define UDP_PORT_ASKS 3
#define UDP_PORT_ASK_MS 200

struct udp_port {
	TAILQ_ENTRY(udp_port) waiting_entry;
	union inaddr_sock host;
	struct inaddr guest;
	uint16_t guest_port; /* host byte order */
	bool waits;          /* for the guest's MAC */
	uint32_t n_asked;    /* requests that went out */
	uint64_t due_ms;     /* the next request, or the end */
	int fd;              /* owned; -1: the place is free */
	uint32_t generation;
	/* In their chains, or of the free places: a place plus 1; 0: none. */
	uint32_t next_by_host, next_by_guest;
};

TAILQ_HEAD(udp_port_list, udp_port);

struct udp_ports {
	struct udp_port *places; /* owned */
	uint32_t n_max;
	uint32_t n_places; /* that were used at some time */
	uint32_t first_free;
	uint32_t by_host[UDP_PORT_CHAINS], by_guest[UDP_PORT_CHAINS];
	struct udp_port_list waiting;
	/* The guest's address that was asked for last, and when. */
	struct inaddr asked;
	uint64_t asked_ms;
	struct poller *poller; /* borrowed */
};

/* Maps memory for n_max ports; call it before the jail. Returns 0, or -1 with errno set. */
int udp_ports_init(struct udp_ports *ports, uint32_t n_max, struct poller *poller);

/* Closes all ports; also after a failed udp_ports_init(). */
void udp_ports_free(struct udp_ports *ports);

/* A socket is bound: adopts it, and waits for its peers. Returns 0, or -1 with errno set. */
int udp_ports_take(struct udp_ports *ports, int adopt_fd, const union inaddr_sock *host,
    const struct inaddr *guest, uint16_t guest_port);

/* Closes the port and returns its place; UINT32_MAX if it is not open. */
uint32_t udp_ports_close(struct udp_ports *ports, const union inaddr_sock *host);

/* The port of a handle, or NULL. */
struct udp_port *udp_ports_at(const struct udp_ports *ports, uint32_t place,
    uint32_t generation);

uint32_t udp_ports_place(const struct udp_ports *ports, const struct udp_port *port);

/* The port, for any address of the host, that leads to the guest's end of a flow, or NULL. */
const struct udp_port *udp_port_to_guest(const struct udp_ports *ports,
    const struct flow_key *key);

/* Its number on the host; 0: none. */
uint16_t udp_port_of_guest(const struct udp_ports *ports, const struct flow_key *key);

/* Begins to wait for the guest's MAC; the first request is due at once. */
void udp_port_wait(struct udp_ports *ports, struct udp_port *port, uint64_t now_ms);

/* Ends the wait. */
void udp_port_go_on(struct udp_ports *ports, struct udp_port *port);

/* When the next request is due; DEADLINE_NONE if no port waits. */
uint64_t udp_ports_due(const struct udp_ports *ports);
