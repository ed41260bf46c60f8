/* SPDX-License-Identifier: BSD-2-Clause */
/* The receive loop of every channel. */
#pragma once

#include <stdbool.h>

#include "ipc/channel.h"

struct serve {
	/* Takes a legal message. Returns false if the next one must wait for another call. */
	bool (*take)(void *ctx, struct ipc_message *msg);
	/* A legal message came without its descriptor, because this process can have no more.
	 * NULL: a violation, for a channel on which no message brings a descriptor. */
	void (*miss)(void *ctx, const struct ipc_message *msg, const char *why);
};

enum serve_end {
	SERVE_OPEN,     /* go on when more has come */
	SERVE_CLOSED,   /* the peer has closed its end */
	SERVE_VIOLATED, /* the peer broke the protocol */
};

/* Which message broke the protocol, and why; static texts. */
struct serve_violation {
	const char *row; /* "message" if it could not be understood */
	const char *why;
};

/* Receives messages until none is left, n_max have come, or a function closes the channel. The
 * violation is set for SERVE_VIOLATED. */
enum serve_end serve_receive(struct ipc_channel *channel, int n_max,
    const struct serve *serve, void *ctx, struct serve_violation *violation);
