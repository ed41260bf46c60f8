/* SPDX-License-Identifier: BSD-2-Clause */
/* Small operations on descriptors that every role needs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* All of these borrow fd. Those that return int return 0, or -1 with errno set. */

/* Whether an errno is a shortage of this process or of the kernel: of descriptors (EMFILE,
 * ENFILE) or of memory (ENOMEM, ENOBUFS). It is nobody's fault, and it can pass. */
bool fdio_is_shortage(int error);

/*
 * A descriptor in reserve, for a process whose descriptors others can use up: release it
 * just before the call that makes one which must not fail for want of a number, and take
 * it again as soon as that one is closed. Between the two nothing else may open one.
 * *reserve_fd, owned by the caller, is -1 or a duplicate of standard input, close-on-exec;
 * if there is none to be had, take leaves -1.
 */
void fdio_reserve_take(int *reserve_fd);
void fdio_reserve_release(int *reserve_fd);

/* "/proc/self/fd/2147483647" with its NUL. */
#define FDIO_PATH_SIZE 32

/* The name of the descriptor's file in /proc, by which it can be opened again (proc_pid_fd(5)). */
void fdio_path(int fd, char path[FDIO_PATH_SIZE]);

bool fdio_is_open(int fd);
int fdio_set_nonblocking(int fd);

/*
 * Opens /dev/null on those of 0, 1 and 2 that are closed, so that no descriptor
 * opened later is mistaken for standard output or standard error. Returns a set of
 * bits (1 << fd) of those that were closed, or -1 with errno set.
 */
int fdio_fill_stdio(void);

/*
 * Opens the terminal or pipe behind fd once more, for writing, with a file description of
 * our own that does not block, so that the other users of fd keep their flags. Returns
 * the new descriptor, close-on-exec and owned by the caller, or -1: where fd is something
 * else, or can't be opened.
 */
int fdio_reopen_nonblocking(int fd);

/*
 * Writes len bytes without ever waiting for the reader: what a full pipe or a stopped
 * socket does not take at once is not written. fd may be shared with other processes,
 * so O_NONBLOCK, which would change theirs, is not set; a terminal that is stopped can
 * then still block, see fdio_reopen_nonblocking. Returns the number of bytes written;
 * errno tells why not all.
 */
size_t fdio_write_nowait(int fd, const char *buf, size_t len);
