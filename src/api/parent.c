/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends the parent the calls that it answers, and matches its answers to clients. */
#include "api/parent.h"

#include "api/api.h"
#include "base/log.h"

void
api_parent_send(struct api *api)
{
	/* If the parent's channel ends, this process ends. */
	if (api_pending_send(&api->parent_lane) == -1)
		api->ended = true;
}

void
api_parent_call(struct api *api, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer)
{
	client->state = API_CLIENT_CALLING;
	client->call.send = send;
	client->call.answer = answer;
	api_pending_add(&api->parent_lane, client);
	api_parent_send(api);
}

struct api_client *
api_parent_answered(struct api *api, enum ipc_message_id answer, uint64_t number)
{
	struct api_client *client = api_pending_take(&api->parent_lane, answer, number);

	if (!client)
		fatalx("message from the parent: an answer to no request");
	return client;
}
