/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers add_hostfwd, remove_hostfwd and list_hostfwd, and keeps a copy of the connector's
 * forwards.
 *
 * Theory of operation: why the copy is right. Only requests on this channel change the
 * connector's table. Forwards of the command line exist before the channel does. A change
 * that an earlier api began ends before the connector reads the first request of this one.
 *
 * The connector answers in the order in which it acts. The copy therefore equals the table
 * at the time of the last answer, for ids up to the highest in the pages so far. Pages
 * bring the forwards that existed. Later removals are made in the copy too. Later
 * additions are made in it once the last page has come; until then a page will bring
 * them.
 */
#include "api/forwards.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "api/request/forward.h"
#include "api/session.h"
#include "ipc/validate.h"

static struct ipc_add_forward
add_message(const struct api_client *client)
{
	return (struct ipc_add_forward){
		.request = client->call.number,
		.forward = api_forward_of(&client->request.args),
	};
}

static int
send_add_forward(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_add_forward msg = add_message(client);

	return ipc_send_add_forward(channel, &msg);
}

static int
send_remove_forward(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_remove_forward msg = {
		.request = client->call.number,
		.id = client->request.args.id,
	};

	return ipc_send_remove_forward(channel, &msg);
}

static int
send_list_forwards(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_list_forwards msg = {
		.request = client->call.number,
		.after_id = client->call.cursor,
	};

	return ipc_send_list_forwards(channel, &msg);
}

void
api_start_add_forward(struct api *api, struct api_client *client)
{
	struct ipc_add_forward msg = add_message(client);
	char desc[API_ERROR_DESC_SIZE];
	struct api_error error;
	const char *why;

	/* Check the message as the connector does. The connector would take a bad field for a
	 * broken protocol; here it is the client's error. */
	if (ipc_validate_add_forward(&msg, &why) == -1) {
		snprintf(desc, sizeof(desc), "add_hostfwd: bad arguments.%s", why);
		api_error_set(&error, API_ERROR_BadArgument, desc, "%s: out of range",
		    why);
		api_client_refuse(api, client, &error);
		return;
	}
	api_peer_call(api, &api->connector, client, send_add_forward,
	    IPC_MSG_forward_added);
}

void
api_start_remove_forward(struct api *api, struct api_client *client)
{
	api_peer_call(api, &api->connector, client, send_remove_forward,
	    IPC_MSG_forward_removed);
}

static void
learn_added(struct api *api, const struct ipc_forward_entry *entry)
{
	if (api->knows_forwards && forward_table_add(api->forwards, entry) == -1)
		api_peer_lose(api, &api->connector,
		    "an addition that does not fit the forwards");
}

static void
learn_removed(struct api *api, uint32_t id)
{
	if (forward_table_remove(api->forwards, id) == -1 && api->knows_forwards)
		api_peer_lose(api, &api->connector,
		    "a removal that does not fit the forwards");
}

static void
learn_page(struct api *api, const struct ipc_forwards_page *page, uint32_t after_id)
{
	bool fits = page->n == 0 || page->entries[0].id > after_id;

	/* If two clients ask for the list, the second gets pages whose first entries are
	 * known. */
	for (uint32_t i = 0; i < page->n && fits; i++)
		if (page->entries[i].id > forward_table_last_id(api->forwards))
			fits = forward_table_add(api->forwards, &page->entries[i]) == 0;
	if (!fits)
		api_peer_lose(api, &api->connector,
		    "a page that does not fit the forwards");
	api->knows_forwards |= !page->has_more;
}

static void
write_list(struct api_out *out, const struct forward_table *table)
{
	api_out_open(out, "entries", '[');
	for (uint32_t i = 0; i < table->n; i++)
		api_forward_write(out, NULL, &table->entries[i]);
	api_out_close(out, ']');
}

