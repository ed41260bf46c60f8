/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepts the connections of forwards fairly. */
#include "slirp-worker/engine/forward/tcp_listen.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/fdio.h"

void
tcp_listen_init(struct tcp_listen *listen, struct port_table *table,
    const struct tcp_listen_owner *owner, uint64_t *n_pauses)
{
	*listen = (struct tcp_listen){
		.table = table,
		.poller = table->poller,
		.budget = table->budget,
		.owner = owner,
		.n_pauses = n_pauses,
	};
	TAILQ_INIT(&listen->paused);
}

bool
tcp_listen_open(struct tcp_listen *listen, struct port *port)
{
	if (port_table_watch(listen->table, port) == 0)
		return true;
	TAILQ_INSERT_TAIL(&listen->paused, port, entry);
	return false;
}

void
tcp_listen_close(struct tcp_listen *listen, struct port *port)
{
	if (port->state == PORT_AWAY)
		TAILQ_REMOVE(&listen->paused, port, entry);
}

static void
pause_port(struct tcp_listen *listen, struct port *port)
{
	port_table_unwatch(listen->table, port);
	TAILQ_INSERT_TAIL(&listen->paused, port, entry);
	++*listen->n_pauses;
}

static bool
has_room(const struct tcp_listen *listen, const struct port *port, uint32_t n_descriptors)
{
	return budget_has_room(listen->budget, BUDGET_TCP, n_descriptors) &&
	    listen->owner->may_accept(listen->owner->ctx, &port->guest, port->guest_port);
}

/* A connection is there: counts it, and gives it to its owner. */
static void
take_connection(const struct tcp_listen *listen, const struct port *port, int adopt_fd,
    const union inaddr_sock *peer)
{
	struct peer_incoming incoming = {
		.guest = port->guest,
		.guest_port = port->guest_port,
		.rule = port->forward,
		.fd = adopt_fd,
	};

	budget_take(listen->budget, BUDGET_TCP, 1);
	peer_take(&incoming, peer);
	listen->owner->accepted(listen->owner->ctx, &incoming);
}

static void
accept_from(struct tcp_listen *listen, struct port *port, size_t n_max, uint64_t now_ms)
{
	for (size_t i = 0; i < n_max; i++) {
		union inaddr_sock peer = { 0 };
		socklen_t len = sizeof(peer);
		int fd;

		if (now_ms < listen->accepts_at_ms || !has_room(listen, port, 1)) {
			pause_port(listen, port);
			return;
		}
		fd = accept4(port->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			/* accept(2) leaves the connection in its queue. */
			if (fdio_is_shortage(errno)) {
				listen->accepts_at_ms = now_ms + FDIO_RETRY_MS;
				pause_port(listen, port);
			}
			return;
		}
		take_connection(listen, port, fd, &peer);
	}
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
		struct port *port;

		if (poller->events[i].kind != POLLER_LISTENER)
			continue;
		port = port_table_at(listen->table, &poller->events[i]);
		if (port)
			accept_from(listen, port, n_each, now_ms);
	}
}

uint64_t
tcp_listen_resume(struct tcp_listen *listen, uint64_t now_ms)
{
	struct port *last = TAILQ_LAST(&listen->paused, port_list);
	struct port *port;
	uint32_t n_resumed = 0;

	if (!last)
		return DEADLINE_NONE;
	if (now_ms < listen->accepts_at_ms)
		return listen->accepts_at_ms;
	for (int i = 0; i < TCP_RESUMES_A_TURN; i++) {
		bool is_last;

		port = TAILQ_FIRST(&listen->paused);
		is_last = port == last;
		/* As many as there are descriptors: the others would pause again at once. */
		if (!budget_has_room(listen->budget, BUDGET_TCP, n_resumed + 1))
			return DEADLINE_NONE;
		if (!has_room(listen, port, n_resumed + 1)) {
			TAILQ_REMOVE(&listen->paused, port, entry);
			TAILQ_INSERT_TAIL(&listen->paused, port, entry);
		} else if (port_table_watch(listen->table, port) == 0) {
			TAILQ_REMOVE(&listen->paused, port, entry);
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
