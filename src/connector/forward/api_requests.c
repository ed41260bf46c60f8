/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives and answers the api's requests: add, remove and list forwards. */
#include "connector/forward/api_requests.h"

#include "ipc/dispatch.h"

/* Requests for each wait: a client that sends without end shares the turns with the worker. */
#define RECEIVE_MAX 16

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(connector, connector, msg, __VA_ARGS__)
IPC_ROWS_API_TO_CONNECTOR(DECLARE)

void
connector_on_add_forward(struct connector *connector, const struct ipc_add_forward *msg)
{
	changes_add(connector, msg->request, &msg->forward);
}

void
connector_on_remove_forward(struct connector *connector,
    const struct ipc_remove_forward *msg)
{
	changes_remove(connector, msg->request, msg->id);
}

void
connector_on_list_forwards(struct connector *connector,
    const struct ipc_list_forwards *msg)
{
	struct ipc_forwards_page page = { .request = msg->request };

	forwards_fill_page(&connector->forwards, msg->after_id, &page);
	chan_api_check_sent(&connector->api,
	    ipc_send_forwards_page(&connector->api.channel, &page));
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct connector *connector = ctx;

	switch (msg->id) {
		IPC_ROWS_API_TO_CONNECTOR(CALL)
	default:
		break;
	}
	return !changes_are_busy(&connector->changes);
}

void
connector_api_receive(struct connector *connector)
{
	static const struct serve from_api = { .take = take };

	if (!changes_are_busy(&connector->changes))
		chan_api_receive(&connector->api, RECEIVE_MAX, &from_api, connector);
}