static void
reply_list(struct api *api, struct api_client *client)
{
	struct api_out *out = api_client_reply_begin(client);
	size_t list_at, list_len;

	api_out_open(out, NULL, '{');
	list_at = out->len;
	write_list(out, api->forwards);
	list_len = out->len - list_at;
	api_out_close(out, '}');
	/* slirp4netns's manual puts the entries into "return", and its program puts them
	 * beside it. */
	if (!client->is_session)
		api_out_again(out, list_at, list_len);
	api_client_reply_end(api, client);
}

void
api_start_list_forwards(struct api *api, struct api_client *client)
{
	if (api->connector.channel.fd != -1 && api->knows_forwards)
		reply_list(api, client);
	else
		api_peer_call(api, &api->connector, client, send_list_forwards,
		    IPC_MSG_forwards_page);
}

static enum api_error_class
class_of(enum ipc_forward_outcome outcome)
{
	switch (outcome) {
	case IPC_FORWARD_no_such_forward:
		return API_ERROR_NotFound;
	case IPC_FORWARD_table_full:
		return API_ERROR_TableFull;
	case IPC_FORWARD_in_use_by_forward:
	case IPC_FORWARD_in_use:
		return API_ERROR_AddressInUse;
	case IPC_FORWARD_not_permitted:
		return API_ERROR_PermissionDenied;
	case IPC_FORWARD_no_such_address:
		return API_ERROR_AddressNotAvailable;
	case IPC_FORWARD_ipv6_is_off:
		return API_ERROR_NotSupported;
	case IPC_FORWARD_bad_guest_address:
		return API_ERROR_BadArgument;
	case IPC_FORWARD_done:
	case IPC_FORWARD_system_error:
	case IPC_FORWARD_N_OUTCOMES:
		break;
	}
	return API_ERROR_Internal;
}

static const char *
outcome_str(enum ipc_forward_outcome outcome)
{
	switch (outcome) {
#define MEANING(name, meaning) \
	case IPC_FORWARD_##name: \
		return meaning;
		IPC_FORWARD_OUTCOMES(MEANING)
#undef MEANING
	case IPC_FORWARD_N_OUTCOMES:
		break;
	}
	return "unknown outcome";
}

/* Writes the outcome with the port, the owner of the port, and the remedy. */
static void
explain(const struct ipc_forward_result *result, const struct ipc_forward *forward,
    char *text, size_t size)
{
	const char *outcome = outcome_str(result->outcome);
	char addr[INET6_ADDRSTRLEN];

	inaddr_format(&forward->host_addr, addr);
	switch ((enum ipc_forward_outcome)result->outcome) {
	case IPC_FORWARD_in_use_by_forward:
		snprintf(text, size, "%s: forward %u has %s port %u of %s", outcome,
		    result->conflict_id, api_protocol_str(forward->proto), result->port,
		    addr);
		break;
	case IPC_FORWARD_in_use:
		snprintf(text, size, "%s: %s port %u of %s", outcome,
		    api_protocol_str(forward->proto), result->port, addr);
		break;
	case IPC_FORWARD_not_permitted:
		snprintf(text, size,
		    "%s: %s port %u of %s; on the host the sysctl "
		    "net.ipv4.ip_unprivileged_port_start has to be at most %u%s",
		    outcome, api_protocol_str(forward->proto), result->port, addr,
		    result->port,
		    result->port < IPPORT_RESERVED
			? ", or slirpd needs " IPC_FORWARD_CAPABILITY
			: ", and no security module may refuse the port");
		break;
	case IPC_FORWARD_no_such_address:
		snprintf(text, size, "%s %s", outcome, addr);
		break;
	case IPC_FORWARD_ipv6_is_off:
		/* If there is an error, the kernel has no IPv6. */
		snprintf(text, size, "%s%s%s", outcome,
		    result->error ? " on the host: " : "; --enable-ipv6 does it",
		    result->error ? strerror((int)result->error) : "");
		break;
	case IPC_FORWARD_system_error:
		snprintf(text, size, "%s: %s port %u of %s: %s", outcome,
		    api_protocol_str(forward->proto), result->port, addr,
		    strerror((int)result->error));
		break;
	default:
		snprintf(text, size, "%s", outcome);
	}
}

