#include "slirp-worker/tapio.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"

int
tapio_init(struct tapio *tap, int adopt_fd, size_t header_len)
{
	tap->fd = adopt_fd;
	tap->header_len = header_len;
	return fdio_set_nonblocking(tap->fd);
}

void
tapio_close(struct tapio *tap)
{
	if (tap->fd != -1)
		close(take_fd(&tap->fd));
}

enum tapio_outcome
tapio_read(struct tapio *tap, uint8_t **frame, size_t *frame_len)
{
	ssize_t n = read(tap->fd, tap->buffer, tap->header_len + TAPIO_FRAME_MAX);

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
