/* SPDX-License-Identifier: BSD-2-Clause */
/* The channels to the worker and to the connector, and the calls on them. */
#pragma once

#include "api/pending.h"
#include "ipc/fdtable.h"

struct api;

/* A process that answers the api's calls. */
struct api_peer {
	struct ipc_channel channel; /* its fd is -1 until it comes, and after its end */
	struct api_lane lane;
	enum ipc_role role;
	const char *name; /* in log lines */
	const char *work; /* to clients: "the process that ..." */
};

/* Initialises a peer that has no channel yet. */
void api_peer_init(struct api_peer *peer, enum ipc_role role);

/* Adopts the channel to a new process, at this number, and greets. Calls to the old one are
 * refused. */
void api_peer_open(struct api *api, struct api_peer *peer, int adopt_fd,
    enum ipc_child_fd number);

/* Sends the client's call to the peer. The handler of the row `answer` gets the
 * answer. If there is no channel, the client is refused at once. */
void api_peer_call(struct api *api, struct api_peer *peer, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer);
/* Sends the call again for its next page. */
void api_peer_call_again(struct api *api, struct api_peer *peer,
    struct api_client *client);
/* The same for a page that begins at `next`. A peer whose pages do not go on is lost: the list
 * would have no end. */
void api_peer_call_for_page(struct api *api, struct api_peer *peer,
    struct api_client *client, uint32_t next);

/* Returns the client that an answer is for. NULL: the peer broke the protocol, and the
 * channel is closed. */
struct api_client *api_peer_answered(struct api *api, struct api_peer *peer,
    enum ipc_message_id answer, uint64_t number);

/* Closes the channel, logs the reason, and refuses all calls. */
void api_peer_lose(struct api *api, struct api_peer *peer, const char *why);

/* Sends the calls that wait. */
void api_peer_send(struct api *api, struct api_peer *peer);
/* Handles the peer's answers that have come, up to a limit. */
void api_peer_receive(struct api *api, struct api_peer *peer);
