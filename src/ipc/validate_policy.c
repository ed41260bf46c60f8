/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the rows of a policy. */
#include "ipc/validate_policy.h"

#include <string.h>

#include "base/dnsname.h"
#include "ipc/validate_fields.h"

int
ipc_check_policy_settings(const struct ipc_policy_settings *settings, const char **why)
{
	if (settings->default_action > IPC_POLICY_ACTION_allow)
		return ipc_refuse(why, "default_action is neither allow nor deny");
	if (settings->mode >= IPC_POLICY_N_MODES)
		return ipc_refuse(why, "mode is unknown");
	if (settings->refusal >= IPC_POLICY_N_REFUSALS)
		return ipc_refuse(why, "refusal is unknown");
	if (settings->established >= IPC_POLICY_N_ESTABLISHED)
		return ipc_refuse(why, "established is unknown");
	if (settings->dns >= IPC_POLICY_N_DNS)
		return ipc_refuse(why, "dns is unknown");
	if (settings->dns_refusal >= IPC_POLICY_N_DNS_REFUSALS)
		return ipc_refuse(why, "dns_refusal is unknown");
	if (!ipc_is_flag(settings->is_dns_exclusive) ||
	    (settings->is_dns_exclusive && settings->dns == IPC_POLICY_DNS_unset))
		return ipc_refuse(why, "is_dns_exclusive is not a flag, or without dns");
	if (settings->dns_types == 0 || settings->dns_types >> IPC_POLICY_N_DNS_TYPES)
		return ipc_refuse(why, "dns_types has an unknown type, or none");
	if (settings->reserved != 0 || settings->reserved_too != 0)
		return ipc_refuse(why, "reserved bytes are set");
	return 0;
}

static int
check_ports(const struct ipc_policy_rule *rule, const char **why)
{
	if (rule->n_ports > IPC_POLICY_PORTS_MAX)
		return ipc_refuse(why, "n_ports is too large");
	if (rule->n_ports > 0 && rule->proto != IPC_POLICY_PROTO_tcp &&
	    rule->proto != IPC_POLICY_PROTO_udp)
		return ipc_refuse(why, "ports of a protocol without ports");
	for (size_t i = 0; i < rule->n_ports; i++) {
		if (rule->ports[i].first == 0 ||
		    rule->ports[i].first > rule->ports[i].last)
			return ipc_refuse(why, "ports is not a range");
	}
	if (!ipc_is_zero(rule->ports + rule->n_ports,
		(IPC_POLICY_PORTS_MAX - rule->n_ports) * sizeof(rule->ports[0])))
		return ipc_refuse(why, "ports that are not in use are set");
	return 0;
}

int
ipc_check_policy_rule(const struct ipc_policy_rule *rule, const char **why)
{
	if (rule->classes >> IPC_POLICY_N_CLASSES)
		return ipc_refuse(why, "classes has an unknown class");
	if (rule->source >= IPC_POLICY_N_SOURCES)
		return ipc_refuse(why, "source is unknown");
	if (rule->action >= IPC_POLICY_N_ACTIONS)
		return ipc_refuse(why, "action is unknown");
	if (rule->proto >= IPC_POLICY_N_PROTOS)
		return ipc_refuse(why, "proto is unknown");
	if (rule->options & ~IPC_POLICY_OPTION_PRIVATE)
		return ipc_refuse(why, "options has an unknown option");
	if (!ipc_is_zero(rule->reserved, sizeof(rule->reserved)))
		return ipc_refuse(why, "reserved bytes are set");
	if (rule->line == 0)
		return ipc_refuse(why, "line is 0");
	if (!ipc_is_text(rule->label, sizeof(rule->label)) ||
	    strspn(rule->label, DNSNAME_BYTES ".") != strlen(rule->label))
		return ipc_refuse(why, "label is not a word");
	return check_ports(rule, why);
}

int
ipc_check_policy_prefix(const struct ipc_policy_prefix *prefix, const char **why)
{
	struct inaddr network = prefix->addr;

	if (!ipc_is_inaddr(&prefix->addr))
		return ipc_refuse(why, "addr is not an address");
	if (prefix->len > inaddr_n_bits(&prefix->addr))
		return ipc_refuse(why, "len is too large");
	inaddr_clear_after(&network, prefix->len);
	if (!inaddr_is_equal(&network, &prefix->addr))
		return ipc_refuse(why, "addr has bits behind the prefix");
	return 0;
}

int
ipc_check_policy_name(const struct ipc_policy_name *name, const char **why)
{
	if (!ipc_is_flag(name->is_wildcard))
		return ipc_refuse(why, "is_wildcard is not a flag");
	if (name->reserved != 0)
		return ipc_refuse(why, "reserved bytes are set");
	if (!ipc_is_text(name->text, sizeof(name->text)))
		return ipc_refuse(why, "text has no end");
	if (dnsname_check(name->text, strlen(name->text)) != DNSNAME_OK)
		return ipc_refuse(why, "text is not a canonical name");
	return 0;
}
