#include "api/forwards.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "api/rule.h"
#include "api/session.h"
#include "api/worker.h"
#include "ipc/validate.h"

static struct ipc_add_hostfwd
add_message(const struct api_client *client)
{
	return (struct ipc_add_hostfwd){
		.request = client->call.number,
		.rule = api_rule_of(&client->request.args),
	};
}

static int
send_add_hostfwd(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_add_hostfwd msg = add_message(client);

	return ipc_send_add_hostfwd(channel, &msg);
}

static int
send_remove_hostfwd(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_remove_hostfwd msg = {
		.request = client->call.number,
		.id = client->request.args.id,
	};

	return ipc_send_remove_hostfwd(channel, &msg);
}

static int
send_list_hostfwd(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_list_hostfwd msg = {
		.request = client->call.number,
		.after_id = client->call.cursor,
	};

	return ipc_send_list_hostfwd(channel, &msg);
}

void
api_start_add_hostfwd(struct api *api, struct api_client *client)
{
	struct ipc_add_hostfwd msg = add_message(client);
	char desc[API_ERROR_DESC_SIZE];
	struct api_error error;
	const char *why;

	/* The worker's own check: what it would take for a broken protocol is a client's
	 * error here. */
	if (ipc_validate_add_hostfwd(&msg, &why) == -1) {
		snprintf(desc, sizeof(desc), "add_hostfwd: bad arguments.%s", why);
		api_error_set(&error, API_ERROR_BadArgument, desc, "%s: out of range",
		    why);
		api_client_refuse(api, client, &error);
		return;
	}
	api_worker_call(api, client, send_add_hostfwd, IPC_MSG_hostfwd_added);
}

void
api_start_remove_hostfwd(struct api *api, struct api_client *client)
{
	api_worker_call(api, client, send_remove_hostfwd, IPC_MSG_hostfwd_removed);
}

void
api_start_list_hostfwd(struct api *api, struct api_client *client)
{
	api_worker_call(api, client, send_list_hostfwd, IPC_MSG_hostfwd_page);
}

static enum api_error_class
class_of(enum ipc_hostfwd_outcome outcome)
{
	switch (outcome) {
	case IPC_HOSTFWD_no_such_rule:
		return API_ERROR_NotFound;
	case IPC_HOSTFWD_table_full:
		return API_ERROR_TableFull;
	case IPC_HOSTFWD_in_use_by_rule:
	case IPC_HOSTFWD_in_use:
		return API_ERROR_AddressInUse;
	case IPC_HOSTFWD_not_permitted:
		return API_ERROR_PermissionDenied;
	case IPC_HOSTFWD_no_such_address:
		return API_ERROR_AddressNotAvailable;
	case IPC_HOSTFWD_ipv6_is_off:
	case IPC_HOSTFWD_families_differ:
		return API_ERROR_NotSupported;
	case IPC_HOSTFWD_bad_guest_address:
		return API_ERROR_BadArgument;
	case IPC_HOSTFWD_done:
	case IPC_HOSTFWD_system_error:
	case IPC_HOSTFWD_N_OUTCOMES:
		break;
	}
	return API_ERROR_Internal;
}

static const char *
outcome_str(enum ipc_hostfwd_outcome outcome)
{
	switch (outcome) {
#define MEANING(name, meaning) \
	case IPC_HOSTFWD_##name: \
		return meaning;
		IPC_HOSTFWD_OUTCOMES(MEANING)
#undef MEANING
	case IPC_HOSTFWD_N_OUTCOMES:
		break;
	}
	return "unknown outcome";
}

/* What the words of the outcome don't say: which port, who has it, what would help. */
static void
explain(const struct ipc_hostfwd_result *result, const struct ipc_hostfwd *rule,
    char *text, size_t size)
{
	const char *outcome = outcome_str(result->outcome);
	char addr[INET6_ADDRSTRLEN];

	api_address_str(rule->host_addr, rule->host_is_ipv6, addr);
	switch ((enum ipc_hostfwd_outcome)result->outcome) {
	case IPC_HOSTFWD_in_use_by_rule:
		snprintf(text, size, "%s: rule %u has %s port %u of %s", outcome,
		    result->conflict_id, api_protocol_str(rule->proto), result->port,
		    addr);
		break;
	case IPC_HOSTFWD_in_use:
		snprintf(text, size, "%s: %s port %u of %s", outcome,
		    api_protocol_str(rule->proto), result->port, addr);
		break;
	case IPC_HOSTFWD_not_permitted:
		snprintf(text, size,
		    "%s: %s port %u of %s; CAP_NET_BIND_SERVICE would give it, or "
		    "net.ipv4.ip_unprivileged_port_start of at most %u",
		    outcome, api_protocol_str(rule->proto), result->port, addr,
		    result->port);
		break;
	case IPC_HOSTFWD_no_such_address:
		snprintf(text, size, "%s %s", outcome, addr);
		break;
	case IPC_HOSTFWD_ipv6_is_off:
		snprintf(text, size, "%s; --enable-ipv6 does it", outcome);
		break;
	case IPC_HOSTFWD_system_error:
		snprintf(text, size, "%s: %s port %u of %s: %s", outcome,
		    api_protocol_str(rule->proto), result->port, addr,
		    strerror((int)result->error));
		break;
	default:
		snprintf(text, size, "%s", outcome);
	}
}

