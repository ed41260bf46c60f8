/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects to the control socket, sends and receives with a deadline. */
#include "slirpctl/transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/log.h"

/* A list of 64,000 forwards, one for each port, has some 15 MB. A longer reply is not one
 * of a daemon's, and must not take all memory. */
#define REPLY_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* How long connect(2) waits for a place in a full backlog before the watch is served:
 * people take it for at once. */
#define CONNECT_SLICE_US 100000

/* Most replies fit, and all of slirp4netns. */
#define BUF_FIRST_SIZE 4096

static bool
fail(const struct transport *transport, const char *what)
{
	log_error("%s: %s: %s", transport->path, what, strerror(errno));
	return false;
}

static bool
fail_late(const struct transport *transport)
{
	log_error("%s: no reply within %u s", transport->path, transport->timeout_s);
	return false;
}

/* Returns milliseconds for poll(2). */
static int
time_left(const struct transport *transport)
{
	return deadline_timeout(transport->deadline_ms, clock_now_ms());
}

/* Waits up to timeout_ms (-1: forever) for fds[0], and serves the watch. Returns false if
 * the wait has failed or was given up; otherwise *n is the result of poll(2), or -1 after
 * a signal. */
static bool
wait_once(struct transport *transport, struct pollfd fds[2], int timeout_ms, int *n)
{
	const struct transport_watch *watch = transport->watch;
	struct timespec timeout =
	    clock_timespec(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	bool is_ready;

	fds[1] = (struct pollfd){ .fd = -1 };
	if (watch != NULL)
		fds[1] = (struct pollfd){ .fd = watch->fd, .events = watch->events };
	*n = ppoll(fds, 2, timeout_ms == -1 ? NULL : &timeout,
	    watch != NULL ? watch->signals : NULL);
	if (*n == -1 && errno != EINTR)
		return fail(transport, "wait");
	is_ready = *n > 0 && fds[1].revents != 0;
	if (watch != NULL && (is_ready || *n == -1))
		return watch->go_on(watch->ctx, is_ready);
	return true;
}

/* poll(2) can't wait for a place in a full backlog. connect(2) waits for it as long as a
 * send may take (socket(7)). */
static bool
connect_to(struct transport *transport, const struct sockaddr_un *address)
{
	static const struct timeval slice = { .tv_usec = CONNECT_SLICE_US };
	struct pollfd fds[2] = { { .fd = -1 } };
	int n;

	if (setsockopt(transport->fd, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof(slice)) ==
	    -1)
		return fail(transport, "set the socket's timeout");
	while (connect(transport->fd, (const struct sockaddr *)address,
		   sizeof(*address)) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			return fail(transport, "cannot connect");
		if (time_left(transport) == 0)
			return fail_late(transport);
		if (!wait_once(transport, fds, 0, &n))
			return false;
	}
	return true;
}

bool
transport_open(struct transport *transport, const char *path, uint32_t timeout_s,
    const struct transport_watch *watch)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*transport = (struct transport){
		.path = path,
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.watch = watch,
		.timeout_s = timeout_s,
		.deadline_ms = clock_now_ms() + (uint64_t)timeout_s * CLOCK_MS_PER_S,
	};
	if (transport->fd == -1)
		return fail(transport, "make a socket");
	/* The command line has checked the length. */
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (!connect_to(transport, &address))
		return false;
	if (fdio_set_nonblocking(transport->fd) == -1)
		return fail(transport, "make the socket non-blocking");
	return true;
}

/* Waits for events of poll(2), for an end of the connection, or for an error. */
static bool
wait_for(struct transport *transport, short events)
{
	struct pollfd fds[2] = { { .fd = transport->fd, .events = events } };
	int n;

	do {
		if (!wait_once(transport, fds, time_left(transport), &n))
			return false;
		if (n == 0)
			return fail_late(transport);
	} while (n == -1 || fds[0].revents == 0);
	return true;
}

bool
transport_send(struct transport *transport, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(transport->fd, bytes, len, MSG_NOSIGNAL);

		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return true;
		} else if (errno == EAGAIN) {
			if (!wait_for(transport, POLLOUT))
				return false;
		} else if (errno != EINTR) {
			return fail(transport, "send a request");
		}
	}
	return true;
}

void
transport_finish(struct transport *transport)
{
	/* shutdown(2) fails only if the daemon has closed its side; then it need not be
	 * told. */
	shutdown(transport->fd, SHUT_WR);
}

static bool
make_room(struct transport *transport)
{
	size_t size = transport->buf_size == 0 ? BUF_FIRST_SIZE : 2 * transport->buf_size;
	char *buf;

	if (transport->buf_len < transport->buf_size)
		return true;
	if (transport->buf_len >= REPLY_MAX_BYTES) {
		log_error("%s: the reply is longer than %zu bytes", transport->path,
		    REPLY_MAX_BYTES);
		return false;
	}
	buf = realloc(transport->buf, size);
	if (buf == NULL)
		return fail(transport, "keep the reply");
	transport->buf = buf;
	transport->buf_size = size;
	return true;
}

/* Reads the bytes that have come, or waits for more. *is_end: end of file. */
static bool
fill(struct transport *transport, bool *is_end)
{
	*is_end = false;
	if (!make_room(transport))
		return false;
	for (;;) {
		ssize_t n = recv(transport->fd, transport->buf + transport->buf_len,
		    transport->buf_size - transport->buf_len, 0);

		if (n > 0) {
			transport->buf_len += (size_t)n;
			return true;
		}
		/* If the daemon closes a socket with unread bytes, the connection is
		 * reset after all that it has written. */
		if (n == 0 || errno == ECONNRESET) {
			*is_end = true;
			return true;
		}
		if (errno == EAGAIN) {
			if (!wait_for(transport, POLLIN))
				return false;
		} else if (errno != EINTR) {
			return fail(transport, "read the reply");
		}
	}
}

bool
transport_read_all(struct transport *transport, const char **bytes, size_t *len)
{
	bool is_end = false;

	while (!is_end) {
		if (!fill(transport, &is_end))
			return false;
	}
	if (transport->buf_len == 0) {
		log_error("%s: the daemon closed the connection without a reply",
		    transport->path);
		return false;
	}
	*bytes = transport->buf;
	*len = transport->buf_len;
	return true;
}

bool
transport_read_line(struct transport *transport, const char **bytes, size_t *len)
{
	size_t n_searched;
	char *newline = NULL;
	bool is_end = false;

	transport->buf_len -= transport->n_taken;
	if (transport->n_taken > 0)
		memmove(transport->buf, transport->buf + transport->n_taken,
		    transport->buf_len);
	transport->n_taken = 0;
	if (transport->buf_len > 0)
		newline = memchr(transport->buf, '\n', transport->buf_len);
	n_searched = transport->buf_len;
	while (newline == NULL && !is_end) {
		if (!fill(transport, &is_end))
			return false;
		newline = memchr(transport->buf + n_searched, '\n',
		    transport->buf_len - n_searched);
		n_searched = transport->buf_len;
	}
	if (newline == NULL && transport->buf_len == 0) {
		transport->is_ended = true;
		return false;
	}
	*bytes = transport->buf;
	*len = newline != NULL ? (size_t)(newline - transport->buf) : transport->buf_len;
	transport->n_taken = newline != NULL ? *len + 1 : *len;
	return true;
}

void
transport_wait_forever(struct transport *transport)
{
	transport->deadline_ms = DEADLINE_NONE;
}

void
transport_close(struct transport *transport)
{
	if (transport->fd != -1)
		close(transport->fd);
	transport->fd = -1;
	free(transport->buf);
	transport->buf = NULL;
}
