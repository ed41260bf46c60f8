/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the payloads of messages about forwards and connections. */
#include "ipc/validate.h"

#include <netinet/in.h>
#include <stdbool.h>

#include "ipc/validate_fields.h"

static int
validate_forward(const struct ipc_forward *forward, const char **why)
{
	uint32_t n_more = (uint32_t)forward->host_port_last - forward->host_port_first;

	if (forward->proto != IPPROTO_TCP && forward->proto != IPPROTO_UDP)
		return ipc_refuse(why, "proto");
	if (!ipc_is_inaddr(&forward->host_addr))
		return ipc_refuse(why, "host_addr");
	if (!ipc_is_inaddr(&forward->guest_addr))
		return ipc_refuse(why, "guest_addr");
	if (forward->host_port_first == 0 ||
	    forward->host_port_last < forward->host_port_first)
		return ipc_refuse(why, "host_port");
	if (forward->guest_port_first == 0 ||
	    n_more + forward->guest_port_first > UINT16_MAX)
		return ipc_refuse(why, "guest_port");
	return ipc_check_zeros(forward->reserved, sizeof(forward->reserved), "reserved",
	    why);
}

/* Checks a forward if there is one, and for zeros otherwise. */
static int
validate_optional_forward(const struct ipc_forward *forward, bool is_there,
    const char **why)
{
	if (is_there)
		return validate_forward(forward, why);
	return ipc_is_zero(forward, sizeof(*forward)) ? 0 : ipc_refuse(why, "forward");
}

static int
validate_entry(const struct ipc_forward_entry *entry, const char **why)
{
	if (entry->id == 0)
		return ipc_refuse(why, "id");
	if (entry->reserved != 0)
		return ipc_refuse(why, "reserved");
	return validate_forward(&entry->forward, why);
}

static int
validate_result(const struct ipc_forward_result *result, const char **why)
{
	if (result->outcome >= IPC_FORWARD_N_OUTCOMES)
		return ipc_refuse(why, "outcome");
	if ((result->id != 0) != (result->outcome == IPC_FORWARD_done))
		return ipc_refuse(why, "id");
	return ipc_check_zeros(result->reserved, sizeof(result->reserved), "reserved",
	    why);
}

int
ipc_validate_publish(const struct ipc_publish *msg, const char **why)
{
	return validate_forward(&msg->forward, why);
}

int
ipc_validate_published(const struct ipc_published *msg, const char **why)
{
	return validate_result(&msg->result, why);
}

static int
validate_port(const struct ipc_table_port *port, const char **why)
{
	if (port->forward == 0)
		return ipc_refuse(why, "forward");
	if (port->listener >= IPC_LISTENERS_MAX)
		return ipc_refuse(why, "listener");
	if (port->host_port == 0)
		return ipc_refuse(why, "host_port");
	return ipc_check_zeros(port->reserved, sizeof(port->reserved), "reserved", why);
}

int
ipc_validate_table_port(const struct ipc_table_port *msg, const char **why)
{
	return validate_port(msg, why);
}

int
ipc_validate_kept_forward(const struct ipc_kept_forward *msg, const char **why)
{
	return validate_entry(&msg->entry, why);
}

int
ipc_validate_kept_port(const struct ipc_kept_port *msg, const char **why)
{
	return validate_port(&msg->port, why);
}

