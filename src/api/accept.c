#include "api/accept.h"

#include <errno.h>
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

/* A free place, or that of the client that has been silent longest; NULL if there is none. */
static struct api_client *
find_place(const struct api *api)
{
	struct api_client *oldest = NULL;

	for (size_t i = 0; i < API_CLIENTS_MAX; i++) {
		struct api_client *client = &api->clients[i];

		if (client->state == API_CLIENT_NONE)
			return client;
		if (gives_way(api, client) &&
		    (!oldest || client->read_ms < oldest->read_ms))
			oldest = client;
	}
	return oldest;
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

static int
accept_one(struct api *api)
{
	socklen_t peer_len = sizeof(struct ucred);
	struct api_client *client;
	/* Clients' sockets have no names, and accept(2) need not tell them. */
	/* cppcheck-suppress nullPointer */
	int fd = accept4(api->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			log_warning("accept a client: error %d; trying again", errno);
			api->accept_again_ms = api->now_ms + API_ACCEPT_PAUSE_MS;
		}
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
