#include "api/accept.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"

/* Has nothing to get, and has had the time to ask. */
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

/* The client that has been silent longest, and gives way to others. NULL if there is none. */
static struct api_client *
find_silent(const struct api *api)
{
	struct api_client *oldest = NULL;

	for (size_t i = 0; i < API_CLIENTS_MAX; i++) {
		struct api_client *client = &api->clients[i];

		if (gives_way(api, client) &&
		    (!oldest || client->read_ms < oldest->read_ms))
			oldest = client;
	}
	return oldest;
}

/* A free place, or one that can be made free. */
static struct api_client *
find_place(const struct api *api)
{
	for (size_t i = 0; i < API_CLIENTS_MAX; i++)
		if (api->clients[i].state == API_CLIENT_NONE)
			return &api->clients[i];
	return find_silent(api);
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
	}
	if (client->state != API_CLIENT_NONE)
		api_client_drop(api, client);
}

/* Without descriptors, fewer places than there are in the table have to do. */
static void
refused(struct api *api, int error)
{
	struct api_client *silent;

	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	if (ratelimit_allow(&api->accept_warning, api->now_ms))
		log_warning("accept a client: %s; those that wait are tried again",
		    strerror(error));
	api->accept_again_ms = api->now_ms + API_ACCEPT_PAUSE_MS;
	silent = find_silent(api);
	if (silent) {
		send_away(api, silent);
		api->accept_again_ms = api->now_ms;
	}
}

static int
accept_one(struct api *api)
{
	socklen_t peer_len = sizeof(struct ucred);
	struct api_client *client;
	/* Clients' sockets have no names, and accept(2) need not tell them. */
	/* cppcheck-suppress nullPointer */
	int fd = accept4(api->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1) {
		refused(api, errno);
		return -1;
	}
	client = find_place(api);
	send_away(api, client);
	*client = (struct api_client){
		.state = API_CLIENT_READING,
		.fd = fd,
		.read_ms = api->now_ms,
		.since_ms = api->now_ms,
	};
	/* Can't fail on a connected UNIX socket; if it did, the log would show pid 0. */
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &peer_len);
	api->n_clients++;
	api->counters.n_connections++;
	return 0;
}

bool
api_accept_may(const struct api *api)
{
	return api->accept_again_ms <= api->now_ms && find_place(api);
}

void
api_accept(struct api *api)
{
	for (int i = 0; i < API_ACCEPT_BATCH && api_accept_may(api); i++)
		if (accept_one(api) == -1)
			return;
}
