/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for events of other processes, the listening socket and the clients, and
 * handles them. */
#include "api/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/accept.h"
#include "api/audit.h"
#include "api/control.h"
#include "api/parent.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"

/* The order of the descriptors. */
enum { PARENT, WORKER, CONNECTOR, LISTENER, FIRST_CLIENT };

/* The descriptors to poll, and the client of each. */
struct polled {
	struct pollfd fds[FIRST_CLIENT + API_CLIENTS_MAX];
	struct api_client *clients[FIRST_CLIENT + API_CLIENTS_MAX];
	nfds_t n;
};

void
api_loop_init(struct api *api)
{
	api->clients = calloc(API_CLIENTS_MAX, sizeof(*api->clients));
	if (!api->clients)
		fatal("get memory for %d clients", API_CLIENTS_MAX);
	for (uint32_t i = 0; i < API_CLIENTS_MAX; i++)
		api->places[i] = &api->clients[i];
	api->left = calloc(API_LEFT_PLACES, sizeof(*api->left));
	if (!api->left)
		fatal("get memory for %d calls", API_LEFT_PLACES);
	api->forwards = forward_table_new();
	if (!api->forwards)
		fatal("get memory for the copy of the forwards");
	api->parent_lane.channel = &api->to_parent;
	api_peer_init(&api->worker, IPC_ROLE_SLIRP_WORKER);
	api_peer_init(&api->connector, IPC_ROLE_CONNECTOR);
	api->audit = (struct ratelimit){
		.burst = API_AUDIT_BURST,
		.interval_ms = API_AUDIT_INTERVAL_MS,
	};
	api->accept_warning = (struct ratelimit){
		.burst = 1,
		.interval_ms = API_ACCEPT_WARNING_INTERVAL_MS,
	};
	api->own_pid = (uint32_t)getpid();
	api->now_ms = clock_now_ms();
}

static short
channel_events(const struct api_lane *lane)
{
	return lane->is_full ? POLLIN | POLLOUT : POLLIN;
}

static void
collect(const struct api *api, struct polled *polled)
{
	/* poll(2) skips a negative descriptor. */
	polled->fds[PARENT] = (struct pollfd){ .fd = api->to_parent.fd,
		.events = channel_events(&api->parent_lane) };
	polled->fds[WORKER] = (struct pollfd){ .fd = api->worker.channel.fd,
		.events = channel_events(&api->worker.lane) };
	polled->fds[CONNECTOR] = (struct pollfd){ .fd = api->connector.channel.fd,
		.events = channel_events(&api->connector.lane) };
	polled->fds[LISTENER] = (struct pollfd){
		/* Clients wait until they can be served. */
		.fd = api->is_joined && api_policy_has_come(&api->policy) &&
			api_accept_may(api)
		    ? api->listen_fd
		    : -1,
		.events = POLLIN,
	};
	polled->n = FIRST_CLIENT;
	for (uint32_t i = 0; i < api->n_clients; i++) {
		struct api_client *client = api->places[i];
		short events = api_client_wants(client);

		/* poll(2) reports a hang-up even without events. It matters only for a
		 * client that waits for an answer. */
		if (events == 0 && client->state != API_CLIENT_CALLING)
			continue;
		polled->clients[polled->n] = client;
		polled->fds[polled->n++] =
		    (struct pollfd){ .fd = client->fd, .events = events };
	}
}

/* Logs once if a peer does not answer, and once if it answers again. Returns when to
 * look again; DEADLINE_NONE: at the next answer. */
static uint64_t
watch_answers(const struct api *api, struct api_lane *lane, const char *peer)
{
	const struct api_client *oldest = lane->sent.first;
	uint64_t late_ms =
	    oldest ? oldest->call.since_ms + API_CALL_TIME_MS : DEADLINE_NONE;
	bool is_late = late_ms <= api->now_ms;

	if (is_late && !lane->is_late)
		log_warning("%s has not answered for %d s; clients are told so", peer,
		    API_CALL_TIME_MS / CLOCK_MS_PER_S);
	else if (!is_late && lane->is_late)
		log_info("%s answers again", peer);
	lane->is_late = is_late;
	return is_late ? DEADLINE_NONE : late_ms;
}

/* Takes each client's next step. Returns when the next one is due. */
static uint64_t
tick(struct api *api)
{
	uint64_t next_ms = watch_answers(api, &api->parent_lane, "the parent");

	next_ms = deadline_earlier(next_ms,
	    watch_answers(api, &api->worker.lane, api->worker.name));
	next_ms = deadline_earlier(next_ms,
	    watch_answers(api, &api->connector.lane, api->connector.name));
	/* Backwards: a dropped client's place is taken by the last client, which was
	 * handled already. */
	for (uint32_t i = api->n_clients; i-- > 0;)
		next_ms = deadline_earlier(next_ms, api_client_tick(api, api->places[i]));
	for (uint32_t i = 0; i < API_LEFT_PLACES && api->n_left > 0; i++)
		if (api->left[i].state != API_CLIENT_NONE)
			next_ms = deadline_earlier(next_ms,
			    api_client_tick(api, &api->left[i]));
	if (!api_accept_may(api))
		next_ms = deadline_earlier(next_ms, api->now_ms + API_PATIENCE_MS);
	return next_ms;
}

int
api_loop_once(struct api *api, uint64_t deadline_ms)
{
	struct polled polled;
	int n_ready;

	deadline_ms = deadline_earlier(deadline_ms, tick(api));
	api_parent_send(api);
	api_peer_send(api, &api->worker);
	api_peer_send(api, &api->connector);
	collect(api, &polled);
	n_ready = poll(polled.fds, polled.n, deadline_timeout(deadline_ms, api->now_ms));
	if (n_ready == -1 && fdio_is_shortage(errno))
		fdio_pause();
	else if (n_ready == -1 && errno != EINTR)
		fatal("wait for events");
	api->now_ms = clock_now_ms();
	if (polled.fds[PARENT].revents)
		api_control_receive(api);
	if (polled.fds[WORKER].revents)
		api_peer_receive(api, &api->worker);
	if (polled.fds[CONNECTOR].revents)
		api_peer_receive(api, &api->connector);
	for (nfds_t i = FIRST_CLIENT; i < polled.n; i++)
		if (polled.fds[i].revents && polled.clients[i]->fd == polled.fds[i].fd)
			api_client_serve(api, polled.clients[i], polled.fds[i].revents);
	/* Last, so that no place changes its client between poll(2) and
	 * api_client_serve(). */
	if (polled.fds[LISTENER].revents)
		api_accept(api);
	return n_ready;
}

void
api_loop_run(struct api *api)
{
	while (!api->ended)
		api_loop_once(api, DEADLINE_NONE);
	/* If a send to the parent ended the loop, its last message (SHUTDOWN) may be
	 * unread. */
	api_control_receive(api);
}
