/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts a forward between arguments, message, JSON and text. */
#include "api/request/forward.h"

#include <netinet/in.h>
#include <stdio.h>

#include "base/inaddr.h"

struct ipc_forward
api_forward_of(const struct api_args *args)
{
	const struct api_protocol *protocol = &api_protocols[args->proto];
	struct ipc_forward forward = {
		.host_addr = args->host_addr.addr,
		.guest_addr = args->guest_addr.addr,
		.proto = protocol->proto,
		.host_port_first = args->host_port.first,
		.host_port_last = args->host_port.last,
		.guest_port_first = args->guest_port.first,
	};

	/* If not given, the address is unspecified: any address of the host, the guest's
	 * own address. */
	if (!args->host_addr.is_given)
		forward.host_addr.is_ipv6 = protocol->families == API_FAMILY_IPV6;
	if (!args->guest_addr.is_given)
		forward.guest_addr.is_ipv6 = forward.host_addr.is_ipv6;
	return forward;
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

void
api_forward_write(struct api_out *out, const char *key,
    const struct ipc_forward_entry *entry)
{
	const struct ipc_forward *forward = &entry->forward;
	char text[INET6_ADDRSTRLEN];

	api_out_open(out, key, '{');
	api_out_number(out, "id", entry->id);
	api_out_string(out, "proto", api_protocol_str(forward->proto));
	api_out_string(out, "host_addr", inaddr_format(&forward->host_addr, text));
	api_out_number(out, "host_port", forward->host_port_first);
	if (forward->host_port_last != forward->host_port_first)
		api_out_number(out, "host_port_end", forward->host_port_last);
	api_out_string(out, "guest_addr", inaddr_format(&forward->guest_addr, text));
	api_out_number(out, "guest_port", forward->guest_port_first);
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
api_forward_str(const struct ipc_forward *forward, char buf[API_FORWARD_SIZE])
{
	uint32_t n_more = (uint32_t)forward->host_port_last - forward->host_port_first;
	char host[API_ENDPOINT_SIZE];
	char guest[API_ENDPOINT_SIZE];
	char text[INET6_ADDRSTRLEN];

	format_endpoint(host, inaddr_format(&forward->host_addr, text),
	    forward->host_addr.is_ipv6, forward->host_port_first, n_more);
	if (inaddr_is_unspecified(&forward->guest_addr))
		format_endpoint(guest, "guest", false, forward->guest_port_first, n_more);
	else
		format_endpoint(guest, inaddr_format(&forward->guest_addr, text),
		    forward->guest_addr.is_ipv6, forward->guest_port_first, n_more);
	snprintf(buf, API_FORWARD_SIZE, "%s %s -> %s", api_protocol_str(forward->proto),
	    host, guest);
	return buf;
}
