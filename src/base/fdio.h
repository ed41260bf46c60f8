/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on descriptors that every role needs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All functions borrow fd. Functions that return int return 0, or -1 with errno set. */

/* Whether errno means that descriptors (EMFILE, ENFILE) or memory (ENOMEM, ENOBUFS) are
 * short in this process or the kernel. Such an error may pass. */
bool fdio_is_shortage(int error);

/* No event tells when a shortage is over. Try again after this time: it delays nothing for
 * long, and costs ten calls a second. */
#define FDIO_RETRY_MS 100

/* Sleeps for FDIO_RETRY_MS. */
void fdio_pause(void);

/*
 * A descriptor in reserve, for a process whose descriptors a peer can use up. Release it
 * just before a call that needs a free descriptor, and take it when that descriptor is
 * closed. Open no other descriptor in between. *reserve_fd is owned by the caller: -1, or
 * a duplicate of standard input, close-on-exec. If no descriptor is free, take leaves -1.
 */
void fdio_reserve_take(int *reserve_fd);
void fdio_reserve_release(int *reserve_fd);

/* "/proc/self/fd/2147483647" with its NUL. */
#define FDIO_PATH_SIZE 32

/* Formats the name of the descriptor in /proc, which opens its file again
 * (proc_pid_fd(5)). */
void fdio_path(int fd, char path[FDIO_PATH_SIZE]);

bool fdio_is_open(int fd);
int fdio_set_nonblocking(int fd);

/* Opens /dev/null on those of 0, 1 and 2 that are closed, so that no later descriptor is
 * taken for standard output or standard error. Returns a set of bits (1 << fd) of those
 * that were closed, or -1 with errno set. */
int fdio_fill_stdio(void);

/*
 * Opens the terminal or pipe behind fd again for writing, with a non-blocking file
 * description of its own. Other users of fd keep their flags. Returns the new descriptor,
 * close-on-exec and owned by the caller, or -1 if fd is another kind of file or can't be
 * opened.
 */
int fdio_reopen_nonblocking(int fd);

/* Reads up to the end of the file. Returns the length, `size` if there may be more, or -1 with
 * errno set. */
ssize_t fdio_read_all(int fd, char *buf, size_t size);

/*
 * Writes len bytes without waiting for the reader. Bytes that a full pipe or a stopped
 * socket does not take at once are not written. fd may be shared, so O_NONBLOCK is not
 * set: it would change other processes' flags. A stopped terminal can therefore still
 * block; see fdio_reopen_nonblocking(). Returns the number of bytes written; errno says
 * why some are missing.
 */
size_t fdio_write_nowait(int fd, const char *buf, size_t len);