/* The texts of slirp4netns: "bad arguments" if the request is wrong, whichever process
 * finds it. slirp4netns does not know IPv6, and refuses the first argument that needs
 * it. */
static const char *
desc_of_addition(enum ipc_forward_outcome outcome, const struct api_args *args)
{
	switch (outcome) {
	case IPC_FORWARD_bad_guest_address:
		return "add_hostfwd: bad arguments.guest_addr";
	case IPC_FORWARD_ipv6_is_off:
		if (api_protocols[args->proto].families == API_FAMILY_IPV6)
			return "add_hostfwd: bad arguments.proto";
		if (args->host_addr.addr.is_ipv6)
			return "add_hostfwd: bad arguments.host_addr";
		return "add_hostfwd: bad arguments.guest_addr";
	default:
		return "add_hostfwd: slirp_add_hostfwd failed";
	}
}

void
api_on_forward_added(struct api *api, const struct ipc_forward_added *msg)
{
	struct ipc_forward_entry entry = { .id = msg->result.id,
		.forward = msg->forward };
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_forward_added, msg->request);
	char detail[API_ERROR_DETAIL_SIZE];
	char text[API_FORWARD_SIZE];
	struct api_error error;
	struct api_out *out;

	if (!client)
		return;
	if (msg->result.outcome != IPC_FORWARD_done) {
		struct ipc_forward asked = api_forward_of(&client->request.args);

		explain(&msg->result, &asked, detail, sizeof(detail));
		api_audit(api, client, "add_hostfwd %s: refused: %s",
		    api_forward_str(&asked, text), detail);
		api_error_set(&error, class_of(msg->result.outcome),
		    desc_of_addition(msg->result.outcome, &client->request.args), "%s",
		    detail);
		api_client_refuse(api, client, &error);
		return;
	}
	api_audit(api, client, "add_hostfwd %s: forward %u",
	    api_forward_str(&msg->forward, text), entry.id);
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_number(out, "id", entry.id);
	api_out_close(out, '}');
	api_client_reply_end(api, client);
	learn_added(api, &entry);
	api_session_event(api, API_EVENT_HOSTFWD_ADDED,
	    &(const struct api_event_data){ .forward = &entry });
}

void
api_on_forward_removed(struct api *api, const struct ipc_forward_removed *msg)
{
	struct ipc_forward_entry entry = { .forward = msg->forward };
	struct api_client *client = api_peer_answered(api, &api->connector,
	    IPC_MSG_forward_removed, msg->request);
	char text[API_FORWARD_SIZE];
	struct api_error error;
	struct api_out *out;

	if (!client)
		return;
	entry.id = client->request.args.id;
	if (msg->outcome != IPC_FORWARD_done) {
		api_audit(api, client, "remove_hostfwd %u: refused: %s", entry.id,
		    outcome_str(msg->outcome));
		/* slirp4netns looks up the id before it calls libslirp. */
		api_error_set(&error, class_of(msg->outcome),
		    msg->outcome == IPC_FORWARD_no_such_forward
			? "remove_hostfwd: bad arguments.id"
			: "remove_hostfwd: slirp_remove_hostfwd failed",
		    "forward %u: %s", entry.id, outcome_str(msg->outcome));
		api_client_refuse(api, client, &error);
		return;
	}
	api_audit(api, client, "remove_hostfwd %u: removed %s", entry.id,
	    api_forward_str(&msg->forward, text));
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
	learn_removed(api, entry.id);
	api_session_event(api, API_EVENT_HOSTFWD_REMOVED,
	    &(const struct api_event_data){ .forward = &entry });
}

void
api_on_forwards_page(struct api *api, const struct ipc_forwards_page *msg)
{
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_forwards_page, msg->request);

	if (!client)
		return;
	learn_page(api, msg, client->call.cursor);
	client->call.cursor = forward_table_last_id(api->forwards);
	if (api->connector.channel.fd != -1 && api->knows_forwards)
		reply_list(api, client);
	else
		api_peer_call_again(api, &api->connector, client);
}
