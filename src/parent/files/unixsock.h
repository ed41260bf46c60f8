/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that the parent makes at a path and listens on for others: that of
 * --api-socket, which it keeps, so that clients that connect while there is no api wait
 * in its backlog, and that of --target-type=bess.
 */
#pragma once

#include "parent/files/placed.h"

/*
 * Makes the socket under another name in the same directory, mode 0600 whatever the umask
 * or a default ACL, listens, and renames it to path (borrowed for as long as the process
 * lives, of at most 107 bytes): the path is there only when it can be connected to, and
 * takes the place of an old socket in one step. `file` says which of the two it is, and
 * with that its type. Returns the listening socket, close-on-exec and non-blocking, which
 * is to be kept open to the end. Fatal, naming the path and the step; then nothing is
 * left of it.
 *
 * It is removed at the exit (parent/files/placed.h), or by parent_placed_remove before the
 * socket is closed. To be called once for each of the two.
 */
int parent_unixsock_listen(enum placed_file file, const char *path);
