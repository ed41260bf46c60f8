/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets that the parent makes for other processes, at the paths of
 * --api-socket and --target-type=bess. The parent keeps the socket of --api-socket:
 * clients that connect while there is no api wait in its backlog. */
#pragma once

#include "parent/files/placed.h"

/*
 * Makes a socket of the type of `file` under a temporary name in the same directory. It
 * listens and is then renamed to path (borrowed until the exit, at most 107 bytes). Its
 * mode is 0600, whatever the umask or a default ACL. The path appears only when clients
 * can connect, and replaces an old socket in one step. Returns the listening socket,
 * close-on-exec and non-blocking. Keep it open until the exit. Fatal on failure, naming
 * the path and the step; nothing is left then.
 *
 * The exit removes the path (parent/files/placed.h). So does parent_placed_remove(), to
 * be called before the socket is closed. Call it once for each of the two.
 */
int parent_unixsock_listen(enum placed_file file, const char *path);
