/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends calls to the worker and the connector, receives their answers, and closes a channel on
 * an error. */
#include "api/peer.h"

#include <stdio.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "base/log.h"
#include "process/peer.h"
#include "process/serve.h"

#define CALL(...) IPC_CALL_HANDLER(api, api, message, __VA_ARGS__)

void
api_peer_init(struct api_peer *peer, enum ipc_role role)
{
	bool is_worker = role == IPC_ROLE_SLIRP_WORKER;

	*peer = (struct api_peer){
		.channel.fd = -1,
		.role = role,
		.name = is_worker ? "slirp-worker" : "connector",
		.work = is_worker ? "the process that carries packets"
				  : "the process that has the forwards",
	};
	peer->lane.channel = &peer->channel;
}

static void
refuse(struct api *api, const struct api_peer *peer, struct api_client *client,
    const char *fate)
{
	const struct api_verb *verb = client->request.verb;
	char desc[API_ERROR_DESC_SIZE];
	struct api_error busy;

	snprintf(desc, sizeof(desc), "%s: no %s", verb->name,
	    peer->role == IPC_ROLE_SLIRP_WORKER ? "worker" : "connector");
	api_error_set(&busy, API_ERROR_Busy, desc, "%s %s", peer->work, fate);
	if (verb->is_audited)
		api_audit(api, client, "%s: refused: %s %s", verb->name, peer->work,
		    fate);
	api_client_refuse(api, client, &busy);
}

/* Refuses all calls to the peer. If the peer has ended, there will be another channel. */
void
api_peer_lose(struct api *api, struct api_peer *peer, const char *why)
{
	struct api_client *client;

	if (peer->channel.fd == -1)
		return;
	log_error("channel to %s: %s; requests that need it are refused", peer->name,
	    why);
	peer_close(&peer->channel);
	peer->lane.is_late = false;
	while ((client = api_pending_fail_next(&peer->lane)))
		refuse(api, peer, client, "was lost; it may have done this or not");
}

void
api_peer_open(struct api *api, struct api_peer *peer, int adopt_fd,
    enum ipc_child_fd number)
{
	api_peer_lose(api, peer, "replaced");
	peer_open(&peer->channel, adopt_fd, number, IPC_ROLE_API, peer->role);
	peer->lane.is_full = false;
	if (api->worker.channel.fd != -1 && api->connector.channel.fd != -1)
		api->is_joined = true;
	/* The copy of the forwards is of the old connector. */
	if (peer->role == IPC_ROLE_CONNECTOR) {
		api->knows_forwards = false;
		api->forwards->n = 0;
	}
}

void
api_peer_send(struct api *api, struct api_peer *peer)
{
	if (peer->channel.fd != -1 && api_pending_send(&peer->lane) == -1)
		api_peer_lose(api, peer, "closed");
}

void
api_peer_call(struct api *api, struct api_peer *peer, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer)
{
	client->state = API_CLIENT_CALLING;
	client->call.send = send;
	client->call.answer = answer;
	client->call.is_exclusive = answer == IPC_MSG_connections_page;
	api_peer_call_again(api, peer, client);
}

void
api_peer_call_again(struct api *api, struct api_peer *peer, struct api_client *client)
{
	if (peer->channel.fd == -1) {
		refuse(api, peer, client, "can't be reached");
		return;
	}
	/* The client has gone, so no further page is needed. */
	if (client->has_left) {
		api_pending_end(&peer->lane, client);
		api_client_drop(api, client);
		return;
	}
	api_pending_add(&peer->lane, client);
	api_peer_send(api, peer);
}

void
api_peer_call_for_page(struct api *api, struct api_peer *peer, struct api_client *client,
    uint32_t next)
{
	bool goes_on = next > client->call.cursor;

	client->call.cursor = next;
	api_peer_call_again(api, peer, client);
	if (!goes_on)
		api_peer_lose(api, peer, "its list has no end");
}

struct api_client *
api_peer_answered(struct api *api, struct api_peer *peer, enum ipc_message_id answer,
    uint64_t number)
{
	struct api_client *client = api_pending_take(&peer->lane, answer, number);

	if (!client)
		api_peer_lose(api, peer, "an answer to no request");
	return client;
}

static bool
take(void *ctx, struct ipc_message *message)
{
	struct api *api = ctx;

	switch (message->id) {
		IPC_ROWS_SLIRP_WORKER_TO_API(CALL)
		IPC_ROWS_CONNECTOR_TO_API(CALL)
	default:
		break;
	}
	return true;
}

void
api_peer_receive(struct api *api, struct api_peer *peer)
{
	static const struct serve from_peer = { .take = take };
	struct serve_violation violation;

	switch (serve_receive(&peer->channel, API_IN_FLIGHT_MAX, &from_peer, api,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		api_peer_lose(api, peer, "closed");
		break;
	case SERVE_VIOLATED:
		api_peer_lose(api, peer, violation.why);
		break;
	}
}
