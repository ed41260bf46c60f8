/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors that are open when a child's main() starts: those below its role's
 * n_fds (roles.h). All others come by message.
 *
 * A policy that names one of these numbers must not allow a call that frees it. Otherwise
 * the next descriptor, perhaps a client's socket, gets the number and the rights.
 */
#pragma once

enum ipc_child_fd {
	/* 0, 1 and 2 are /dev/null: a child must not print. (A sanitizer build keeps the
	 * parent's standard error, for the sanitizer's report.) */
	IPC_CHILD_FD_PARENT = 3, /* the channel to the parent */

	/* These are /dev/null until a message brings the descriptor that replaces it
	 * (dup3(2)). No other descriptor gets the number, so a policy can name it. */
	IPC_CHILD_FD_PEER =
	    4, /* slirp-worker: the api; api, connector, resolver: the slirp-worker */
	IPC_CHILD_FD_CONNECTOR = 5, /* slirp-worker, resolver, api: the connector */
	IPC_CHILD_FD_API = 5,       /* connector: the api */
	IPC_CHILD_FD_RESOLVER = 6,  /* slirp-worker, connector: the resolver */
	IPC_CHILD_FD_LISTEN = 6,    /* api: the listening socket */

	/* The program, until it runs. Above the table of each role, so that one line of
	 * seccomp/spawner.policy allows it for all. */
	IPC_CHILD_FD_PROGRAM = 8,
};