int
ipc_validate_kept_end(const struct ipc_kept_end *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_table_added(const struct ipc_table_added *msg, const char **why)
{
	return validate_entry(&msg->entry, why);
}

int
ipc_validate_table_removed(const struct ipc_table_removed *msg, const char **why)
{
	if (msg->id == 0)
		return ipc_refuse(why, "id");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_listener(const struct ipc_listener *msg, const char **why)
{
	if (msg->id >= IPC_LISTENERS_MAX)
		return ipc_refuse(why, "id");
	if (msg->forward == 0)
		return ipc_refuse(why, "forward");
	if (msg->proto != IPPROTO_TCP && msg->proto != IPPROTO_UDP)
		return ipc_refuse(why, "proto");
	if (!ipc_is_inaddr(&msg->host_addr))
		return ipc_refuse(why, "host_addr");
	if (!ipc_is_inaddr(&msg->guest_addr) || inaddr_is_unspecified(&msg->guest_addr))
		return ipc_refuse(why, "guest_addr");
	if (msg->host_port == 0)
		return ipc_refuse(why, "host_port");
	if (msg->guest_port == 0)
		return ipc_refuse(why, "guest_port");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

/* The messages that name a listener alone. */
static int
validate_listener_id(uint32_t id, uint32_t reserved, const char **why)
{
	if (id >= IPC_LISTENERS_MAX)
		return ipc_refuse(why, "id");
	return reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_listener_gone(const struct ipc_listener_gone *msg, const char **why)
{
	return validate_listener_id(msg->id, msg->reserved, why);
}

int
ipc_validate_listener_closed(const struct ipc_listener_closed *msg, const char **why)
{
	return validate_listener_id(msg->id, msg->reserved, why);
}

int
ipc_validate_listener_wanted(const struct ipc_listener_wanted *msg, const char **why)
{
	return validate_listener_id(msg->id, msg->reserved, why);
}

int
ipc_validate_add_forward(const struct ipc_add_forward *msg, const char **why)
{
	return validate_forward(&msg->forward, why);
}

int
ipc_validate_forward_added(const struct ipc_forward_added *msg, const char **why)
{
	if (validate_result(&msg->result, why) == -1)
		return -1;
	return validate_optional_forward(&msg->forward, msg->result.id != 0, why);
}

int
ipc_validate_remove_forward(const struct ipc_remove_forward *msg, const char **why)
{
	/* Any id is legal: an unknown id gets an answer. */
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_forward_removed(const struct ipc_forward_removed *msg, const char **why)
{
	if (msg->outcome >= IPC_FORWARD_N_OUTCOMES)
		return ipc_refuse(why, "outcome");
	return validate_optional_forward(&msg->forward, msg->outcome == IPC_FORWARD_done,
	    why);
}

int
ipc_validate_list_forwards(const struct ipc_list_forwards *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_forwards_page(const struct ipc_forwards_page *msg, const char **why)
{
	if (msg->n > IPC_PAGE_ENTRIES)
		return ipc_refuse(why, "n");
	/* Every page but the last has entries. */
	if (msg->has_more > 1 || (msg->has_more && msg->n == 0))
		return ipc_refuse(why, "has_more");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (validate_entry(&msg->entries[i], why) == -1)
			return -1;
		if (i > 0 && msg->entries[i].id <= msg->entries[i - 1].id)
			return ipc_refuse(why, "order of ids");
	}
	return ipc_check_unused(msg->entries, msg->n, IPC_PAGE_ENTRIES,
	    sizeof(msg->entries[0]), why);
}

int
ipc_validate_list_connections(const struct ipc_list_connections *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

static int
validate_connection(const struct ipc_connection *connection, const char **why)
{
	if (connection->proto != IPPROTO_TCP && connection->proto != IPPROTO_UDP &&
	    connection->proto != IPPROTO_ICMP)
		return ipc_refuse(why, "proto");
	if (!ipc_is_flag(connection->is_forward))
		return ipc_refuse(why, "flag neither 0 nor 1");
	if (!ipc_is_inaddr(&connection->source_addr))
		return ipc_refuse(why, "source_addr");
	if (!ipc_is_inaddr(&connection->dest_addr))
		return ipc_refuse(why, "dest_addr");
	if (connection->state >= IPC_TCP_N_STATES ||
	    (connection->state != IPC_TCP_NONE) != (connection->proto == IPPROTO_TCP))
		return ipc_refuse(why, "state");
	return ipc_check_zeros(connection->reserved, sizeof(connection->reserved),
	    "reserved", why);
}

int
ipc_validate_connections_page(const struct ipc_connections_page *msg, const char **why)
{
	if (msg->n > IPC_CONNECTIONS_PAGE_ENTRIES)
		return ipc_refuse(why, "n");
	/* Every page but the last has entries. */
	if (msg->next != 0 && msg->n == 0)
		return ipc_refuse(why, "next");
	for (uint32_t i = 0; i < msg->n; i++)
		if (validate_connection(&msg->entries[i], why) == -1)
			return -1;
	return ipc_check_unused(msg->entries, msg->n, IPC_CONNECTIONS_PAGE_ENTRIES,
	    sizeof(msg->entries[0]), why);
}
