/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the sockets of forwards, and tells the worker of them. */
#include "connector/forward/listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/mapping.h"
#include "connector/open/open.h"

int
listeners_init(struct listeners *listeners, bool keeps_groups_off)
{
	listeners->keeps_groups_off = keeps_groups_off;
	TAILQ_INIT(&listeners->held);
	TAILQ_INIT(&listeners->to_tell);
	listeners->places = mapping_new(IPC_LISTENERS_MAX * sizeof(struct listener));
	return listeners->places ? 0 : -1;
}

void
listeners_free(struct listeners *listeners)
{
	for (uint32_t i = 0; i < listeners->n_places; i++)
		if (listeners->places[i].fd != -1)
			close(listeners->places[i].fd);
	if (listeners->places)
		munmap(listeners->places, IPC_LISTENERS_MAX * sizeof(struct listener));
	*listeners = (struct listeners){ 0 };
}

static uint32_t
place_of(const struct listeners *listeners, const struct listener *listener)
{
	return (uint32_t)(listener - listeners->places);
}

/* An unused place, or NULL. */
static struct listener *
take_place(struct listeners *listeners)
{
	struct listener *listener;

	if (listeners->first_free > 0) {
		listener = &listeners->places[listeners->first_free - 1];
		listeners->first_free = listener->next;
		return listener;
	}
	return listeners->n_places < IPC_LISTENERS_MAX
	    ? &listeners->places[listeners->n_places++]
	    : NULL;
}

/* The listener is in no queue, and closed. */
static void
give_place(struct listeners *listeners, struct listener *listener)
{
	uint32_t place = place_of(listeners, listener) + 1;
	uint32_t *link = &listeners->by_port[listener->about.host_port];

	while (*link != place)
		link = &listeners->places[*link - 1].next;
	*link = listener->next;
	listener->state = LISTENER_FREE;
	listener->next = listeners->first_free;
	listeners->first_free = place;
}

/* Whether the worker may still have a socket that is bound to the port. */
static bool
is_leaving(const struct listeners *listeners, const struct ipc_listener *about)
{
	uint32_t next = listeners->by_port[about->host_port];

	for (; next > 0; next = listeners->places[next - 1].next) {
		const struct listener *listener = &listeners->places[next - 1];

		if (listener->fd == -1 && listener->about.proto == about->proto &&
		    listener->about.host_addr.is_ipv6 == about->host_addr.is_ipv6)
			return true;
	}
	return false;
}

int
listeners_open(struct listeners *listeners, const struct ipc_listener *about)
{
	bool shares = about->proto == IPPROTO_UDP &&
	    (listeners->has_older || is_leaving(listeners, about));
	autofd int fd = about->proto == IPPROTO_TCP
	    ? open_listening_tcp(&about->host_addr, about->host_port)
	    : open_bound_udp(&about->host_addr, about->host_port, shares,
		  listeners->keeps_groups_off);
	uint32_t *chain = &listeners->by_port[about->host_port];
	struct listener *listener;

	if (fd == -1)
		return -1;
	listener = take_place(listeners);
	if (!listener) {
		errno = ENOBUFS;
		return -1;
	}
	*listener = (struct listener){
		.about = *about,
		.fd = take_fd(&fd),
		.next = *chain,
		.state = LISTENER_HELD,
	};
	listener->about.id = place_of(listeners, listener);
	*chain = listener->about.id + 1;
	TAILQ_INSERT_TAIL(&listeners->held, listener, entry);
	return 0;
}

int
listeners_adopt(struct listeners *listeners, const struct ipc_listener *about,
    int adopt_fd)
{
	struct listener *listener = &listeners->places[about->id];
	uint32_t *chain = &listeners->by_port[about->host_port];

	if (listener->state != LISTENER_FREE) {
		close(adopt_fd);
		return -1;
	}
	*listener = (struct listener){
		.about = *about,
		.fd = adopt_fd,
		.next = *chain,
		.state = LISTENER_TO_TELL,
	};
	*chain = about->id + 1;
	if (about->id >= listeners->n_places)
		listeners->n_places = about->id + 1;
	TAILQ_INSERT_TAIL(&listeners->to_tell, listener, entry);
	return 0;
}

void
listeners_end_adoption(struct listeners *listeners)
{
	listeners->has_older = true;
	for (uint32_t i = 0; i < listeners->n_places; i++) {
		struct listener *listener = &listeners->places[i];

		if (listener->state != LISTENER_FREE)
			continue;
		listener->fd = -1;
		listener->next = listeners->first_free;
		listeners->first_free = i + 1;
	}
}

