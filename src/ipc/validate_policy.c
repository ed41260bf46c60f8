/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the rows of a policy. */
#include "ipc/validate_policy.h"

#include <string.h>

#include "base/dnsname.h"
#include "ipc/validate.h"
#include "ipc/validate_fields.h"

int
ipc_check_policy_settings(const struct ipc_policy_settings *settings, const char **why)
{
	if (settings->default_action > IPC_POLICY_ACTION_allow)
		return ipc_refuse(why, "default_action");
	if (settings->mode >= IPC_POLICY_N_MODES)
		return ipc_refuse(why, "mode");
	if (settings->refusal >= IPC_POLICY_N_REFUSALS)
		return ipc_refuse(why, "refusal");
	if (settings->established >= IPC_POLICY_N_ESTABLISHED)
		return ipc_refuse(why, "established");
	if (settings->dns >= IPC_POLICY_N_DNS)
		return ipc_refuse(why, "dns");
	if (settings->dns_refusal >= IPC_POLICY_N_DNS_REFUSALS)
		return ipc_refuse(why, "dns_refusal");
	if (!ipc_is_flag(settings->is_dns_exclusive) ||
	    (settings->is_dns_exclusive && settings->dns == IPC_POLICY_DNS_unset))
		return ipc_refuse(why, "is_dns_exclusive");
	if (settings->dns_types == 0 || settings->dns_types >> IPC_POLICY_N_DNS_TYPES)
		return ipc_refuse(why, "dns_types");
	if (settings->reserved != 0 || settings->reserved_too != 0)
		return ipc_refuse(why, "reserved");
	return 0;
}

static int
check_ports(const struct ipc_policy_rule *rule, const char **why)
{
	if (rule->n_ports > IPC_POLICY_PORTS_MAX)
		return ipc_refuse(why, "n_ports");
	if (rule->n_ports > 0 && rule->proto != IPC_POLICY_PROTO_tcp &&
	    rule->proto != IPC_POLICY_PROTO_udp)
		return ipc_refuse(why, "n_ports");
	for (size_t i = 0; i < rule->n_ports; i++) {
		if (rule->ports[i].first == 0 ||
		    rule->ports[i].first > rule->ports[i].last)
			return ipc_refuse(why, "ports");
	}
	return ipc_check_zeros(rule->ports + rule->n_ports,
	    (IPC_POLICY_PORTS_MAX - (size_t)rule->n_ports) * sizeof(rule->ports[0]),
	    "ports", why);
}

int
ipc_check_policy_rule(const struct ipc_policy_rule *rule, const char **why)
{
	if (rule->classes >> IPC_POLICY_N_CLASSES)
		return ipc_refuse(why, "classes");
	if (rule->source >= IPC_POLICY_N_SOURCES)
		return ipc_refuse(why, "source");
	if (rule->action >= IPC_POLICY_N_ACTIONS)
		return ipc_refuse(why, "action");
	if (rule->proto >= IPC_POLICY_N_PROTOS)
		return ipc_refuse(why, "proto");
	if (rule->options & ~IPC_POLICY_OPTION_PRIVATE)
		return ipc_refuse(why, "options");
	if (!ipc_is_zero(rule->reserved, sizeof(rule->reserved)))
		return ipc_refuse(why, "reserved");
	if (rule->line == 0)
		return ipc_refuse(why, "line");
	if (!ipc_is_text(rule->label, sizeof(rule->label)) ||
	    strspn(rule->label, DNSNAME_BYTES ".") != strlen(rule->label))
		return ipc_refuse(why, "label");
	return check_ports(rule, why);
}

int
ipc_check_policy_prefix(const struct ipc_policy_prefix *prefix, const char **why)
{
	struct inaddr network = prefix->addr;

	if (!ipc_is_inaddr(&prefix->addr))
		return ipc_refuse(why, "addr");
	if (prefix->len > inaddr_n_bits(&prefix->addr))
		return ipc_refuse(why, "len");
	inaddr_clear_after(&network, prefix->len);
	if (!inaddr_is_equal(&network, &prefix->addr))
		return ipc_refuse(why, "addr");
	return 0;
}

int
ipc_check_policy_name(const struct ipc_policy_name *name, const char **why)
{
	if (!ipc_is_flag(name->is_wildcard))
		return ipc_refuse(why, "is_wildcard");
	if (name->reserved != 0)
		return ipc_refuse(why, "reserved");
	return ipc_is_dnsname(name->text) ? 0 : ipc_refuse(why, "text");
}

/* The name of a source is not empty, so that errors name it. */
static bool
is_source_name(const char *name)
{
	return ipc_is_text(name, IPC_POLICY_SOURCE_SIZE) && name[0] != '\0';
}

int
ipc_validate_policy_inline(const struct ipc_policy_inline *msg, const char **why)
{
	if (msg->source >= IPC_POLICY_N_SOURCES)
		return ipc_refuse(why, "source");
	if (msg->line == 0)
		return ipc_refuse(why, "line");
	if (!is_source_name(msg->name))
		return ipc_refuse(why, "name");
	if (!ipc_is_text(msg->text, sizeof(msg->text)))
		return ipc_refuse(why, "text");
	return 0;
}

