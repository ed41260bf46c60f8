/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients: a fixed table of connections, each with its request and its reply. A client
 * is answered one request at a time. No client can make another one wait: nothing here
 * blocks, and every wait has a limit below. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "api/pending.h"
#include "api/request/out.h"
#include "api/request/request.h"
#include "api/request/scan.h"
#include "base/deadline.h"
#include "base/ratelimit.h"

/* A few hundred silent clients do no harm. The number is a quarter of the usual limit of
 * 1024 open files. Further clients wait in the backlog until a client leaves or gives
 * way. */
#define API_CLIENTS_MAX 256
/* Sessions last as long as their clients want, so they get a part of the table only. */
#define API_SESSIONS_MAX 64
/* From connection to complete request, and from a session's first byte to its last.
 * Enough for a person at a terminal, and a limit for a client that sends a byte a
 * second. */
#define API_REQUEST_TIME_MS 30000
/* A client that reads nothing of its reply for so long loses it. */
#define API_WRITE_TIME_MS 30000
/* The worker and the parent answer in milliseconds. A range of thousands of ports takes
 * seconds. After this time the client is told that no answer came, and its place is
 * free. slirpctl(1) waits 10 seconds by default. */
#define API_CALL_TIME_MS 60000
/* Calls that are not sent yet and whose clients have gone. Their requests are still
 * done. As many as there are clients. */
#define API_LEFT_MAX API_CLIENTS_MAX
/*
 * After a reply of version 1, further input is read and dropped. A newline in a write of
 * its own, or a request that is too long, then causes no error for the client. This ends
 * when the client closes, when it sends nothing for the first time, or after the second
 * time.
 */
#define API_LINGER_IDLE_MS 500
#define API_LINGER_MAX_MS 5000
/* Requests of one session. The burst is a range of ports sent forward by forward. Then
 * one request every two milliseconds leaves the worker time for packets. The api reads
 * later; it refuses nothing. */
#define API_SESSION_BURST 64
#define API_SESSION_INTERVAL_MS 2
/* Events that a session has not read: some thousand. A session with more is closed. */
#define API_EVENTS_MAX_BYTES 262144U

struct api;

enum api_client_state {
	API_CLIENT_NONE, /* a free place */
	API_CLIENT_READING,
	API_CLIENT_CALLING,   /* waits for the worker or the parent */
	API_CLIENT_LINGERING, /* see API_LINGER_IDLE_MS */
};

struct api_client {
	enum api_client_state state;
	uint32_t place; /* in api->places */
	int fd;         /* owned; -1 if has_left */
	/* The entry is a call in api->left. Its client has gone, or was told that the
	 * answer takes too long. */
	bool has_left;
	struct ucred peer;
	bool is_session;
	bool at_eof;     /* it sends no more */
	bool skips_line; /* skip input up to the next newline */

	uint64_t read_ms;  /* when input came last */
	uint64_t wrote_ms; /* when output was sent last, or was empty */
	uint64_t since_ms; /* start of the request (0: none yet) or of the lingering */
	uint64_t paused_until_ms; /* 0: not paused */
	struct ratelimit rate;

	size_t in_len;
	char in[API_REQUEST_SIZE];
	struct api_scan scan;
	struct api_request request;
	struct api_call call;

	struct api_out out;
	size_t n_sent;        /* bytes of out that were sent */
	size_t reply_at;      /* offset in out of the reply that is being written */
	size_t n_event_bytes; /* in out since it was last empty */
	uint32_t events;      /* subscribed: set of 1 << enum api_event */
};

/* Size of api->left: the waiting calls, and the sent calls of each peer. */
#define API_LEFT_PLACES (API_LEFT_MAX + API_N_LANES * API_IN_FLIGHT_MAX)

/* Gives a free place to the connection. A free place must exist. */
struct api_client *api_client_add(struct api *api, int adopt_fd);
/* Closes the connection and frees its place. A call that was sent goes on by itself. */
void api_client_drop(struct api *api, struct api_client *client);
/* Refuses a client in the middle of a call for the reason `why`. The call goes on. */
void api_client_refuse_call(struct api *api, struct api_client *client, const char *why);

/* Reads and answers at once if it can: most clients have sent their request before
 * accept(2). */
void api_client_begin(struct api *api, struct api_client *client);
/* Returns the events to poll for; 0: do not poll. */
short api_client_wants(const struct api_client *client);
/* Handles the events that poll(2) returned. */
void api_client_serve(struct api *api, struct api_client *client, short revents);
/* Continues with input that was read before, and applies the limits of time. Call it for
 * each client in each round. Returns when it is due again; DEADLINE_NONE: never. */
uint64_t api_client_tick(struct api *api, struct api_client *client);

/* A reply. Write the value of "return" to the result of begin, and for version 1 the
 * members that follow it. Then call end. Each request has one reply. The client may be
 * gone after end. */
struct api_out *api_client_reply_begin(struct api_client *client);
void api_client_reply_end(struct api *api, struct api_client *client);
/* Replies with an error. */
void api_client_refuse(struct api *api, struct api_client *client,
    const struct api_error *error);
/* Sends a session a line that is not a reply. */
void api_client_notify(struct api *api, struct api_client *client, const char *line,
    size_t len);

/* Turns the connection into a session. Returns 0, or -1 if there are enough sessions. */
int api_client_make_session(struct api *api, struct api_client *client);
