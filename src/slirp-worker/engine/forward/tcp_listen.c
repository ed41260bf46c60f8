/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens listening sockets for forwards, and accepts their connections fairly. */
#include "slirp-worker/engine/forward/tcp_listen.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/mapping.h"

#define GENERATION_MASK ((UINT32_C(1) << POLLER_GENERATION_BITS) - 1)

int
tcp_listen_init(struct tcp_listen *listen, uint32_t n_max, struct poller *poller,
    struct budget *budget, const struct tcp_listen_owner *owner, uint64_t *n_pauses)
{
	*listen = (struct tcp_listen){
		.n_max = n_max,
		.poller = poller,
		.budget = budget,
		.owner = owner,
		.n_pauses = n_pauses,
	};
	TAILQ_INIT(&listen->paused);
	listen->places = mapping_new(n_max * sizeof(listen->places[0]));
	return listen->places ? 0 : -1;
}

void
tcp_listen_free(struct tcp_listen *listen)
{
	for (uint32_t i = 0; i < listen->n_places; i++)
		if (listen->places[i].fd != -1)
			close(listen->places[i].fd);
	if (listen->places)
		munmap(listen->places, listen->n_max * sizeof(listen->places[0]));
	listen->places = NULL;
	listen->n_places = 0;
}

static uint32_t
place_of(const struct tcp_listen *listen, const struct tcp_listener *listener)
{
	return (uint32_t)(listener - listen->places);
}

static uint32_t *
chain_of(struct tcp_listen *listen, const union inaddr_sock *host)
{
	return &listen->chains[inaddr_sock_port(host) % TCP_LISTEN_CHAINS];
}

/* An unused place, or NULL. */
static struct tcp_listener *
take_place(struct tcp_listen *listen)
{
	struct tcp_listener *listener;

	if (listen->first_free > 0) {
		listener = &listen->places[listen->first_free - 1];
		listen->first_free = listener->next;
		return listener;
	}
	return listen->n_places < listen->n_max ? &listen->places[listen->n_places++]
						: NULL;
}

static void
give_place(struct tcp_listen *listen, struct tcp_listener *listener)
{
	listener->fd = -1;
	/* Events of the last wait are stale now. */
	listener->generation = (listener->generation + 1) & GENERATION_MASK;
	listener->next = listen->first_free;
	listen->first_free = place_of(listen, listener) + 1;
}

