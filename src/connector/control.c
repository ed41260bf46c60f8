/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles the messages of the parent: orders for the jail, rules, the end. */
#include "connector/control.h"

#include "base/log.h"
#include "connector/lend.h"
#include "connector/policy.h"
#include "connector/requests.h"
#include "ipc/dispatch.h"
#include "process/child.h"
#include "process/peer.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(connector, connector, msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_JAILED(DECLARE)
IPC_ROWS_PARENT_TO_SERVER_USERS(DECLARE)
IPC_ROWS_PARENT_TO_CONNECTOR(DECLARE)
IPC_ROWS_POLICY(DECLARE)

void
connector_on_confine(struct connector *connector, const struct ipc_confine *msg)
{
	connector->jail.orders = *msg;
}

void
connector_on_fallback_userns(struct connector *connector, int adopt_fd)
{
	connector->jail.fallback_userns_fd = adopt_fd;
}

void
connector_on_ping(struct connector *connector)
{
	/* If the parent's queue is full, the parent has not heard of others either, and asks
	 * again. */
	(void)ipc_send_pong(&connector->to_parent);
}

/* Makes room for the sockets of forwards: as many as the worker can have. */
static void
make_forwards(struct connector *connector)
{
	const struct ipc_network *network = &connector->rules.network;
	size_t n_files = budget_raise_files();
	struct budget budget;

	budget_init(&budget, n_files, budget_read_ephemeral());
	if (n_files == 0 ||
	    listeners_init(&connector->listeners, !network->allow_host_loopback) == -1 ||
	    forwards_init(&connector->forwards, &connector->listeners, network,
		&budget) == -1)
		fatal("get memory and descriptors");
}

void
connector_on_connector_start(struct connector *connector,
    const struct ipc_connector_start *msg)
{
	connector->rules = (struct connector_rules){
		.network = msg->network,
		.outbound = msg->outbound,
		.nameservers = msg->nameservers,
	};
	make_forwards(connector);
	connector_policy_init(connector, msg);
	if (flows_init(&connector->flows) == -1)
		fatal("get memory for flows");
	jail_enter(&connector->jail);
	/* The namespaces have changed, and the kernel has cleared the setting. */
	child_die_with_parent(&connector->to_parent);
	jail_lock(&connector->jail);
	child_check_sent(ipc_send_confined(&connector->to_parent,
			     &connector->jail.reached),
	    "report the jail to the parent");
	child_check_sent(ipc_send_connector_ready(&connector->to_parent),
	    "report that the connector is ready");
	ipc_channel_set_running(&connector->to_parent);
	connector->is_ready = true;
}

void
connector_on_outbound(struct connector *connector, const struct ipc_outbound *msg)
{
	connector->rules.outbound = *msg;
}

void
connector_on_nameservers(struct connector *connector, const struct ipc_nameservers *msg)
{
	connector->rules.nameservers = *msg;
}

void
connector_on_guest_addr6(struct connector *connector, const struct ipc_guest_addr6 *msg)
{
	connector->forwards.guest6 = msg->addr;
}

void
connector_on_publish(struct connector *connector, const struct ipc_publish *msg)
{
	changes_publish(connector, &msg->forward);
}

void
connector_on_table_dropped(struct connector *connector)
{
	changes_go_on(connector);
}

static void
check_kept(int result, const char *row)
{
	if (result == -1)
		fatalx("message from the parent: %s: contradicts another", row);
}

void
connector_on_kept_forward(struct connector *connector, const struct ipc_kept_forward *msg)
{
	check_kept(forwards_adopt(&connector->forwards, &msg->entry), "kept_forward");
}

void
connector_on_kept_port(struct connector *connector, const struct ipc_kept_port *msg,
    int adopt_fd)
{
	check_kept(forwards_adopt_port(&connector->forwards, &msg->port, adopt_fd),
	    "kept_port");
}

void
connector_on_kept_end(struct connector *connector, const struct ipc_kept_end *msg)
{
	forwards_end_adoption(&connector->forwards, msg->last_id);
}

void
connector_on_peer(struct connector *connector, const struct ipc_peer *msg, int adopt_fd)
{
	switch (msg->role) {
	case IPC_ROLE_SLIRP_WORKER:
		connector_requests_begin(connector, adopt_fd, msg);
		break;
	case IPC_ROLE_API:
		chan_api_open(&connector->api, adopt_fd, msg->number);
		break;
	case IPC_ROLE_RESOLVER:
		connector_lend_begin(connector, adopt_fd, msg);
		break;
	default:
		fatalx("message from the parent: peer: role");
	}
}

/* The parent sends a channel again later. */
static void
miss_peer(void *ctx, const struct ipc_message *msg, const char *why)
{
	struct connector *connector = ctx;

	if (msg->id == IPC_MSG_kept_port)
		fatalx("message from the parent: kept_port: %s", why);
	peer_report_missed(&connector->to_parent, &msg->payload.peer);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct connector *connector = ctx;

	switch (msg->id) {
		IPC_ROWS_PARENT_TO_CHILD(CALL)
		IPC_ROWS_PARENT_TO_JAILED(CALL)
		IPC_ROWS_PARENT_TO_SERVER_USERS(CALL)
		IPC_ROWS_PARENT_TO_CONNECTOR(CALL)
		IPC_ROWS_POLICY(CALL)
	default:
		break;
	}
	return true;
}

bool
connector_control_begin(struct connector *connector)
{
	struct ipc_message msg;

	while (!connector->is_ready) {
		if (!child_wait(&connector->to_parent, &msg))
			return false;
		take(connector, &msg);
	}
	return true;
}

void
connector_control_receive(struct connector *connector)
{
	static const struct serve from_parent = { .take = take, .miss = miss_peer };

	if (!child_receive(&connector->to_parent, &from_parent, connector))
		connector->ended = true;
}
