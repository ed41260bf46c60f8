/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits for all descriptors of the worker, with epoll(7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Events of one wait. More stay ready for the next wait: a turn must end, so that the TAP
 * gets its share. */
#define POLLER_EVENTS_MAX 64

/* Bits of a generation that the events of a descriptor have room for. */
#define POLLER_GENERATION_BITS 24

enum poller_kind {
	/* Places: one descriptor of each kind, or none. */
	POLLER_TAP,     /* the TAP, or the client of a bess socket */
	POLLER_CLIENTS, /* the bess socket, to which clients connect */
	POLLER_PARENT,
	POLLER_API,
	POLLER_CONNECTOR,
	POLLER_RESOLVER,
	POLLER_N_PLACES,
	/* Any number, in the tables of an engine. */
	POLLER_FLOW = POLLER_N_PLACES,
	POLLER_LISTENER,
	POLLER_UDP,
	POLLER_UDP_PORT,
	POLLER_PING,
};

/* A descriptor of an engine that is ready. The engine ignores an event whose generation is
 * not the present one at the index: it has closed that descriptor since the wait. */
struct poller_event {
	enum poller_kind kind;
	uint32_t index;
	uint32_t generation;
	uint32_t events; /* EPOLLIN and others */
};

struct poller_place {
	int fd;          /* borrowed; -1: none */
	uint32_t wanted; /* the events to wait for */
	uint32_t ready;  /* the events of the last wait */
};

struct poller {
	int epoll_fd; /* owned */
	struct poller_place places[POLLER_N_PLACES];
	int64_t spin_ns;    /* how long the next wait looks before it sleeps */
	int64_t began_ns;   /* the last look */
	bool found_at_once; /* the last wait had events before it */
	size_t n_events;
	struct poller_event events[POLLER_EVENTS_MAX]; /* of engines, in the last wait */
};

/* The longest time that a wait looks before it sleeps. In a virtual machine, a sleeping
 * processor needs about half of this to be woken by another one. */
#define POLLER_SPIN_MAX_NS INT64_C(50000)

/* Makes the epoll descriptor, which the filter forbids later. Returns 0, or -1 with errno
 * set. */
int poller_init(struct poller *poller);
void poller_free(struct poller *poller);

/*
 * Puts fd (borrowed; -1: none) into the place of its kind and waits for EPOLLIN on it.
 * Remove a descriptor from its place before it is closed or replaced: epoll(7) watches an
 * open file, not a number, and goes on if another process has the same file. Returns 0,
 * or -1 with errno set and the place empty; -1 for fd does not fail.
 */
int poller_put(struct poller *poller, enum poller_kind kind, int fd);

/* Sets the events to wait for (EPOLLIN, EPOLLOUT or 0) at a place, empty or not. */
void poller_expect(struct poller *poller, enum poller_kind kind, uint32_t events);

/* The events that the last wait found at a place; EPOLLERR and EPOLLHUP too. */
static inline uint32_t
poller_ready(const struct poller *poller, enum poller_kind kind)
{
	return poller->places[kind].ready;
}

/* Adds the descriptor (borrowed) of an engine, whose events have this kind, index and
 * generation (of POLLER_GENERATION_BITS). Each change to readable, writable or closed is one
 * event. close(2) ends the registration, unless another process has the same open file.
 * Returns 0, or -1 with errno set (ENOSPC: the limit of epoll(7) for the user). */
int poller_add(struct poller *poller, int fd, enum poller_kind kind, uint32_t index,
    uint32_t generation);

/* The same for a descriptor that is only read: each wait has an event while it is readable
 * or has an error. */
int poller_add_reader(struct poller *poller, int fd, enum poller_kind kind,
    uint32_t index, uint32_t generation);

/* Ends the registration of an engine's descriptor before it is closed. Its events of the
 * last wait stay. */
void poller_remove(struct poller *poller, int fd);

/*
 * A wait is a look, and then a sleep if the look has found nothing. Both fill in events and
 * the ready events of places. They return 0 if nothing is ready, a positive number if
 * something is, or -1 with errno set (EINTR: a signal) and no event.
 *
 * After short waits, poller_look() looks for a moment, because sleep and wake-up cost as
 * much and add delay; after long ones it does not look at all, unless timeout_ms is 0.
 * poller_sleep() sleeps until a descriptor is ready, or for timeout_ms (-1: for ever).
 * Call it after a look.
 */
int poller_look(struct poller *poller, int timeout_ms);
int poller_sleep(struct poller *poller, int timeout_ms);

/* The spin_ns after a wait that slept for slept_ns: long enough to have covered the
 * sleep, or 0 if POLLER_SPIN_MAX_NS would have been too short. */
int64_t poller_next_spin(int64_t spin_ns, int64_t slept_ns);
