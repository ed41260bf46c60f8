/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of this slirpd in $XDG_RUNTIME_DIR/slirpd, where slirpctl(1) finds the control
 * sockets of a user: see base/rundir.h. */
#pragma once

/* The value of --api-socket that stands for a socket in that directory. */
#define INSTANCE_AUTO "auto"

/* Returns the path of the socket for INSTANCE_AUTO, by the PID of this process. A static
 * text, or NULL with errno set. Makes nothing. */
const char *parent_instance_path(void);

/*
 * Call before the socket at socket_path (borrowed until the exit) is made. Makes the
 * directory if socket_path is in it, and removes what an earlier slirpd has
 * left there. Fatal on failure.
 */
void parent_instance_prepare(const char *socket_path);

/*
 * Makes a link to the socket, unless it is in the directory itself. The exit removes the
 * link (parent/files/placed.h). A failure is a warning: the socket works without. Without
 * a $XDG_RUNTIME_DIR of this user nothing is done. Call it once.
 */
void parent_instance_link(const char *socket_path);
