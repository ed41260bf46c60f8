/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers the commands that only ask: query_status, query_stats, query_connections and
 * others. */
#include "api/queries.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/handlers.h"
#include "api/parent.h"
#include "api/request/forward.h"
#include "api/request/types.h"
#include "base/inaddr.h"
#include "ipc/describe.h"

static int
send_get_status(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_get_status msg = { .request = client->call.number };

	return ipc_send_get_status(channel, &msg);
}

static int
send_query_worker(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_query_worker msg = { .request = client->call.number };

	return ipc_send_query_worker(channel, &msg);
}

static int
send_list_connections(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_list_connections msg = {
		.request = client->call.number,
		.from = client->call.cursor,
	};

	return ipc_send_list_connections(channel, &msg);
}

void
api_start_query_commands(struct api *api, struct api_client *client)
{
	api_verb_describe_all(api_client_reply_begin(client));
	api_client_reply_end(api, client);
}

void
api_start_get_status(struct api *api, struct api_client *client)
{
	api_parent_call(api, client, send_get_status, IPC_MSG_status);
}

void
api_start_query_connections(struct api *api, struct api_client *client)
{
	api_peer_call(api, &api->worker, client, send_list_connections,
	    IPC_MSG_connections_page);
}

void
api_reply_version(struct api *api, struct api_client *client,
    const struct ipc_status *status)
{
	struct api_out *out = api_client_reply_begin(client);

	api_out_open(out, NULL, '{');
	api_out_string(out, "slirpd", SLIRPD_VERSION);
	api_out_string(out, "libslirp", status->about.libslirp_version);
	api_out_number(out, "slirp_config_version_max", status->about.config_version_max);
	api_out_number(out, "api", API_NUMBER);
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

static void
write_addr(struct api_out *out, const char *key, const struct inaddr *addr)
{
	char text[INET6_ADDRSTRLEN];

	api_out_string(out, key, inaddr_format(addr, text));
}

static void
write_addr4(struct api_out *out, const char *key, uint32_t addr_be)
{
	const struct inaddr addr = inaddr_from4(addr_be);

	write_addr(out, key, &addr);
}

static void
write_addr6(struct api_out *out, const char *key, const struct in6_addr *addr6)
{
	const struct inaddr addr = inaddr_from6(addr6);

	write_addr(out, key, &addr);
}

static void
write_network(struct api_out *out, const struct ipc_network *network)
{
	api_out_open(out, "network", '{');
	write_addr4(out, "network_addr", network->network_be);
	api_out_number(out, "prefix_len", network->prefix_len);
	write_addr4(out, "host_addr", network->host_be);
	write_addr4(out, "nameserver_addr", network->nameserver_be);
	write_addr4(out, "dhcp_start_addr", network->dhcp_start_be);
	write_addr4(out, "guest_addr", network->guest_be);
	api_out_bool(out, "ipv6_enabled", network->enable_ipv6);
	if (network->enable_ipv6) {
		write_addr6(out, "network_addr6", &network->prefix6);
		write_addr6(out, "host_addr6", &network->host6);
		write_addr6(out, "nameserver_addr6", &network->nameserver6);
	}
	api_out_number(out, "mtu_bytes", network->mtu_bytes);
	api_out_bool(out, "dns_enabled", network->enable_dns);
	api_out_bool(out, "host_loopback_allowed", network->allow_host_loopback);
	api_out_close(out, '}');
}

static void
write_capabilities(struct api_out *out, const char *key, uint64_t set)
{
	/* In the form of /proc/PID/status. Not every reader keeps 64 bits of a JSON
	 * number. */
	char text[sizeof("0000000000000000")];

	snprintf(text, sizeof(text), "%016" PRIx64, set);
	api_out_string(out, key, text);
}

/* The stages of the role's jail that a process has not reached. None for a process that was
 * not started, whose report is zeros. */
static void
write_missing(struct api_out *out, uint32_t stages, const struct ipc_confined *confined)
{
	static const struct ipc_confined not_started;
	uint32_t missing = stages & ~confined->stages;

	if (memcmp(confined, &not_started, sizeof(not_started)) == 0)
		missing = 0;
	api_out_open(out, "missing", '[');
	for (size_t i = 0; i < IPC_STAGE_N; i++)
		if (missing & (1U << i))
			api_out_string(out, NULL, ipc_stage_names[i]);
	api_out_close(out, ']');
}

static void
write_confined(struct api_out *out, const char *role, uint32_t stages,
    const struct ipc_confined *confined, const struct ipc_confined *parent)
{
	api_out_open(out, role, '{');
	for (size_t i = 0; i < IPC_STAGE_N; i++)
		api_out_bool(out, ipc_stage_names[i], confined->stages & (1U << i));
	write_missing(out, stages, confined);
	write_capabilities(out, "cap_effective", confined->cap_effective);
	write_capabilities(out, "cap_bounding", confined->cap_bounding);
	api_out_number(out, "landlock_abi", confined->landlock_abi);
	api_out_number(out, "n_calls", confined->n_calls);
	api_out_bool(out, "own_userns",
	    confined->namespaces.user != 0 &&
		confined->namespaces.user != parent->namespaces.user);
	api_out_close(out, '}');
}

/* "netns-helper" with its NUL, and a reserve. */
#define ROLE_NAME_SIZE 32

/* Members of replies have underscores: slirp_worker. */
static const char *
role_member(size_t role, char name[ROLE_NAME_SIZE])
{
	snprintf(name, ROLE_NAME_SIZE, "%s", ipc_role_names[role]);
	for (char *dash = name; (dash = strchr(dash, '-'));)
		*dash = '_';
	return name;
}

static void
write_confinement(struct api_out *out, const struct ipc_status *status)
{
	static const uint32_t stages_of[IPC_ROLE_END] = {
#define ROLE(constant, name, program, n_fds, stages) [IPC_ROLE_##constant] = (stages),
		IPC_ROLES(ROLE)
#undef ROLE
	};

	api_out_open(out, "confinement", '{');
	for (size_t i = IPC_ROLE_PARENT; i < IPC_ROLE_END; i++) {
		char name[ROLE_NAME_SIZE];

		write_confined(out, role_member(i, name), stages_of[i],
		    &status->confined[i], &status->confined[IPC_ROLE_PARENT]);
	}
	api_out_close(out, '}');
}

void
api_reply_status(struct api *api, struct api_client *client,
    const struct ipc_status *status)
{
	struct api_out *out = api_client_reply_begin(client);
	char name[ROLE_NAME_SIZE];

	api_out_open(out, NULL, '{');
	api_out_number(out, "uptime_ms", status->uptime_ms);
	api_out_string(out, "libslirp", status->about.libslirp_version);
	/* Empty if the TAP is inherited: its name is known in its own namespace only. */
	api_out_string(out, "tap_name", status->tap_name);
	api_out_open(out, "pids", '{');
	api_out_number(out, "parent", status->pids[IPC_ROLE_PARENT]);
	api_out_number(out, "slirp_worker", status->pids[IPC_ROLE_SLIRP_WORKER]);
	api_out_number(out, "connector", status->pids[IPC_ROLE_CONNECTOR]);
	/* There is none with --disable-dns. */
	if (status->pids[IPC_ROLE_RESOLVER] != 0)
		api_out_number(out, "resolver", status->pids[IPC_ROLE_RESOLVER]);
	api_out_number(out, "api", api->own_pid);
	api_out_close(out, '}');
	api_out_open(out, "restarts", '{');
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		if (IPC_SERVICES & (1U << i))
			api_out_number(out, role_member(i, name), status->n_restarts[i]);
	api_out_close(out, '}');
	write_network(out, &status->network);
	write_confinement(out, status);
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

/* The parent counts the restarts of the api, and the forwards; the worker knows the rest. */
void
api_ask_worker(struct api *api, struct api_client *client,
    const struct ipc_status *status)
{
	client->call.n_restarts = status->n_restarts[IPC_ROLE_API];
	client->call.n_forwards = status->n_forwards;
	api_peer_call(api, &api->worker, client, send_query_worker, IPC_MSG_worker_state);
}

void
api_on_status(struct api *api, const struct ipc_status *msg)
{
	struct api_client *client =
	    api_parent_answered(api, IPC_MSG_status, msg->request);

	client->request.verb->on_status(api, client, msg);
}

static void
write_counters(struct api_out *out, const struct ipc_stats *stats)
{
	api_out_open(out, "counters", '{');
#define WRITE(name, meaning) \
	api_out_number(out, #name, stats->counters[IPC_COUNTER_##name]);
	IPC_COUNTERS(WRITE)
#undef WRITE
	api_out_close(out, '}');
	api_out_open(out, "drops", '{');
#define WRITE(name, meaning) api_out_number(out, #name, stats->drops[IPC_DROP_##name]);
	IPC_DROP_REASONS(WRITE)
#undef WRITE
	api_out_close(out, '}');
	api_out_open(out, "tcp", '{');
#define WRITE(name, meaning) \
	api_out_number(out, #name, stats->tcp[IPC_TCP_COUNTER_##name]);
	IPC_TCP_COUNTERS(WRITE)
#undef WRITE
	api_out_close(out, '}');
	api_out_open(out, "tcp_ends", '{');
#define WRITE(name, meaning) \
	api_out_number(out, #name, stats->tcp_ends[IPC_TCP_END_##name]);
	IPC_TCP_ENDS(WRITE)
#undef WRITE
	api_out_close(out, '}');
}

static void
write_tcp_flows(struct api_out *out, const struct ipc_worker_state *state)
{
	api_out_open(out, "tcp_flows", '{');
	api_out_number(out, "all", state->n_tcp_flows);
	api_out_number(out, "half_open", state->n_tcp_half_open);
	api_out_number(out, "time_wait", state->n_tcp_time_wait);
	api_out_number(out, "buffer_bytes", state->tcp_buffer_bytes);
	api_out_close(out, '}');
}

void
api_on_worker_state(struct api *api, const struct ipc_worker_state *msg)
{
	const struct api_counters *counters = &api->counters;
	struct api_client *client =
	    api_peer_answered(api, &api->worker, IPC_MSG_worker_state, msg->request);
	struct api_out *out;

	if (!client)
		return;
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	write_counters(out, &msg->stats);
	write_tcp_flows(out, msg);
	api_out_open(out, "sockets", '{');
	api_out_number(out, "tcp", msg->n_tcp_sockets);
	api_out_number(out, "udp", msg->n_udp_sockets);
	api_out_number(out, "icmp", msg->n_icmp_sockets);
	api_out_close(out, '}');
	api_out_number(out, "hostfwds", client->call.n_forwards);
	api_out_open(out, "api", '{');
	api_out_number(out, "clients", api->n_clients);
	api_out_number(out, "sessions", api->n_sessions);
	api_out_number(out, "connections", counters->n_connections);
	api_out_number(out, "requests", counters->n_requests);
	api_out_number(out, "errors", counters->n_errors);
	api_out_number(out, "gave_way", counters->n_gave_way);
	api_out_number(out, "slow", counters->n_slow);
	api_out_number(out, "restarts", client->call.n_restarts);
	api_out_close(out, '}');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

static void
write_bytes(struct api_out *out, const char *key, uint64_t n)
{
	if (n != IPC_BYTES_UNKNOWN)
		api_out_number(out, key, n);
}

static void
write_connection(struct api_out *out, const struct ipc_connection *connection)
{
	static const char *const states[IPC_TCP_N_STATES] = {
#define NAME(name) #name,
		IPC_TCP_STATES(NAME)
#undef NAME
	};

	api_out_open(out, NULL, '{');
	api_out_string(out, "proto", api_protocol_str(connection->proto));
	if (connection->state != IPC_TCP_NONE)
		api_out_string(out, "state", states[connection->state]);
	api_out_bool(out, "hostfwd", connection->is_forward);
	write_addr(out, "source_addr", &connection->source_addr);
	api_out_number(out, "source_port", connection->source_port);
	write_addr(out, "dest_addr", &connection->dest_addr);
	api_out_number(out, "dest_port", connection->dest_port);
	api_out_number(out, "recv_queue_bytes", connection->recv_queue_bytes);
	api_out_number(out, "send_queue_bytes", connection->send_queue_bytes);
	write_bytes(out, "bytes_in", connection->bytes_in);
	write_bytes(out, "bytes_out", connection->bytes_out);
	write_bytes(out, "retransmitted_bytes", connection->retransmitted_bytes);
	if (connection->round_trip_us != 0)
		api_out_number(out, "round_trip_us", connection->round_trip_us);
	if (connection->age_ms != IPC_AGE_UNKNOWN)
		api_out_number(out, "age_ms", connection->age_ms);
	api_out_close(out, '}');
}

void
api_on_connections_page(struct api *api, const struct ipc_connections_page *msg)
{
	struct api_client *client =
	    api_peer_answered(api, &api->worker, IPC_MSG_connections_page, msg->request);
	struct api_out *list, *out;

	if (!client)
		return;
	list = &client->call.list;
	for (uint32_t i = 0; i < msg->n; i++)
		write_connection(list, &msg->entries[i]);
	if (msg->next != 0) {
		api_peer_call_for_page(api, &api->worker, client, msg->next);
		return;
	}
	api_pending_end(&api->worker.lane, client);
	out = api_client_reply_begin(client);
	out->failed |= list->failed;
	api_out_open(out, NULL, '{');
	api_out_open(out, "connections", '[');
	api_out_raw(out, list->bytes, list->len);
	api_out_close(out, ']');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}
