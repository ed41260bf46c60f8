#include "slirp-worker/tapio.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"

int
tapio_init(struct tapio *tap, int adopt_fd, size_t header_len)
{
	tap->fd = adopt_fd;
	tap->listen_fd = -1;
	tap->header_len = header_len;
	return fdio_set_nonblocking(tap->fd);
}

void
tapio_init_bess(struct tapio *tap, int adopt_listen_fd)
{
	tap->fd = -1;
	tap->listen_fd = adopt_listen_fd;
	tap->header_len = 0;
}

void
tapio_close(struct tapio *tap)
{
	if (tap->fd != -1)
		close(take_fd(&tap->fd));
	if (tap->listen_fd != -1)
		close(take_fd(&tap->listen_fd));
}

int
tapio_poll_fd(const struct tapio *tap)
{
	return tap->fd != -1 ? tap->fd : tap->listen_fd;
}

bool
tapio_is_gone(const struct tapio *tap, short events)
{
	/* drivers/net/tun.c, tun_chr_poll: an error is a device that is gone, or
	 * going. */
	return tap->listen_fd == -1 && (events & (POLLERR | POLLNVAL));
}

/* Its first frame makes the next wait return at once. Close-on-exec is not asked for: the
 * filter has accept(2) alone, and forbids to execute. */
static void
accept_client(struct tapio *tap)
{
	autofd int fd = accept(tap->listen_fd, NULL, NULL);

	if (fd == -1 || fdio_set_nonblocking(fd) == -1)
		return;
	tap->fd = take_fd(&fd);
	log_info("bess: a client has connected");
}

enum tapio_outcome
tapio_read(struct tapio *tap, uint8_t **frame, size_t *frame_len)
{
	ssize_t n;

	if (tap->fd == -1) {
		accept_client(tap);
		return TAPIO_NONE;
	}
	n = read(tap->fd, tap->buffer, tap->header_len + TAPIO_FRAME_MAX);
	if (tap->listen_fd != -1 && (n == 0 || (n == -1 && errno == ECONNRESET))) {
		close(take_fd(&tap->fd));
		log_info("bess: the client has left; waiting for another");
		return TAPIO_NONE;
	}
	if (n == -1)
		return errno == EAGAIN || errno == EINTR || errno == ENOMEM ? TAPIO_NONE
									    : TAPIO_GONE;
	if (n == 0) {
		/* A TAP has no end of file; whatever this is, it has one. */
		errno = ENODEV;
		return TAPIO_GONE;
	}
	*frame = tap->buffer + tap->header_len;
	*frame_len = (size_t)n > tap->header_len ? (size_t)n - tap->header_len : 0;
	return TAPIO_FRAME;
}

int
tapio_write_parts(struct tapio *tap, const uint8_t *head, size_t head_len,
    const uint8_t *rest, size_t rest_len)
{
	struct iovec parts[] = {
		{ .iov_base = (void *)(uintptr_t)head, .iov_len = head_len },
		{ .iov_base = (void *)(uintptr_t)rest, .iov_len = rest_len },
	};

	/* A TAP takes a frame whole or not at all. */
	return writev(tap->fd, parts, 2) == -1 ? -1 : 0;
}

int
tapio_write(struct tapio *tap, const uint8_t *frame, size_t frame_len)
{
	/* All zero: no offload is asked of the kernel, the protocol is in the frame. */
	static const uint8_t header[IPC_TAP_HEADER_MAX];

	return tapio_write_parts(tap, header, tap->header_len, frame, frame_len);
}
