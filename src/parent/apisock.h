/*
 * The API socket: a listening UNIX socket at the path of --api-socket. The parent makes it
 * and keeps it, so that clients that connect while there is no api wait in its backlog.
 */
#pragma once

/*
 * Makes the socket under another name in the same directory, mode 0600 whatever the umask
 * or a default ACL, listens, and renames it to path (borrowed, of at most 107 bytes): the path is there only when
 * it can be connected to, and takes the place of an old socket in one step. Returns the
 * listening socket, close-on-exec and non-blocking, which is to be kept open to the end.
 * Fatal, naming the path and the step; then nothing is left of it.
 *
 * It is removed at the exit (parent/placed.h), or by parent_placed_remove before the
 * socket is closed. To be called once.
 */
int parent_apisock_listen(const char *path);