int
ipc_validate_policy_file(const struct ipc_policy_file *msg, const char **why)
{
	if (msg->source < IPC_POLICY_FROM_FILE || msg->source >= IPC_POLICY_N_SOURCES)
		return ipc_refuse(why, "source");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	if (!is_source_name(msg->name))
		return ipc_refuse(why, "name");
	return 0;
}

int
ipc_validate_policy_read(const struct ipc_policy_read *msg, const char **why)
{
	if (!ipc_is_flag(msg->is_audit))
		return ipc_refuse(why, "is_audit");
	if (!ipc_is_flag(msg->enable_dns))
		return ipc_refuse(why, "enable_dns");
	if (!ipc_is_flag(msg->is_check))
		return ipc_refuse(why, "is_check");
	return ipc_check_zeros(msg->reserved, sizeof(msg->reserved), "reserved", why);
}

int
ipc_validate_policy_said(const struct ipc_policy_said *msg, const char **why)
{
	if (!ipc_is_flag(msg->is_error))
		return ipc_refuse(why, "is_error");
	if (!ipc_is_zero(msg->reserved, sizeof(msg->reserved)))
		return ipc_refuse(why, "reserved");
	if (!ipc_is_text(msg->text, sizeof(msg->text)))
		return ipc_refuse(why, "text");
	return 0;
}

int
ipc_validate_policy_begin(const struct ipc_policy_begin *msg, const char **why)
{
	return ipc_check_policy_settings(&msg->settings, why);
}

int
ipc_validate_policy_source(const struct ipc_policy_source *msg, const char **why)
{
	if (msg->source >= IPC_POLICY_N_SOURCES)
		return ipc_refuse(why, "source");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	if (!is_source_name(msg->name))
		return ipc_refuse(why, "name");
	return 0;
}

int
ipc_validate_policy_rules(const struct ipc_policy_rules *msg, const char **why)
{
	if (msg->n == 0 || msg->n > IPC_POLICY_RULES_N)
		return ipc_refuse(why, "n");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (ipc_check_policy_rule(&msg->rules[i], why) == -1)
			return -1;
	}
	return ipc_check_unused(msg->rules, msg->n, IPC_POLICY_RULES_N,
	    sizeof(msg->rules[0]), why);
}

int
ipc_validate_policy_prefixes(const struct ipc_policy_prefixes *msg, const char **why)
{
	if (msg->n == 0 || msg->n > IPC_POLICY_PREFIXES_N)
		return ipc_refuse(why, "n");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (ipc_check_policy_prefix(&msg->prefixes[i], why) == -1)
			return -1;
	}
	return ipc_check_unused(msg->prefixes, msg->n, IPC_POLICY_PREFIXES_N,
	    sizeof(msg->prefixes[0]), why);
}

int
ipc_validate_policy_names(const struct ipc_policy_names *msg, const char **why)
{
	if (msg->n == 0 || msg->n > IPC_POLICY_NAMES_N)
		return ipc_refuse(why, "n");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (ipc_check_policy_name(&msg->names[i], why) == -1)
			return -1;
	}
	return ipc_check_unused(msg->names, msg->n, IPC_POLICY_NAMES_N,
	    sizeof(msg->names[0]), why);
}

