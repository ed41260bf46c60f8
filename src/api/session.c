/* SPDX-License-Identifier: BSD-2-Clause */
/* Begins sessions and sends them events. */
#include "api/session.h"

#include <time.h>

#include "api/api.h"
#include "api/handlers.h"
#include "api/policy/change.h"
#include "api/request/forward.h"

#define ALL_EVENTS ((1U << API_EVENT_N) - 1)
#define NS_PER_US 1000

void
api_start_qmp_capabilities(struct api *api, struct api_client *client)
{
	struct api_error busy;
	struct api_out *out;

	if (api_client_make_session(api, client) == -1) {
		api_error_set(&busy, API_ERROR_Busy, "too many sessions",
		    "there are %d sessions already", API_SESSIONS_MAX);
		api_client_refuse(api, client, &busy);
		return;
	}
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

void
api_start_subscribe(struct api *api, struct api_client *client)
{
	const struct api_event_set *events = &client->request.args.events;
	struct api_out *out = api_client_reply_begin(client);

	client->events = events->is_given ? events->set : ALL_EVENTS;
	api_out_open(out, NULL, '{');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

static void
write_event(struct api_out *out, enum api_event event, const struct api_event_data *data)
{
	struct timespec now;

	/* clock_gettime(2) can't fail: the clock exists on every Linux and the address
	 * is good. */
	clock_gettime(CLOCK_REALTIME, &now);
	api_out_open(out, NULL, '{');
	api_out_string(out, "event", api_event_str(event));
	if (data->forward) {
		api_forward_write(out, "data", data->forward);
	} else {
		api_out_open(out, "data", '{');
		if (data->policy) {
			api_out_number(out, "generation", data->policy->generation);
			api_out_string(out, "command", data->policy->command);
			api_out_number(out, "pid", (uint64_t)data->policy->peer->pid);
			api_out_number(out, "uid", data->policy->peer->uid);
		} else if (data->process) {
			api_out_string(out, "name", ipc_role_names[data->process->role]);
			api_out_number(out, "restarts", data->process->n_restarts);
		}
		api_out_close(out, '}');
	}
	api_out_open(out, "timestamp", '{');
	api_out_number(out, "seconds", (uint64_t)now.tv_sec);
	api_out_number(out, "microseconds", (uint64_t)now.tv_nsec / NS_PER_US);
	api_out_close(out, '}');
	api_out_close(out, '}');
	api_out_raw(out, "\n", 1);
}

void
api_session_event(struct api *api, enum api_event event,
    const struct api_event_data *data)
{
	struct api_out line = { 0 };

	write_event(&line, event, data);
	/* Backwards: a dropped client's place is taken by the last client, which was
	 * handled already. */
	for (uint32_t i = api->n_clients; i-- > 0;) {
		struct api_client *client = api->places[i];

		if (client->is_session && client->events & (1U << event))
			api_client_notify(api, client, line.bytes, line.len);
	}
	api_out_free(&line);
}

void
api_on_event(struct api *api, const struct ipc_event *msg)
{
	const struct api_event_data data = {
		.process = msg->role == IPC_ROLE_NONE ? NULL : msg
	};

	api_session_event(api, (enum api_event)msg->kind, &data);
}
