/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepts connections, and picks the client that gives way if the table is full. */
#include "api/accept.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "api/api.h"
#include "base/fdio.h"
#include "base/log.h"

/* Whether the client has read its reply and has sent no request for API_PATIENCE_MS. */
static bool
gives_way(const struct api *api, const struct api_client *client)
{
	if (client->n_sent < client->out.len)
		return false;
	if (client->state == API_CLIENT_LINGERING)
		return true;
	return client->state == API_CLIENT_READING && !client->is_session &&
	    client->read_ms + API_PATIENCE_MS <= api->now_ms;
}

/* Whether the worker or the parent owes the client an answer for API_CALL_PATIENCE_MS. */
static bool
waits_long(const struct api *api, const struct api_client *client)
{
	return client->state == API_CLIENT_CALLING && !client->is_session &&
	    client->n_sent == client->out.len &&
	    client->call.since_ms + API_CALL_PATIENCE_MS <= api->now_ms;
}

/* Returns the client that has been silent longest. If all wait for answers, returns the
 * client that has waited longest. NULL: none gives way. */
static struct api_client *
find_silent(const struct api *api)
{
	struct api_client *silent = NULL, *waiting = NULL;

	for (uint32_t i = 0; i < api->n_clients; i++) {
		struct api_client *client = api->places[i];

		if (gives_way(api, client) &&
		    (!silent || client->read_ms < silent->read_ms))
			silent = client;
		if (waits_long(api, client) &&
		    (!waiting || client->call.since_ms < waiting->call.since_ms))
			waiting = client;
	}
	return silent ? silent : waiting;
}

static void
send_away(struct api *api, struct api_client *client)
{
	struct api_error busy;

	if (client->state == API_CLIENT_READING) {
		api->counters.n_gave_way++;
		api_error_set(&busy, API_ERROR_Busy, "no request",
		    "the place was needed for another client");
		api_client_refuse(api, client, &busy);
	} else if (client->state == API_CLIENT_CALLING) {
		api->counters.n_gave_way++;
		api_client_refuse_call(api, client,
		    "the place was needed for another client");
	}
	if (client->state != API_CLIENT_NONE)
		api_client_drop(api, client);
}

/* Handles an error of accept4(2). If descriptors or memory are short, a silent client
 * gives way although the table has free places. */
static void
refused(struct api *api, int error)
{
	struct api_client *silent;

	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	if (ratelimit_allow(&api->accept_warning, api->now_ms))
		log_warning("accept a client: %s; those that wait are tried again",
		    strerror(error));
	api->accept_again_ms = api->now_ms + FDIO_RETRY_MS;
	silent = find_silent(api);
	if (silent) {
		send_away(api, silent);
		api->accept_again_ms = api->now_ms;
	}
}

/* Returns 0, or -1 if no connection waits or accept4(2) failed. */
static int
accept_one(struct api *api)
{
	/* Clients' sockets have no names, so accept(2) needs no buffer for them. */
	/* cppcheck-suppress nullPointer */
	int fd = accept4(api->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1) {
		refused(api, errno);
		return -1;
	}
	if (api->n_clients == API_CLIENTS_MAX)
		send_away(api, find_silent(api));
	api_client_begin(api, api_client_add(api, fd));
	return 0;
}

bool
api_accept_may(const struct api *api)
{
	return api->accept_again_ms <= api->now_ms &&
	    (api->n_clients < API_CLIENTS_MAX || find_silent(api));
}

void
api_accept(struct api *api)
{
	int n_max = api->n_rounds_of_one > 0 ? 1 : API_ACCEPT_BATCH;
	int n = 0;

	while (n < n_max && api_accept_may(api) && accept_one(api) == 0)
		n++;
	if (n_max == 1)
		api->n_rounds_of_one--;
	else if (n == 1)
		api->n_rounds_of_one = API_ACCEPT_ROUNDS_OF_ONE;
}
