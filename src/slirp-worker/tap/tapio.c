/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes the guest's frames, on a TAP or for a client of a bess socket. */
#include "slirp-worker/tap/tapio.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/log.h"

/* A client can connect and disconnect without end. The log has the first 16 lines, for
 * eight clients, then one an hour. The parent's limit on a child's lines leaves enough
 * for those that a guest can cause. */
#define CLIENT_LINES_BURST 16
#define CLIENT_LINES_INTERVAL_MS (60 * 60 * 1000)

int
tapio_init(struct tapio *tap, struct poller *poller, int adopt_fd, size_t header_len)
{
	tap->poller = poller;
	tap->fd = adopt_fd;
	tap->listen_fd = -1;
	tap->reserve_fd = -1;
	tap->header_len = header_len;
	return fdio_set_nonblocking(tap->fd) == -1
	    ? -1
	    : poller_put(tap->poller, POLLER_TAP, tap->fd);
}

int
tapio_init_bess(struct tapio *tap, struct poller *poller, int adopt_listen_fd)
{
	tap->poller = poller;
	tap->fd = -1;
	tap->reserve_fd = -1;
	tap->listen_fd = adopt_listen_fd;
	tap->header_len = 0;
	tap->client_lines = (struct ratelimit){
		.burst = CLIENT_LINES_BURST,
		.interval_ms = CLIENT_LINES_INTERVAL_MS,
	};
	fdio_reserve_take(&tap->reserve_fd);
	return poller_put(tap->poller, POLLER_CLIENTS, tap->listen_fd);
}

/* The parent has a duplicate of the TAP: without poller_put(), epoll would go on to report
 * the TAP after it is closed here. */
static void
close_watched(struct tapio *tap, enum poller_kind kind, int *fd)
{
	if (*fd == -1)
		return;
	poller_put(tap->poller, kind, -1);
	close(take_fd(fd));
}

void
tapio_close(struct tapio *tap)
{
	close_watched(tap, POLLER_TAP, &tap->fd);
	close_watched(tap, POLLER_CLIENTS, &tap->listen_fd);
	fdio_reserve_release(&tap->reserve_fd);
}

static bool
may_accept(const struct tapio *tap, uint64_t now_ms)
{
	return tap->listen_fd != -1 && now_ms >= tap->accepts_at_ms;
}

uint64_t
tapio_prepare_wait(const struct tapio *tap, uint64_t now_ms)
{
	bool wants_client = tap->fd == -1 && may_accept(tap, now_ms);

	if (tap->listen_fd == -1)
		return DEADLINE_NONE;
	poller_expect(tap->poller, POLLER_CLIENTS, wants_client ? EPOLLIN : 0);
	return tap->fd == -1 && !wants_client ? tap->accepts_at_ms : DEADLINE_NONE;
}

bool
tapio_is_gone(const struct tapio *tap, uint32_t events)
{
	/* drivers/net/tun.c, tun_chr_poll: EPOLLERR means that the device is being removed
	 * or has been removed. */
	return tap->listen_fd == -1 && (events & EPOLLERR);
}

static void
log_client(struct tapio *tap, const char *what)
{
	if (ratelimit_allow(&tap->client_lines, clock_now_ms()))
		log_info("bess: %s", what);
}

/* Accepts a client; its first frame makes the next wait return at once. The reserve
 * descriptor is for a client that connects when an earlier client's flows use all
 * descriptors. */
static void
accept_client(struct tapio *tap)
{
	autofd int fd = -1;

	fdio_reserve_release(&tap->reserve_fd);
	/* cppcheck-suppress nullPointer ; accept(2): the peer's address is not wanted */
	fd = accept4(tap->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1 || poller_put(tap->poller, POLLER_TAP, fd) == -1) {
		if (errno != EAGAIN)
			tap->accepts_at_ms = clock_now_ms() + FDIO_RETRY_MS;
		/* The reserve needs the place of a client that cannot be watched. */
		if (fd != -1)
			close(take_fd(&fd));
		fdio_reserve_take(&tap->reserve_fd);
		return;
	}
	tap->fd = take_fd(&fd);
	log_client(tap, "a client has connected");
}

static void
drop_client(struct tapio *tap)
{
	close_watched(tap, POLLER_TAP, &tap->fd);
	fdio_reserve_take(&tap->reserve_fd);
	log_client(tap, "the client has left; waiting for another");
}

/* Whether a failed read should be tried again later. */
static bool
is_temporary(int error)
{
	return error == EAGAIN || error == EINTR || fdio_is_shortage(error);
}

enum tapio_outcome
tapio_read(struct tapio *tap, uint8_t **frame, size_t *frame_len)
{
	uint8_t *buffer = tap->buffers[tap->n_kept].bytes;
	ssize_t n;

	if (tap->fd == -1) {
		if (may_accept(tap, clock_now_ms()))
			accept_client(tap);
		return TAPIO_NONE;
	}
	n = read(tap->fd, buffer, tap->header_len + TAPIO_FRAME_MAX);
	if (n == -1 && is_temporary(errno))
		return TAPIO_NONE;
	if (n <= 0 && tap->listen_fd != -1) {
		drop_client(tap);
		return TAPIO_NONE;
	}
	if (n == -1)
		return TAPIO_GONE;
	if (n == 0) {
		/* A TAP has no end of file: it is another kind of descriptor. */
		errno = ENODEV;
		return TAPIO_GONE;
	}
	*frame = buffer + tap->header_len;
	*frame_len = (size_t)n > tap->header_len ? (size_t)n - tap->header_len : 0;
	return TAPIO_FRAME;
}

int
tapio_writev(struct tapio *tap, const struct iovec *parts, int n)
{
	/* write(2) to a TAP takes a frame whole or not at all. */
	return writev(tap->fd, parts, n) == -1 ? -1 : 0;
}

int
tapio_write(struct tapio *tap, const uint8_t *frame, size_t frame_len)
{
	/* A header of zeros requests no offload. */
	static const uint8_t header[IPC_TAP_HEADER_MAX];
	struct iovec parts[] = {
		{ .iov_base = (void *)(uintptr_t)header, .iov_len = tap->header_len },
		{ .iov_base = (void *)(uintptr_t)frame, .iov_len = frame_len },
	};

	return tapio_writev(tap, parts, 2);
}