/* A socket that listens, or -1 with errno set. The accepted ones have its options. */
static int
make_socket(const union inaddr_sock *host)
{
	const int yes = 1;
	autofd int fd =
	    socket(host->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* IPv4 peers have forwards of their own, whatever net.ipv6.bindv6only is. */
	if (host->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == -1)
		return -1;
	/* Without it, tcp(7) keeps a port for a minute after its connections. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1)
		return -1;
	/* Cannot fail on a TCP socket. Urgent data stays in line (RFC 6093). */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
	if (bind(fd, &host->any, inaddr_sock_len(&host->any)) == -1 ||
	    listen(fd, TCP_LISTEN_BACKLOG) == -1)
		return -1;
	return take_fd(&fd);
}

/* A listening socket is there: adopts it and waits for its peers. */
static int
take_listener(struct tcp_listen *listen, int adopt_fd, const struct tcp_listener *about)
{
	struct tcp_listener *listener = take_place(listen);
	uint32_t generation;

	if (!listener) {
		close(adopt_fd);
		errno = ENOBUFS;
		return -1;
	}
	generation = listener->generation;
	*listener = *about;
	listener->fd = adopt_fd;
	listener->generation = generation;
	if (poller_add_reader(listen->poller, adopt_fd, POLLER_LISTENER,
		place_of(listen, listener), generation) == -1) {
		int saved_errno = errno;

		close(adopt_fd);
		give_place(listen, listener);
		errno = saved_errno;
		return -1;
	}
	listener->next = *chain_of(listen, &listener->host);
	*chain_of(listen, &listener->host) = place_of(listen, listener) + 1;
	return 0;
}

int
tcp_listen_open(struct tcp_listen *listen, const union inaddr_sock *host,
    const struct inaddr *guest, uint16_t guest_port, uint32_t rule)
{
	const struct tcp_listener about = {
		.host = *host,
		.guest = *guest,
		.guest_port = guest_port,
		.rule = rule,
	};
	int fd = make_socket(host);

	return fd == -1 ? -1 : take_listener(listen, fd, &about);
}

void
tcp_listen_close(struct tcp_listen *listen, const union inaddr_sock *host)
{
	uint32_t *link = chain_of(listen, host);
	struct tcp_listener *listener;

	while (*link > 0 && !inaddr_sock_is_equal(&listen->places[*link - 1].host, host))
		link = &listen->places[*link - 1].next;
	if (*link == 0)
		return;
	listener = &listen->places[*link - 1];
	*link = listener->next;
	if (listener->is_paused)
		TAILQ_REMOVE(&listen->paused, listener, paused_entry);
	else
		poller_remove(listen->poller, listener->fd);
	close(listener->fd);
	give_place(listen, listener);
}

static void
pause_listener(struct tcp_listen *listen, struct tcp_listener *listener)
{
	poller_remove(listen->poller, listener->fd);
	listener->is_paused = true;
	TAILQ_INSERT_TAIL(&listen->paused, listener, paused_entry);
	++*listen->n_pauses;
}

static bool
has_room(const struct tcp_listen *listen, const struct tcp_listener *listener,
    uint32_t n_descriptors)
{
	return budget_has_room(listen->budget, BUDGET_TCP, n_descriptors) &&
	    listen->owner->may_accept(listen->owner->ctx, &listener->guest,
		listener->guest_port);
}

/* A connection is there: counts it, and gives it to its owner. */
static void
take_connection(const struct tcp_listen *listen, const struct tcp_listener *listener,
    int adopt_fd, const union inaddr_sock *peer)
{
	struct peer_incoming incoming = {
		.guest = listener->guest,
		.guest_port = listener->guest_port,
		.rule = listener->rule,
		.fd = adopt_fd,
	};

	budget_take(listen->budget, BUDGET_TCP, 1);
	peer_take(&incoming, peer);
	listen->owner->accepted(listen->owner->ctx, &incoming);
}

static void
accept_from(struct tcp_listen *listen, struct tcp_listener *listener, size_t n_max,
    uint64_t now_ms)
{
	for (size_t i = 0; i < n_max; i++) {
		union inaddr_sock peer = { 0 };
		socklen_t len = sizeof(peer);
		int fd;

		if (now_ms < listen->accepts_at_ms || !has_room(listen, listener, 1)) {
			pause_listener(listen, listener);
			return;
		}
		fd = accept4(listener->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			/* accept(2) leaves the connection in its queue. */
			if (fdio_is_shortage(errno)) {
				listen->accepts_at_ms = now_ms + FDIO_RETRY_MS;
				pause_listener(listen, listener);
			}
			return;
		}
		take_connection(listen, listener, fd, &peer);
	}
}

static struct tcp_listener *
listener_of(const struct tcp_listen *listen, const struct poller_event *event)
{
	struct tcp_listener *listener = &listen->places[event->index];

	return listener->fd != -1 && listener->generation == event->generation ? listener
									       : NULL;
}

void
tcp_listen_accept(struct tcp_listen *listen, uint64_t now_ms)
{
	const struct poller *poller = listen->poller;
	size_t n_ready = 0, n_each;

	for (size_t i = 0; i < poller->n_events; i++)
		n_ready += poller->events[i].kind == POLLER_LISTENER;
	if (n_ready == 0)
		return;
	/* At least one: a wait has at most POLLER_EVENTS_MAX events. */
	n_each = TCP_ACCEPTS_A_TURN / n_ready;
	if (n_each > TCP_ACCEPTS_EACH)
		n_each = TCP_ACCEPTS_EACH;
	for (size_t i = 0; i < poller->n_events; i++) {
		struct tcp_listener *listener;

		if (poller->events[i].kind != POLLER_LISTENER)
			continue;
		listener = listener_of(listen, &poller->events[i]);
		if (listener && !listener->is_paused)
			accept_from(listen, listener, n_each, now_ms);
	}
}

/* Returns false if the kernel has no memory for the registration. */
static bool
resume_listener(struct tcp_listen *listen, struct tcp_listener *listener)
{
	if (poller_add_reader(listen->poller, listener->fd, POLLER_LISTENER,
		place_of(listen, listener), listener->generation) == -1)
		return false;
	listener->is_paused = false;
	TAILQ_REMOVE(&listen->paused, listener, paused_entry);
	return true;
}

uint64_t
tcp_listen_resume(struct tcp_listen *listen, uint64_t now_ms)
{
	struct tcp_listener *last = TAILQ_LAST(&listen->paused, tcp_listeners);
	struct tcp_listener *listener;
	uint32_t n_resumed = 0;

	if (!last)
		return DEADLINE_NONE;
	if (now_ms < listen->accepts_at_ms)
		return listen->accepts_at_ms;
	for (int i = 0; i < TCP_RESUMES_A_TURN; i++) {
		bool is_last;

		listener = TAILQ_FIRST(&listen->paused);
		is_last = listener == last;
		/* As many as there are descriptors: the others would pause again at once. */
		if (!budget_has_room(listen->budget, BUDGET_TCP, n_resumed + 1))
			return DEADLINE_NONE;
		if (!has_room(listen, listener, n_resumed + 1)) {
			TAILQ_REMOVE(&listen->paused, listener, paused_entry);
			TAILQ_INSERT_TAIL(&listen->paused, listener, paused_entry);
		} else if (resume_listener(listen, listener)) {
			n_resumed++;
		} else {
			return now_ms + FDIO_RETRY_MS;
		}
		if (is_last)
			return DEADLINE_NONE;
	}
	/* More than one turn looks at. */
	return now_ms + FDIO_RETRY_MS;
}
