/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clients: a fixed table of connections, each with its request on the way in and its
 * reply on the way out. A client is answered one request at a time. No client can keep
 * another one waiting: nothing here blocks, and every wait has a limit below.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "api/request/out.h"
#include "api/pending.h"
#include "api/request/request.h"
#include "api/request/scan.h"
#include "base/ratelimit.h"

/* Enough that a few hundred silent ones do no harm, and a quarter of the usual limit of
 * 1024 open files. More wait in the backlog until one leaves or gives way. */
#define API_CLIENTS_MAX 256
/* Sessions last as long as their clients like, so they get a part of the table only. */
#define API_SESSIONS_MAX 64
/* From connection to complete request, and from a session's first byte to its last: time
 * for a person at a terminal, and a bound for one who sends a byte a second. */
#define API_REQUEST_TIME_MS 30000
/* A client that takes nothing of its reply for so long loses it. */
#define API_WRITE_TIME_MS 30000
/* The worker or the parent answers in milliseconds, and takes seconds for a range of thousands
 * of ports. After so long the client is told that there is no answer, and has its place for
 * other things; slirpctl(1) waits 10 seconds unless it is told otherwise. */
#define API_CALL_TIME_MS 60000
/* Calls that have not been sent yet and whose clients are gone: such a client has asked and
 * hung up, and what it asked for is still done. As many as can hang up at once. */
#define API_LEFT_MAX API_CLIENTS_MAX
/* After a reply of version 1, what still comes is read and thrown away, so that a newline
 * in a write of its own, or a request that is too long, gets a client no error: until it
 * has closed, or sent nothing for the one, or gone on for the other time. */
#define API_LINGER_IDLE_MS 500
#define API_LINGER_MAX_MS 5000
/* Requests of one session: a burst is a range of ports sent rule by rule; then one every
 * two milliseconds, which leaves the worker to its packets. Reading waits; nothing is
 * refused. */
#define API_SESSION_BURST 64
#define API_SESSION_INTERVAL_MS 2
/* Events that a session has not read: some thousand. With more it loses its
 * connection. */
#define API_EVENTS_MAX_BYTES 262144U

struct api;

enum api_client_state {
	API_CLIENT_NONE, /* a free place */
	API_CLIENT_READING,
	API_CLIENT_CALLING,   /* waits for the worker or the parent */
	API_CLIENT_LINGERING, /* has its reply, or most of it; see above */
};

struct api_client {
	enum api_client_state state;
	uint32_t place; /* in api->places */
	int fd;         /* owned; -1 if has_left */
	/* Not a client but its call, which has an answer to come: the client is gone, or was
	 * told that it takes too long. In api->left. */
	bool has_left;
	struct ucred peer;
	bool is_session;
	bool at_eof;     /* it sends no more */
	bool skips_line; /* nothing is understood up to the next newline */

	uint64_t read_ms;  /* when bytes came last */
	uint64_t wrote_ms; /* when some of `out` went last, or it was empty */
	uint64_t since_ms; /* begin of the request (0: none yet) or the lingering */
	uint64_t paused_until_ms; /* 0: may go on */
	struct ratelimit rate;

	size_t in_len;
	char in[API_REQUEST_SIZE];
	struct api_scan scan;
	struct api_request request;
	struct api_call call;

	struct api_out out;
	size_t n_sent;        /* bytes of out that have gone */
	size_t reply_at;      /* where in out the reply in the making begins */
	size_t n_event_bytes; /* in out since it was last empty */
	uint32_t events;      /* subscribed to: set of 1 << enum api_event */
};

/* Room for api->left: those that wait, and whatever each peer has and will answer. */
#define API_LEFT_PLACES (API_LEFT_MAX + API_N_LANES * API_IN_FLIGHT_MAX)

/* Gives a free place to the connection, whose descriptor it takes; there must be one. */
struct api_client *api_client_add(struct api *api, int adopt_fd);
/* Closes the connection. The place is free then; a call that is under way goes on by itself. */
void api_client_drop(struct api *api, struct api_client *client);
/* Refuses a client in the middle of a call, for this reason, and lets the call go on. */
void api_client_refuse_call(struct api *api, struct api_client *client, const char *why);

/* Does what can be done at once: a client has sent its request when it is taken, most
 * often, and needs no wait for it. */
void api_client_begin(struct api *api, struct api_client *client);
/* The events to poll for; 0 where it is not to be polled at all. */
short api_client_wants(const struct api_client *client);
/* To be called with what poll said. */
void api_client_serve(struct api *api, struct api_client *client, short revents);
/*
 * Goes on with what was read before, and does what a limit of time asks for. To be called
 * for each client in each round. Returns when that is due again; UINT64_MAX for never.
 */
uint64_t api_client_tick(struct api *api, struct api_client *client);

/*
 * A reply: write its value, which stands after "return":, to what begin returns, and for
 * version 1 members that follow it; then end. There is one reply to each request. The
 * client may be gone after end.
 */
struct api_out *api_client_reply_begin(struct api_client *client);
void api_client_reply_end(struct api *api, struct api_client *client);
/* The other reply. */
void api_client_refuse(struct api *api, struct api_client *client,
    const struct api_error *error);
/* A line to a session beside its replies. */
void api_client_notify(struct api *api, struct api_client *client, const char *line,
    size_t len);

/* From now on the connection is a session. Returns 0, or -1 if there are enough. */
int api_client_make_session(struct api *api, struct api_client *client);
