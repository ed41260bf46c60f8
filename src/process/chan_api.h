/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel of slirp-worker and connector to the api. It always has the same descriptor, which
 * the system call filter checks. Without an api, that descriptor is /dev/null.
 *
 * The api parses the text of clients, so nobody trusts it: an invalid message ends the channel,
 * and packets go on.
 */
#pragma once

#include <stdint.h>

#include "process/serve.h"

struct chan_api {
	struct ipc_channel channel;    /* its fd is `number`, or -1 without an api */
	struct ipc_channel *to_parent; /* borrowed */
	enum ipc_role own_role;
	int number;          /* of the descriptor (fdtable.h) */
	uint32_t api_number; /* the parent's number of the last api */
	/* Told of the descriptor before it is used, and of its end (-1) before it is replaced.
	 * Returns 0, or -1 with errno set. NULL: nobody has to be told. */
	int (*watch)(void *ctx, int fd);
	void *ctx;
};

/* There is no api. to_parent is borrowed. watch may be NULL. */
void chan_api_init(struct chan_api *api, struct ipc_channel *to_parent,
    enum ipc_role own_role, int number, int (*watch)(void *ctx, int fd), void *ctx);

/* Adopts the channel to a new api and closes the old channel. api_number is the parent's
 * name for the api. */
void chan_api_open(struct chan_api *api, int adopt_fd, uint32_t api_number);

/* Receives up to n_max requests (serve.h), if there is an api. */
void chan_api_receive(struct chan_api *api, int n_max, const struct serve *serve,
    void *ctx);

/* Checks the result of an ipc_send_...() to the api. Closes the channel if the api has
 * exited, or if its queue is full. */
void chan_api_check_sent(struct chan_api *api, int result);
