/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes and rotates the file of --log-file. */
#include "parent/output/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* "2026-11-21T09:30:00Z " with its NUL, and space for longer years. */
#define TIME_SIZE 40

/* The size of one copied part: a few pages, on the stack. */
#define COPY_SIZE 16384

/* Set by parent_logfile_open(). The log function takes no context. */
static int log_fd = -1;   /* PATH; appends */
static int older_fd = -1; /* PATH.1 */

static int
open_file(const char *path, int flags)
{
	struct stat st;
	/* O_NONBLOCK: the open of a FIFO would wait for a reader. */
	int fd =
	    open(path, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		S_IRUSR | S_IWUSR);

	if (fd == -1 || fstat(fd, &st) == -1)
		fatal_path("log file", path, "open it");
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		fatal_path("log file", path, "use what is not a regular file");
	}
	return fd;
}

void
parent_logfile_open(const char *path)
{
	char older_path[PATH_MAX];
	const time_t epoch = 0;
	struct tm broken_down;
	int fd;

	if ((size_t)snprintf(older_path, sizeof(older_path), "%s" LOGFILE_OLDER_SUFFIX,
		path) >= sizeof(older_path)) {
		errno = ENAMETOOLONG;
		fatal_path("log file", path, "name the older one");
	}
	fd = open_file(path, O_RDWR | O_APPEND);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		fatal_path("log file", path,
		    errno == EWOULDBLOCK ? "another process logs to it" : "lock it");
	older_fd = open_file(older_path, O_WRONLY);
	/* glibc reads the time zone files at the first call; no policy allows that
	 * later. */
	(void)gmtime_r(&epoch, &broken_down);
	log_fd = fd;
}

bool
parent_logfile_is_open(void)
{
	return log_fd != -1;
}

/* Copies the log file to the older one and truncates it. The copy may be incomplete on a
 * full disk; the log file is truncated anyway, because its size is promised. If another
 * process has made the file longer, the copy leaves out its beginning. */
static void
rotate(off_t size)
{
	char part[COPY_SIZE];
	off_t from = size > LOGFILE_SIZE_MAX ? size - LOGFILE_SIZE_MAX : 0;
	off_t at = 0;
	ssize_t n;

	if (ftruncate(older_fd, 0) == 0 && lseek(log_fd, from, SEEK_SET) == from) {
		while ((n = read(log_fd, part, sizeof(part))) > 0 &&
		    pwrite(older_fd, part, (size_t)n, at) == n)
			at += n;
	}
	(void)!ftruncate(log_fd, 0);
}

bool
parent_logfile_write(const char *line, size_t len)
{
	char time_text[TIME_SIZE] = "";
	struct iovec parts[] = {
		{ .iov_base = time_text },
		{ .iov_base = (char *)line, .iov_len = len },
	};
	struct timespec now;
	struct tm broken_down;
	off_t size;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &broken_down))
		parts[0].iov_len = strftime(time_text, sizeof(time_text),
		    "%Y-%m-%dT%H:%M:%SZ ", &broken_down);
	len += parts[0].iov_len;
	size = lseek(log_fd, 0, SEEK_END);
	if (size + (off_t)len > LOGFILE_SIZE_MAX)
		rotate(size);
	return writev(log_fd, parts, 2) == (ssize_t)len;
}
