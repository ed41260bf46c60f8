/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the payloads of messages about name servers and DNS. */
#include "ipc/validate.h"

#include "ipc/validate_fields.h"

static int
validate_server(const struct ipc_nameserver *server, const char **why)
{
	if (!ipc_is_inaddr(&server->addr))
		return ipc_refuse(why, "addr");
	if (server->scope_id != 0 && !inaddr_is_link_local6(&server->addr))
		return ipc_refuse(why, "scope_id");
	return ipc_check_zeros(server->reserved, sizeof(server->reserved), "reserved",
	    why);
}

int
ipc_validate_nameservers(const struct ipc_nameservers *msg, const char **why)
{
	if (msg->n > IPC_NAMESERVERS_MAX)
		return ipc_refuse(why, "n");
	for (size_t i = 0; i < msg->n; i++)
		if (validate_server(&msg->servers[i], why) == -1)
			return -1;
	if (ipc_check_unused(msg->servers, msg->n, IPC_NAMESERVERS_MAX,
		sizeof(msg->servers[0]), why) == -1)
		return -1;
	if (msg->timeout_s > IPC_NAMESERVER_TIMEOUT_MAX_S)
		return ipc_refuse(why, "timeout_s");
	if (msg->attempts > IPC_NAMESERVER_ATTEMPTS_MAX)
		return ipc_refuse(why, "attempts");
	return ipc_is_flag(msg->rotate) ? 0 : ipc_refuse(why, "flag neither 0 nor 1");
}

static int
validate_message(const uint8_t *bytes, size_t len, size_t size, const uint8_t reserved[6],
    const char **why)
{
	if (len < IPC_DNS_LEN_MIN || len > size)
		return ipc_refuse(why, "len");
	if (!ipc_is_zero(bytes + len, size - len))
		return ipc_refuse(why, "bytes after the last");
	return ipc_check_zeros(reserved, 6, "reserved", why);
}

int
ipc_validate_dns_query(const struct ipc_dns_query *msg, const char **why)
{
	return validate_message(msg->bytes, msg->len, sizeof(msg->bytes), msg->reserved,
	    why);
}

int
ipc_validate_dns_answer(const struct ipc_dns_answer *msg, const char **why)
{
	return validate_message(msg->bytes, msg->len, sizeof(msg->bytes), msg->reserved,
	    why);
}

int
ipc_validate_dns_open(const struct ipc_dns_open *msg, const char **why)
{
	if (validate_server(&msg->server, why) == -1)
		return -1;
	if (!ipc_is_flag(msg->is_tcp))
		return ipc_refuse(why, "flag neither 0 nor 1");
	return ipc_check_zeros(msg->reserved, sizeof(msg->reserved), "reserved", why);
}

int
ipc_validate_dns_opened(const struct ipc_dns_opened *msg, const char **why)
{
	/* Any number is legal: the resolver compares it with its questions. */
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_dns_refused(const struct ipc_dns_refused *msg, const char **why)
{
	if (!ipc_is_errno(msg->error))
		return ipc_refuse(why, "error");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_dns_pin(const struct ipc_dns_pin *msg, const char **why)
{
	if (msg->n_addrs == 0 || msg->n_addrs > IPC_DNS_ADDRS_MAX)
		return ipc_refuse(why, "n_addrs");
	if (msg->n_patterns > IPC_DNS_PATTERNS_MAX)
		return ipc_refuse(why, "n_patterns");
	if (!ipc_is_dnsname(msg->name))
		return ipc_refuse(why, "name");
	if (!ipc_is_zero(msg->reserved, sizeof(msg->reserved)))
		return ipc_refuse(why, "reserved");
	for (unsigned int i = 0; i < msg->n_addrs; i++) {
		if (!ipc_is_inaddr(&msg->addrs[i]))
			return ipc_refuse(why, "addrs");
	}
	if (ipc_check_unused(msg->addrs, msg->n_addrs, IPC_DNS_ADDRS_MAX,
		sizeof(msg->addrs[0]), why) == -1)
		return -1;
	return ipc_check_unused(msg->patterns, msg->n_patterns, IPC_DNS_PATTERNS_MAX,
	    sizeof(msg->patterns[0]), why);
}

int
ipc_validate_dns_refusal(const struct ipc_dns_refusal *msg, const char **why)
{
	return ipc_is_zero(msg->name, sizeof(msg->name)) || ipc_is_dnsname(msg->name)
	    ? 0
	    : ipc_refuse(why, "name");
}

int
ipc_validate_dns_pinned(const struct ipc_dns_pinned *msg, const char **why)
{
	if (msg->is_pinned > 1)
		return ipc_refuse(why, "is_pinned");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}
