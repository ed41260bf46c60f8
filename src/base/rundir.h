/* SPDX-License-Identifier: BSD-2-Clause */
/* $XDG_RUNTIME_DIR/slirpd: one name for the control socket of each slirpd of a user. It is
 * the socket, or a symbolic link to it. slirpd makes the names, and slirpctl finds
 * them. */
#pragma once

#include <stdbool.h>

/* What a name in the directory ends in. slirpd's PID is before it. */
#define RUNDIR_SUFFIX ".sock"

/* Room for the path of the directory. A longer one has no place for a socket's name in
 * struct sockaddr_un. */
#define RUNDIR_PATH_SIZE 92

/* Writes the path of the directory, which need not exist. Returns 0, or -1 with errno
 * set: ENOENT if $XDG_RUNTIME_DIR is not an absolute path, ENAMETOOLONG. */
int rundir_path(char path[RUNDIR_PATH_SIZE]);

/*
 * Opens the directory, and makes it before if may_make. Returns a descriptor (O_PATH,
 * close-on-exec, owned by the caller), or -1 with errno set: EPERM if another user owns
 * the directory or may write to it, because that user could then lead a client to a
 * socket.
 */
int rundir_open(bool may_make, char path[RUNDIR_PATH_SIZE]);

/* Whether a process has the stream socket at this path, or at the end of a link. A slirpd
 * that was killed leaves a path without a process. Makes no connection, so the process
 * does not notice. */
bool rundir_is_served(const char *path);
