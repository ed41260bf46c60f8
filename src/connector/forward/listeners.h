/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of forwards: listening ones of TCP, bound ones of UDP. The connector makes and
 * keeps them, and gives the worker a duplicate of each.
 *
 * Theory of operation
 * A listener is held back until all ports of its forward are open. Then the worker gets it.
 * When a listener is closed, the worker is told, and answers. Its number is free only after the
 * answer, so a message never means another listener of the same number.
 *
 * The duplicates of the worker and of the parent keep the socket open. Therefore a listener is made useless
 * before it is closed, whatever the worker does: shutdown(2) ends the listening of all
 * duplicates (TCP), or connect(2) leads them to the socket itself (UDP).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc/channel.h"

/* Messages to the worker in one turn of the loop: the worker's questions come between. */
#define LISTENERS_TELL_MAX 64

enum listener_state {
	LISTENER_FREE,
	LISTENER_HELD,     /* the forward is not complete */
	LISTENER_TO_TELL,  /* the worker has to get it */
	LISTENER_TOLD,     /* the worker has it */
	LISTENER_TO_LEAVE, /* closed; the worker has to be told */
	LISTENER_LEFT,     /* the worker was told, and has not answered */
};

struct listener {
	TAILQ_ENTRY(listener) entry; /* of held or to_tell */
	struct ipc_listener about;   /* its id is the place */
	int fd;                      /* owned; -1: it is closed, or the place is free */
	uint32_t next; /* with the same port, or free: a place plus 1; 0: none */
	enum listener_state state;
	bool is_known; /* the worker was told of it at some time */
};

TAILQ_HEAD(listener_queue, listener);

struct listeners {
	struct listener *places; /* owned; IPC_LISTENERS_MAX */
	uint32_t n_places;       /* that were used at some time */
	uint32_t first_free;
	uint32_t by_port[UINT16_MAX + 1]; /* chains; a place plus 1 */
	struct listener_queue held;       /* of the forward that is being added */
	struct listener_queue to_tell;
	uint64_t tell_at_ms; /* CLOCK_MONOTONIC; the kernel could not pass one before */
	bool owes_told; /* a new channel to a worker; it has not got all listeners yet */
	/* It may have sockets that the connector before has closed. */
	bool has_older;
	bool
	    keeps_groups_off; /* multicasts of UDP listeners do not reach the host itself */
};

/* Maps the memory. Returns 0, or -1 with errno set. */
int listeners_init(struct listeners *listeners, bool keeps_groups_off);

/* Closes all sockets; also after a failed listeners_init(). */
void listeners_free(struct listeners *listeners);

/* Opens the port and holds it back. about->id is not used. Returns 0, or -1 with errno of
 * socket(2), bind(2) or listen(2); ENOBUFS if the worker does not answer. */
int listeners_open(struct listeners *listeners, const struct ipc_listener *about);

/* The open port of this protocol; NULL: there is none. */
struct listener *listeners_find_open(const struct listeners *listeners, uint8_t proto,
    const struct inaddr *host_addr, uint16_t host_port);

/* Takes a port of the connector before, which the worker may have. about->id is its place, as it
 * was. Returns -1 if the place is taken. All come before listeners_end_adoption(), and that before
 * any other port. */
int listeners_adopt(struct listeners *listeners, const struct ipc_listener *about,
    int adopt_fd);
void listeners_end_adoption(struct listeners *listeners);

/* Closes the port of this protocol, which must be open, and removes what was told of it. */
void listeners_close(struct listeners *listeners, uint8_t proto,
    const struct inaddr *host_addr, uint16_t host_port);

/* Gives all that are held back to the worker, in time. */
void listeners_release(struct listeners *listeners);

/* Whether something is to be told to the worker. */
static inline bool
listeners_have_news(const struct listeners *listeners)
{
	return listeners->owes_told || !TAILQ_EMPTY(&listeners->to_tell);
}

/* There is another worker, which has none of the listeners; or there is the worker of the connector
 * before, which closes those that it does not get again. */
void listeners_tell_anew(struct listeners *listeners);

/* Tells the worker, as far as its queue and LISTENERS_TELL_MAX allow. Sets tell_at_ms if the
 * kernel is short of memory, or if too many descriptors of the user are in queues
 * (ETOOMANYREFS, unix(7)): no event tells when that is over. */
void listeners_tell(struct listeners *listeners, struct ipc_channel *to_worker,
    uint64_t now_ms);

/* The port that the worker has; NULL: none has this number, or it is closed. */
const struct ipc_listener *listeners_find(const struct listeners *listeners, uint32_t id);

/* The worker asks for the listener again, or has closed its duplicate. Returns 0, or -1 if the
 * worker can't say so: it breaks the protocol. */
int listeners_note_wanted(struct listeners *listeners, uint32_t id);
int listeners_note_closed(struct listeners *listeners, uint32_t id);
