/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on descriptors: standard streams, a reserve, reading all, writing without waiting. */
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

bool
fdio_is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

void
fdio_path(int fd, char path[FDIO_PATH_SIZE])
{
	snprintf(path, FDIO_PATH_SIZE, "/proc/self/fd/%d", fd);
}

bool
fdio_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

void
fdio_pause(void)
{
	poll(NULL, 0, FDIO_RETRY_MS);
}

void
fdio_reserve_take(int *reserve_fd)
{
	if (*reserve_fd == -1)
		*reserve_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
}

void
fdio_reserve_release(int *reserve_fd)
{
	if (*reserve_fd != -1)
		close(take_fd(reserve_fd));
}

int
fdio_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
fdio_fill_stdio(void)
{
	int were_closed = 0;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fdio_is_open(fd))
			continue;
		/* open(2) takes the lowest free number, which is fd. */
		if (open("/dev/null", O_RDWR) != fd)
			return -1;
		were_closed |= 1 << fd;
	}
	return were_closed;
}

int
fdio_reopen_nonblocking(int fd)
{
	char path[FDIO_PATH_SIZE];
	struct stat st;

	/* A regular file never blocks. A second description of it would begin at its
	 * start. */
	if (fstat(fd, &st) == -1 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return -1;
	fdio_path(fd, path);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

ssize_t
fdio_read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n == -1)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

size_t
fdio_write_nowait(int fd, const char *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		/* pipe(7): if poll(2) reports POLLOUT, PIPE_BUF bytes fit. */
		size_t part = len - done < PIPE_BUF ? len - done : PIPE_BUF;
		ssize_t n;

		n = send(fd, buf + done, part, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == ENOTSOCK) {
			errno = EAGAIN;
			if (poll(&ready, 1, 0) != 1 ||
			    !(ready.revents & (POLLOUT | POLLERR)))
				break;
			n = write(fd, buf + done, part);
		}
		if (n <= 0 && errno != EINTR)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	return done;
}
