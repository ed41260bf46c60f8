/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors that a child finds open when its main() starts, and there are no
 * others: those below its role's n_fds (parent/supervise/roles.h). Everything else comes by
 * message.
 *
 * A policy that names one of these numbers lets no call free it: the next descriptor,
 * which may be a client's socket, would get the number and pass for what it names.
 */
#pragma once

enum ipc_child_fd {
	/* 0, 1 and 2 are /dev/null: nothing in a child may print. (A sanitizer build
	 * keeps the parent's standard error, for the sanitizer's report.) */
	IPC_CHILD_FD_PARENT = 3, /* the channel to the parent */

	/* These two are /dev/null until the message comes whose descriptor gets the
	 * number (dup3(2)): so none other takes it, and a policy can name it. */
	IPC_CHILD_FD_PEER = 4,   /* slirp-worker: the api; api: the slirp-worker */
	IPC_CHILD_FD_LISTEN = 5, /* api: the listening socket */
};
