/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends calls to the worker, receives its answers, and closes its channel on an error. */
#include "api/worker.h"

#include <stdio.h>
#include <sys/socket.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "base/log.h"
#include "process/serve.h"

#define CALL(...) IPC_CALL_HANDLER(api, api, message, __VA_ARGS__)

static void
refuse(struct api *api, struct api_client *client, const char *detail)
{
	const struct api_verb *verb = client->request.verb;
	char desc[API_ERROR_DESC_SIZE];
	struct api_error busy;

	snprintf(desc, sizeof(desc), "%s: no worker", verb->name);
	api_error_set(&busy, API_ERROR_Busy, desc, "%s", detail);
	if (verb->is_audited)
		api_audit(api, client, "%s: refused: %s", verb->name, detail);
	api_client_refuse(api, client, &busy);
}

/* Refuses all calls to the worker. The parent also sees that the worker ended. It ends
 * this process, and starts another one if the worker still runs. */
void
api_worker_lose(struct api *api, const char *why)
{
	struct api_client *client;

	if (api->to_worker.fd == -1)
		return;
	log_error("channel to the worker: %s; requests that need it are refused", why);
	/* Not close(2): a client would get this descriptor number, and the filter knows
	 * it as the worker's. shutdown(2) suffices: the worker reads the end of the
	 * channel. */
	(void)shutdown(api->to_worker.fd, SHUT_WR);
	api->to_worker.fd = -1;
	api->worker_lane.is_late = false;
	while ((client = api_pending_fail_next(&api->worker_lane)))
		refuse(api, client,
		    "the process that carries packets was lost; it may have done this or "
		    "not");
}

void
api_worker_send(struct api *api)
{
	if (api->to_worker.fd != -1 && api_pending_send(&api->worker_lane) == -1)
		api_worker_lose(api, "closed");
}

void
api_worker_call(struct api *api, struct api_client *client,
    int (*send)(struct ipc_channel *channel, const struct api_client *client),
    enum ipc_message_id answer)
{
	client->state = API_CLIENT_CALLING;
	client->call.send = send;
	client->call.answer = answer;
	client->call.is_exclusive = answer == IPC_MSG_connections_page;
	api_worker_call_again(api, client);
}

void
api_worker_call_again(struct api *api, struct api_client *client)
{
	if (api->to_worker.fd == -1) {
		refuse(api, client, "the process that carries packets can't be reached");
		return;
	}
	/* The client has gone, so no further page is needed. */
	if (client->has_left) {
		api_pending_end(&api->worker_lane, client);
		api_client_drop(api, client);
		return;
	}
	api_pending_add(&api->worker_lane, client);
	api_worker_send(api);
}

struct api_client *
api_worker_answered(struct api *api, enum ipc_message_id answer, uint64_t number)
{
	struct api_client *client = api_pending_take(&api->worker_lane, answer, number);

	if (!client)
		api_worker_lose(api, "an answer to no request");
	return client;
}

static bool
take(void *ctx, struct ipc_message *message)
{
	struct api *api = ctx;

	switch (message->id) {
		IPC_ROWS_SLIRP_WORKER_TO_API(CALL)
	default:
		break;
	}
	return true;
}

void
api_worker_receive(struct api *api)
{
	static const struct serve from_worker = { .take = take };
	struct serve_violation violation;

	switch (serve_receive(&api->to_worker, API_IN_FLIGHT_MAX, &from_worker, api,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		api_worker_lose(api, "closed");
		break;
	case SERVE_VIOLATED:
		api_worker_lose(api, violation.why);
		break;
	}
}
