/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's connections to the name server's address (RFC 7766). The worker's TCP engine ends
 * them; each one is a UNIX socket here. A connection has one question at a time; further ones
 * wait in its socket. */
#pragma once

#include <stdint.h>

#include "resolver/message.h"

struct resolver;
struct question;

/* Connections at a time. Programs use TCP for answers that are too long for UDP, and close at
 * once. A new one takes the place of the one that has been silent for longest. */
#define CLIENTS_MAX 32

/* The time for the next question to come as a whole, and for an answer to be taken. RFC 7766 6.2.3
 * asks for seconds. */
#define CLIENT_IDLE_MS 10000

enum client_state {
	CLIENT_NONE,
	CLIENT_READS, /* a question */
	CLIENT_ASKS,  /* its question has no answer yet */
	CLIENT_WRITES,
};

struct client {
	enum client_state state;
	int fd;                    /* owned */
	struct question *question; /* while it asks */
	uint64_t idle_ends_ms;     /* while it reads or writes */
	size_t n_done, n_wanted;   /* of the bytes */
	/* The length, and the question; then those of the answer. */
	uint8_t bytes[MESSAGE_PREFIX_LEN + MESSAGE_MAX];
};

/* Takes a new connection. */
void client_add(struct resolver *resolver, int adopt_fd);

/* The events to poll for. */
short client_events(const struct client *client);

/* The connection is ready, or has been closed. */
void client_serve(struct resolver *resolver, struct client *client, short revents);

/* Sends the answer to its question. bytes may be client->bytes behind the length. */
void client_answer(struct resolver *resolver, struct client *client, const uint8_t *bytes,
    size_t len);

/* Closes those that are idle. Returns when the next one will be. */
uint64_t client_tick(struct resolver *resolver);