struct listener *
listeners_find_open(const struct listeners *listeners, uint8_t proto,
    const struct inaddr *host_addr, uint16_t host_port)
{
	uint32_t next = listeners->by_port[host_port];

	for (; next > 0; next = listeners->places[next - 1].next) {
		struct listener *listener = &listeners->places[next - 1];

		if (listener->fd != -1 && listener->about.proto == proto &&
		    inaddr_is_equal(&listener->about.host_addr, host_addr))
			return listener;
	}
	return NULL;
}

void
listeners_close(struct listeners *listeners, uint8_t proto,
    const struct inaddr *host_addr, uint16_t host_port)
{
	struct listener *listener =
	    listeners_find_open(listeners, proto, host_addr, host_port);

	if (!listener)
		return;
	if (listener->state == LISTENER_HELD)
		TAILQ_REMOVE(&listeners->held, listener, entry);
	else if (listener->state == LISTENER_TO_TELL)
		TAILQ_REMOVE(&listeners->to_tell, listener, entry);
	/* The worker may also have it from the connector before. */
	open_make_useless(listener->fd, proto, host_addr, host_port);
	close(take_fd(&listener->fd));
	if (!listener->is_known) {
		give_place(listeners, listener);
		return;
	}
	listener->state = LISTENER_TO_LEAVE;
	TAILQ_INSERT_TAIL(&listeners->to_tell, listener, entry);
}

void
listeners_release(struct listeners *listeners)
{
	struct listener *listener;

	for (listener = TAILQ_FIRST(&listeners->held); listener != NULL;
	     listener = TAILQ_NEXT(listener, entry))
		listener->state = LISTENER_TO_TELL;
	TAILQ_CONCAT(&listeners->to_tell, &listeners->held, entry);
}

void
listeners_tell_anew(struct listeners *listeners)
{
	listeners->owes_told = true;
	for (uint32_t i = 0; i < listeners->n_places; i++) {
		struct listener *listener = &listeners->places[i];

		listener->is_known = false;
		if (listener->state == LISTENER_TOLD) {
			listener->state = LISTENER_TO_TELL;
			TAILQ_INSERT_TAIL(&listeners->to_tell, listener, entry);
		} else if (listener->state == LISTENER_TO_LEAVE) {
			TAILQ_REMOVE(&listeners->to_tell, listener, entry);
			give_place(listeners, listener);
		} else if (listener->state == LISTENER_LEFT) {
			give_place(listeners, listener);
		}
	}
}

static int
tell_one(struct ipc_channel *to_worker, struct listener *listener)
{
	const struct ipc_listener_gone gone = { .id = listener->about.id };

	if (listener->state == LISTENER_TO_TELL) {
		if (ipc_send_listener(to_worker, &listener->about, listener->fd) == -1)
			return -1;
		listener->state = LISTENER_TOLD;
		listener->is_known = true;
		return 0;
	}
	if (ipc_send_listener_gone(to_worker, &gone) == -1)
		return -1;
	listener->state = LISTENER_LEFT;
	return 0;
}

void
listeners_tell(struct listeners *listeners, struct ipc_channel *to_worker,
    uint64_t now_ms)
{
	struct listener *listener;

	if (to_worker->fd == -1 || now_ms < listeners->tell_at_ms)
		return;
	for (int i = 0; i < LISTENERS_TELL_MAX; i++) {
		listener = TAILQ_FIRST(&listeners->to_tell);
		if (listener == NULL) {
			if (listeners->owes_told &&
			    ipc_send_listeners_told(to_worker) == 0)
				listeners->owes_told = listeners->has_older = false;
			return;
		}
		if (tell_one(to_worker, listener) == -1) {
			if (errno == ETOOMANYREFS || fdio_is_shortage(errno))
				listeners->tell_at_ms = now_ms + FDIO_RETRY_MS;
			return;
		}
		TAILQ_REMOVE(&listeners->to_tell, listener, entry);
	}
}

int
listeners_note_wanted(struct listeners *listeners, uint32_t id)
{
	struct listener *listener = &listeners->places[id];

	if (id >= listeners->n_places)
		return -1;
	switch (listener->state) {
	case LISTENER_TOLD:
		listener->state = LISTENER_TO_TELL;
		TAILQ_INSERT_TAIL(&listeners->to_tell, listener, entry);
		return 0;
	case LISTENER_TO_LEAVE:
	case LISTENER_LEFT:
		/* The messages have crossed. */
		return 0;
	default:
		return -1;
	}
}

int
listeners_note_closed(struct listeners *listeners, uint32_t id)
{
	struct listener *listener = &listeners->places[id];

	if (id >= listeners->n_places || listener->state != LISTENER_LEFT)
		return -1;
	give_place(listeners, listener);
	return 0;
}

const struct ipc_listener *
listeners_find(const struct listeners *listeners, uint32_t id)
{
	const struct listener *listener = &listeners->places[id];

	return id < listeners->n_places && listener->fd != -1 ? &listener->about : NULL;
}