void
api_on_hostfwd_added(struct api *api, const struct ipc_hostfwd_added *msg)
{
	struct ipc_hostfwd_entry entry = { .id = msg->result.id, .rule = msg->rule };
	struct api_client *client =
	    api_worker_answered(api, IPC_MSG_hostfwd_added, msg->request);
	char detail[API_ERROR_DETAIL_SIZE];
	char text[API_RULE_SIZE];
	struct api_error error;
	struct api_out *out;

	if (!client)
		return;
	if (msg->result.outcome != IPC_HOSTFWD_done) {
		struct ipc_hostfwd asked = api_rule_of(&client->request.args);

		explain(&msg->result, &asked, detail, sizeof(detail));
		api_audit(api, client, "add_hostfwd %s: refused: %s",
		    api_rule_str(&asked, text), detail);
		api_error_set(&error, class_of(msg->result.outcome),
		    "add_hostfwd: slirp_add_hostfwd failed", "%s", detail);
		api_client_refuse(api, client, &error);
		return;
	}
	api_audit(api, client, "add_hostfwd %s: rule %u", api_rule_str(&msg->rule, text),
	    entry.id);
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_number(out, "id", entry.id);
	api_out_close(out, '}');
	api_client_reply_end(api, client);
	api_session_event(api, API_EVENT_HOSTFWD_ADDED, &entry);
}

void
api_on_hostfwd_removed(struct api *api, const struct ipc_hostfwd_removed *msg)
{
	struct ipc_hostfwd_entry entry = { .rule = msg->rule };
	struct api_client *client =
	    api_worker_answered(api, IPC_MSG_hostfwd_removed, msg->request);
	char text[API_RULE_SIZE];
	struct api_error error;
	struct api_out *out;

	if (!client)
		return;
	entry.id = client->request.args.id;
	if (msg->outcome != IPC_HOSTFWD_done) {
		api_audit(api, client, "remove_hostfwd %u: refused: %s", entry.id,
		    outcome_str(msg->outcome));
		api_error_set(&error, class_of(msg->outcome),
		    "remove_hostfwd: slirp_remove_hostfwd failed", "rule %u: %s",
		    entry.id, outcome_str(msg->outcome));
		api_client_refuse(api, client, &error);
		return;
	}
	api_audit(api, client, "remove_hostfwd %u: removed %s", entry.id,
	    api_rule_str(&msg->rule, text));
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
	api_session_event(api, API_EVENT_HOSTFWD_REMOVED, &entry);
}

static void
write_entries(struct api_out *out, const struct api_out *list)
{
	api_out_open(out, "entries", '[');
	api_out_raw(out, list->bytes, list->len);
	api_out_close(out, ']');
}

void
api_on_hostfwd_page(struct api *api, const struct ipc_hostfwd_page *msg)
{
	struct api_client *client =
	    api_worker_answered(api, IPC_MSG_hostfwd_page, msg->request);
	struct api_out *list, *out;

	if (!client)
		return;
	list = &client->call.list;
	for (uint32_t i = 0; i < msg->n; i++)
		api_rule_write(list, NULL, &msg->entries[i]);
	if (msg->has_more) {
		client->call.cursor = msg->entries[msg->n - 1].id;
		api_worker_call_again(api, client);
		return;
	}
	out = api_client_reply_begin(client);
	out->failed |= list->failed;
	api_out_open(out, NULL, '{');
	write_entries(out, list);
	api_out_close(out, '}');
	/* slirp4netns's manual has the entries in "return", its program beside it. */
	if (!client->is_session)
		write_entries(out, list);
	api_client_reply_end(api, client);
}
