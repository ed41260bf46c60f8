/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts a forward between arguments, message, JSON and text. */
#include "api/request/rule.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/inet.h"

static const uint8_t no_address[IPC_ADDR6_LEN];

struct ipc_hostfwd
api_rule_of(const struct api_args *args)
{
	const struct api_protocol *protocol = &api_protocols[args->proto];
	bool host_is_ipv6 = args->host_addr.is_given
	    ? args->host_addr.is_ipv6
	    : protocol->families == API_FAMILY_IPV6;
	struct ipc_hostfwd rule = {
		.proto = protocol->proto,
		.host_is_ipv6 = host_is_ipv6,
		.host_port_first = args->host_port.first,
		.host_port_last = args->host_port.last,
		.guest_is_ipv6 =
		    args->guest_addr.is_given ? args->guest_addr.is_ipv6 : host_is_ipv6,
		.guest_port_first = args->guest_port.first,
	};

	/* Zeros mean "not given": any address of the host, the guest's own address. */
	memcpy(rule.host_addr, args->host_addr.bytes, IPC_ADDR6_LEN);
	memcpy(rule.guest_addr, args->guest_addr.bytes, IPC_ADDR6_LEN);
	return rule;
}

const char *
api_protocol_str(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	default:
		return "icmp";
	}
}

const char *
api_address_str(const uint8_t bytes[IPC_ADDR6_LEN], bool is_ipv6, char *buf)
{
	struct in6_addr addr6;
	in_addr_t addr_be;

	if (is_ipv6) {
		memcpy(&addr6, bytes, sizeof(addr6));
		return inet_addr6_format(&addr6, buf);
	}
	memcpy(&addr_be, bytes, sizeof(addr_be));
	return inet_addr4_format(addr_be, buf);
}

void
api_rule_write(struct api_out *out, const char *key,
    const struct ipc_hostfwd_entry *entry)
{
	const struct ipc_hostfwd *rule = &entry->rule;
	char text[INET6_ADDRSTRLEN];

	api_out_open(out, key, '{');
	api_out_number(out, "id", entry->id);
	api_out_string(out, "proto", api_protocol_str(rule->proto));
	api_out_string(out, "host_addr",
	    api_address_str(rule->host_addr, rule->host_is_ipv6, text));
	api_out_number(out, "host_port", rule->host_port_first);
	if (rule->host_port_last != rule->host_port_first)
		api_out_number(out, "host_port_end", rule->host_port_last);
	api_out_string(out, "guest_addr",
	    api_address_str(rule->guest_addr, rule->guest_is_ipv6, text));
	api_out_number(out, "guest_port", rule->guest_port_first);
	api_out_close(out, '}');
}

static void
format_endpoint(char buf[API_ENDPOINT_SIZE], const char *addr, bool is_ipv6,
    uint16_t first, uint32_t n_more)
{
	char last[sizeof("-65535")] = "";

	if (n_more > 0)
		snprintf(last, sizeof(last), "-%u", (uint16_t)(first + n_more));
	snprintf(buf, API_ENDPOINT_SIZE, is_ipv6 ? "[%s]:%u%s" : "%s:%u%s", addr, first,
	    last);
}

const char *
api_rule_str(const struct ipc_hostfwd *rule, char buf[API_RULE_SIZE])
{
	uint32_t n_more = (uint32_t)rule->host_port_last - rule->host_port_first;
	char host[API_ENDPOINT_SIZE];
	char guest[API_ENDPOINT_SIZE];
	char text[INET6_ADDRSTRLEN];

	format_endpoint(host, api_address_str(rule->host_addr, rule->host_is_ipv6, text),
	    rule->host_is_ipv6, rule->host_port_first, n_more);
	if (memcmp(rule->guest_addr, no_address, IPC_ADDR6_LEN) == 0)
		format_endpoint(guest, "guest", false, rule->guest_port_first, n_more);
	else
		format_endpoint(guest,
		    api_address_str(rule->guest_addr, rule->guest_is_ipv6, text),
		    rule->guest_is_ipv6, rule->guest_port_first, n_more);
	snprintf(buf, API_RULE_SIZE, "%s %s -> %s", api_protocol_str(rule->proto), host,
	    guest);
	return buf;
}
