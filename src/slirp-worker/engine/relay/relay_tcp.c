/* SPDX-License-Identifier: BSD-2-Clause */
/* Carries TCP connections of a relay's ports to the inner ports and back. */
#include "slirp-worker/engine/relay/relay_tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/vec.h"

/* Bytes carried in one turn and direction: a window without scaling (RFC 9293, 3.1). */
#define CHUNK_BYTES 65536

/* The peer's socket and a socket to the inner port; libslirp opens its own later. */
#define DESCRIPTORS_EACH 2

/* Closes the socket and resets the connection: connect(2) with AF_UNSPEC ends it
 * (tcp_disconnect in the kernel's net/ipv4/tcp.c). */
static void
reset(int fd)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)connect(fd, &nobody, sizeof(nobody));
	close(fd);
}

static void
reset_both(struct relay_connection *connection)
{
	reset(connection->peer.fd);
	reset(connection->inner.fd);
}

void
relay_tcp_free(struct relay_tcp *tcp)
{
	while (tcp->n > 0)
		reset_both(&tcp->connections[--tcp->n]);
	free(tcp->connections);
	tcp->connections = NULL;
}

/* The same options as libslirp's: urgent data stays in line, and small answers do not
 * wait for larger ones. */
static void
tune(int fd)
{
	const int yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

/* Begins to connect. Returns the descriptor, or -1. */
static int
connect_inner(const union inaddr_sock *inner, union inaddr_sock *own)
{
	autofd int fd = socket(inner->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*own);

	if (fd == -1 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ||
	    (connect(fd, &inner->any, inaddr_sock_len(&inner->any)) == -1 &&
		errno != EINPROGRESS) ||
	    getsockname(fd, &own->any, &len) == -1)
		return -1;
	return take_fd(&fd);
}

/* Whether there are descriptors for one more connection, and for the pending ones. */
static bool
has_descriptors(const struct relay_tcp *tcp)
{
	return budget_has_room(tcp->budget, BUDGET_TCP,
	    DESCRIPTORS_EACH + 1 + (uint32_t)tcp->n_pending);
}

bool
relay_tcp_has_room(const struct relay_tcp *tcp, uint64_t *due_ms, uint64_t now_ms)
{
	if (now_ms < tcp->accepts_at_ms) {
		*due_ms = tcp->accepts_at_ms;
		return false;
	}
	return tcp->n_pending < RELAY_TCP_PENDING_MAX && has_descriptors(tcp);
}

bool
relay_tcp_accept(struct relay_tcp *tcp, int port_fd, const union inaddr_sock *inner,
    uint64_t now_ms)
{
	bool has_accepted = false;

	/* Includes connections that failed at once. */
	for (int i = 0; i < RELAY_TCP_PENDING_MAX; i++) {
		/* Blocked until it is connected. */
		struct relay_connection new = {
			.inner.is_blocked = true,
			.inner_end = *inner,
			.stack_fd = -1,
			.is_pending = true,
		};

		if (tcp->n_pending >= RELAY_TCP_PENDING_MAX || !has_descriptors(tcp))
			break;

		new.peer.fd = accept(port_fd, NULL, NULL);
		if (new.peer.fd == -1) {
			/* accept(2) leaves the connection in its queue. */
			if (fdio_is_shortage(errno))
				tcp->accepts_at_ms = now_ms + FDIO_RETRY_MS;
			break;
		}
		has_accepted = true;
		new.inner.fd = VEC_MAKE_ROOM(&tcp->connections, tcp->n, &tcp->size)
		    ? connect_inner(inner, &new.own_end)
		    : -1;
		if (new.inner.fd == -1) {
			reset(new.peer.fd);
			continue;
		}
		tune(new.peer.fd);
		tune(new.inner.fd);
		new.peer.poll_index = new.inner.poll_index = -1;
		tcp->connections[tcp->n++] = new;
		tcp->n_pending++;
		budget_take(tcp->budget, BUDGET_TCP, DESCRIPTORS_EACH);
	}
	return has_accepted;
}

void
relay_tcp_note_accepted(struct relay_tcp *tcp, int fd)
{
	union inaddr_sock own = { 0 }, other = { 0 };
	socklen_t own_len = sizeof(own), other_len = sizeof(other);

	/* A socket that is still to be connected has no peer. */
	if (tcp->n_pending == 0 || getpeername(fd, &other.any, &other_len) == -1 ||
	    getsockname(fd, &own.any, &own_len) == -1)
		return;
	for (size_t i = 0; i < tcp->n; i++) {
		struct relay_connection *connection = &tcp->connections[i];

		if (!connection->is_pending ||
		    !inaddr_sock_is_equal(&connection->inner_end, &own) ||
		    !inaddr_sock_is_equal(&connection->own_end, &other))
			continue;
		connection->stack_fd = fd;
		connection->is_pending = false;
		tcp->n_pending--;
		return;
	}
}

static struct relay_connection *
find(const struct relay_tcp *tcp, int stack_fd)
{
	for (size_t i = 0; i < tcp->n; i++)
		if (stack_fd != -1 && tcp->connections[i].stack_fd == stack_fd)
			return &tcp->connections[i];
	return NULL;
}

void
relay_tcp_note_closed(struct relay_tcp *tcp, int fd)
{
	struct relay_connection *connection = find(tcp, fd);

	if (connection)
		connection->stack_fd = -1;
}

/* Whether no more data can be carried. A peer may keep its direction open for ever, even
 * if nobody reads the other end. */
static bool
is_over(const struct relay_connection *connection)
{
	return connection->inner.has_ended &&
	    (connection->peer.has_ended ||
		(!connection->is_pending && connection->stack_fd == -1));
}

/* Removes a connection whose sockets are closed. The last moves to its index. */
static void
drop(struct relay_tcp *tcp, struct relay_connection *connection)
{
	if (connection->is_pending)
		tcp->n_pending--;
	budget_give(tcp->budget, BUDGET_TCP, DESCRIPTORS_EACH);
	*connection = tcp->connections[--tcp->n];
}

/* Does not add a side that waits for nothing: its hang-up would end every poll(2). */
static void
add_side(struct relay_side *side, const struct relay_side *other, struct pollset *set)
{
	short events = side->is_blocked ? POLLOUT : 0;

	if (!side->has_ended && !other->is_blocked)
		events |= POLLIN;
	side->poll_index = events ? pollset_add(set, side->fd, events) : -1;
}

void
relay_tcp_prepare_wait(struct relay_tcp *tcp, struct pollset *set)
{
	/* Backwards, because the last connection moves to the index of an ended one. */
	for (size_t i = tcp->n; i-- > 0;) {
		struct relay_connection *connection = &tcp->connections[i];

		if (is_over(connection)) {
			close(connection->peer.fd);
			close(connection->inner.fd);
			drop(tcp, connection);
			continue;
		}
		add_side(&connection->peer, &connection->inner, set);
		add_side(&connection->inner, &connection->peer, set);
	}
}

static bool
is_temporary(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Carries received data from one side to the other. False if the connection failed. */
static bool
carry(struct relay_side *from, struct relay_side *to)
{
	/* Static, to keep the stack small; the function is not called recursively. */
	static uint8_t chunk[CHUNK_BYTES];
	ssize_t n_there, n_taken;

	if (from->has_ended || to->is_blocked)
		return true;
	n_there = recv(from->fd, chunk, sizeof(chunk), MSG_PEEK | MSG_DONTWAIT);
	if (n_there == -1)
		return is_temporary(errno);
	if (n_there == 0) {
		from->has_ended = true;
		return shutdown(to->fd, SHUT_WR) == 0;
	}
	n_taken = send(to->fd, chunk, (size_t)n_there, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n_taken == -1) {
		to->is_blocked = is_temporary(errno);
		return to->is_blocked;
	}
	to->is_blocked = n_taken < n_there;
	/* tcp(7): MSG_TRUNC discards the bytes instead of copying them. */
	return recv(from->fd, chunk, (size_t)n_taken, MSG_TRUNC | MSG_DONTWAIT) ==
	    n_taken;
}

static short
events_of(struct relay_side *side, const struct pollset *set)
{
	short events = side->poll_index == -1 ? 0 : set->fds[side->poll_index].revents;

	if (events & ~POLLIN)
		side->is_blocked = false;
	return events;
}

void
relay_tcp_finish_wait(struct relay_tcp *tcp, const struct pollset *set)
{
	/* Backwards, because the last connection moves to the index of a failed one. */
	for (size_t i = tcp->n; i-- > 0;) {
		struct relay_connection *connection = &tcp->connections[i];
		struct relay_side *peer = &connection->peer;
		struct relay_side *inner = &connection->inner;
		short events = events_of(peer, set) | events_of(inner, set);

		if (!events || (carry(peer, inner) && carry(inner, peer)))
			continue;
		reset_both(connection);
		drop(tcp, connection);
	}
}

int
relay_tcp_find_peer(const struct relay_tcp *tcp, int stack_fd)
{
	const struct relay_connection *connection = find(tcp, stack_fd);

	return connection ? connection->peer.fd : -1;
}
