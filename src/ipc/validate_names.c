/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the payloads of messages about name servers. */
#include "ipc/validate.h"

#include "ipc/validate_fields.h"

static int
validate_server(const struct ipc_nameserver *server, const char **why)
{
	if (!ipc_is_inaddr(&server->addr))
		return ipc_refuse(why, "addr");
	if (server->scope_id != 0 && !inaddr_is_link_local6(&server->addr))
		return ipc_refuse(why, "scope_id");
	return ipc_is_zero(server->reserved, sizeof(server->reserved))
	    ? 0
	    : ipc_refuse(why, "reserved");
}

int
ipc_validate_nameservers(const struct ipc_nameservers *msg, const char **why)
{
	if (msg->n > IPC_NAMESERVERS_MAX)
		return ipc_refuse(why, "n");
	for (size_t i = 0; i < msg->n; i++)
		if (validate_server(&msg->servers[i], why) == -1)
			return -1;
	if (!ipc_is_zero(msg->servers + msg->n,
		(IPC_NAMESERVERS_MAX - (size_t)msg->n) * sizeof(msg->servers[0])))
		return ipc_refuse(why, "entries after the last");
	if (msg->timeout_s > IPC_NAMESERVER_TIMEOUT_MAX_S)
		return ipc_refuse(why, "timeout_s");
	if (msg->attempts > IPC_NAMESERVER_ATTEMPTS_MAX)
		return ipc_refuse(why, "attempts");
	return ipc_is_flag(msg->rotate) ? 0 : ipc_refuse(why, "flag neither 0 nor 1");
}