int
ipc_validate_policy_commit(const struct ipc_policy_commit *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_policy_committed(const struct ipc_policy_committed *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_policy_known(const struct ipc_policy_known *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_change_policy(const struct ipc_change_policy *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_policy_changed(const struct ipc_policy_changed *msg, const char **why)
{
	if (msg->outcome >= IPC_POLICY_N_OUTCOMES)
		return ipc_refuse(why, "outcome");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_listen(const struct ipc_listen *msg, const char **why)
{
	if (!ipc_is_flag(msg->has_policy) || !ipc_is_flag(msg->is_locked) ||
	    !ipc_is_flag(msg->is_audit) || !ipc_is_flag(msg->enable_dns))
		return ipc_refuse(why, "flag neither 0 nor 1");
	return ipc_check_zeros(msg->reserved, sizeof(msg->reserved), "reserved", why);
}

int
ipc_validate_query_policy(const struct ipc_query_policy *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_policy_state(const struct ipc_policy_state *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_list_hits(const struct ipc_list_hits *msg, const char **why)
{
	if (msg->from >= IPC_POLICY_RULES_MAX)
		return ipc_refuse(why, "from");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_hits_page(const struct ipc_hits_page *msg, const char **why)
{
	if (msg->n > IPC_POLICY_HITS_N)
		return ipc_refuse(why, "n");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	return ipc_check_unused(msg->hits, msg->n, IPC_POLICY_HITS_N,
	    sizeof(msg->hits[0]), why);
}

int
ipc_validate_list_pins(const struct ipc_list_pins *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

static int
check_pin(const struct ipc_pin *pin, const char **why)
{
	if (!ipc_is_inaddr(&pin->addr))
		return ipc_refuse(why, "addr");
	if (pin->reserved != 0)
		return ipc_refuse(why, "reserved");
	return pin->name < IPC_POLICY_NAMES_MAX ? 0 : ipc_refuse(why, "name");
}

/* Whether `next` may be that of a page with n of at most n_max entries. Only a full page has one, and
 * no place is beyond the table. */
static bool
is_next(uint32_t next, uint32_t n, uint32_t n_max, uint32_t table_max)
{
	return next == 0 || (n == n_max && next <= table_max);
}

int
ipc_validate_pins_page(const struct ipc_pins_page *msg, const char **why)
{
	if (msg->n > IPC_POLICY_PINS_N)
		return ipc_refuse(why, "n");
	if (!is_next(msg->next, msg->n, IPC_POLICY_PINS_N, IPC_POLICY_PINS_MAX))
		return ipc_refuse(why, "next");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (check_pin(&msg->pins[i], why) == -1)
			return -1;
	}
	return ipc_check_unused(msg->pins, msg->n, IPC_POLICY_PINS_N,
	    sizeof(msg->pins[0]), why);
}

int
ipc_validate_check_flow(const struct ipc_check_flow *msg, const char **why)
{
	bool is_icmp = msg->proto == IPC_POLICY_PROTO_icmp;

	if (msg->proto == IPC_POLICY_PROTO_any || msg->proto >= IPC_POLICY_N_PROTOS)
		return ipc_refuse(why, "proto");
	if (is_icmp != (msg->port == 0))
		return ipc_refuse(why, "port");
	if (!ipc_is_inaddr(&msg->addr))
		return ipc_refuse(why, "addr");
	if (!ipc_is_zero(msg->name, sizeof(msg->name)) &&
	    (!ipc_is_zero(&msg->addr, sizeof(msg->addr)) || !ipc_is_dnsname(msg->name)))
		return ipc_refuse(why, "name");
	return ipc_check_zeros(msg->reserved, sizeof(msg->reserved), "reserved", why);
}

int
ipc_validate_flow_verdict(const struct ipc_flow_verdict *msg, const char **why)
{
	if (msg->classes >> IPC_POLICY_N_CLASSES)
		return ipc_refuse(why, "classes");
	if (msg->rule >= IPC_POLICY_RULES_MAX)
		return ipc_refuse(why, "rule");
	if (!ipc_is_flag(msg->is_allowed))
		return ipc_refuse(why, "is_allowed");
	if (msg->reason >= IPC_POLICY_N_REASONS)
		return ipc_refuse(why, "reason");
	if (msg->n > IPC_POLICY_VERDICT_PINS_N)
		return ipc_refuse(why, "n");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (check_pin(&msg->pins[i], why) == -1)
			return -1;
	}
	return ipc_check_unused(msg->pins, msg->n, IPC_POLICY_VERDICT_PINS_N,
	    sizeof(msg->pins[0]), why);
}

int
ipc_validate_list_denied(const struct ipc_list_denied *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

static int
check_denied(const struct ipc_denied *entry, const char **why)
{
	bool has_name = !ipc_is_zero(entry->name, sizeof(entry->name));

	if (entry->classes >> IPC_POLICY_N_CLASSES)
		return ipc_refuse(why, "classes");
	if (entry->proto >= IPC_POLICY_N_PROTOS)
		return ipc_refuse(why, "proto");
	if (entry->reason >= IPC_DENIED_N_REASONS)
		return ipc_refuse(why, "reason");
	if (!ipc_is_inaddr(&entry->addr))
		return ipc_refuse(why, "addr");
	if (entry->reserved != 0)
		return ipc_refuse(why, "reserved");
	if ((has_name || entry->proto == IPC_POLICY_PROTO_any) &&
	    !ipc_is_dnsname(entry->name))
		return ipc_refuse(why, "name");
	return 0;
}

int
ipc_validate_denied_page(const struct ipc_denied_page *msg, const char **why)
{
	if (msg->n > IPC_POLICY_DENIED_N)
		return ipc_refuse(why, "n");
	if (!is_next(msg->next, msg->n, IPC_POLICY_DENIED_N, IPC_POLICY_DENIED_MAX))
		return ipc_refuse(why, "next");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (check_denied(&msg->entries[i], why) == -1)
			return -1;
	}
	return ipc_check_unused(msg->entries, msg->n, IPC_POLICY_DENIED_N,
	    sizeof(msg->entries[0]), why);
}

int
ipc_validate_host_addrs(const struct ipc_host_addrs *msg, const char **why)
{
	if (!ipc_is_flag(msg->is_first))
		return ipc_refuse(why, "is_first");
	if (!ipc_is_flag(msg->is_last))
		return ipc_refuse(why, "is_last");
	if (msg->n > IPC_HOST_ADDRS_N)
		return ipc_refuse(why, "n");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (!ipc_is_inaddr(&msg->addrs[i]))
			return ipc_refuse(why, "addrs");
	}
	return ipc_check_unused(msg->addrs, msg->n, IPC_HOST_ADDRS_N,
	    sizeof(msg->addrs[0]), why);
}
