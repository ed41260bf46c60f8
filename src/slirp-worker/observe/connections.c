/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists connections, from the tables of the engines. */
#include "slirp-worker/observe/connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inaddr.h"
#include "base/vec.h"
#include "slirp-worker/observe/tcp_list.h"

/* An end of a socket; zeros if there is none. */
struct end {
	struct inaddr addr;
	uint16_t port;
};

static struct end
make_end(const union inaddr_sock *sock)
{
	struct end end = { .port = inaddr_sock_port(sock) };

	inaddr_from_sockaddr(&end.addr, &sock->any);
	return end;
}

/* The other end of a socket. */
static struct end
ask_peer(int fd)
{
	union inaddr_sock sock = { 0 };
	socklen_t len = sizeof(sock);

	if (fd == -1 || getpeername(fd, &sock.any, &len) == -1)
		return (struct end){ 0 };
	return make_end(&sock);
}

/* A new entry of which only the protocol is known; NULL if memory is low. */
static struct ipc_connection *
add_entry(struct connections *connections, uint8_t proto)
{
	struct ipc_connection *entry;

	if (!VEC_MAKE_ROOM(&connections->entries, connections->n, &connections->size))
		return NULL;
	entry = &connections->entries[connections->n++];
	*entry = (struct ipc_connection){
		.proto = proto,
		.bytes_in = IPC_BYTES_UNKNOWN,
		.bytes_out = IPC_BYTES_UNKNOWN,
		.retransmitted_bytes = IPC_BYTES_UNKNOWN,
		.age_ms = IPC_AGE_UNKNOWN,
	};
	return entry;
}

static void
take_ping(struct connections *connections, const struct ping_flow *flow)
{
	struct ipc_connection *entry = add_entry(connections, IPPROTO_ICMP);

	if (!entry)
		return;
	entry->source_addr = flow_key_guest(&flow->link.key);
	entry->dest_addr = flow_key_peer(&flow->link.key);
}

/* A port of a forward, or one of its peers. */
static void
put_forward(struct ipc_connection *entry, const union inaddr_sock *outside,
    const struct inaddr *guest, uint16_t guest_port)
{
	const struct end source = make_end(outside);

	entry->source_addr = source.addr;
	entry->source_port = source.port;
	entry->dest_addr = *guest;
	entry->dest_port = guest_port;
	entry->is_forward = true;
}

static void
take_udp_port(struct connections *connections, const struct port *port)
{
	struct ipc_connection *entry = port->proto == IPPROTO_UDP && port_is_open(port)
	    ? add_entry(connections, IPPROTO_UDP)
	    : NULL;

	if (entry)
		put_forward(entry, &port->host, &port->guest, port->guest_port);
}

static void
take_udp_flow(struct connections *connections, const struct udp_flow *flow)
{
	const struct flow_key *key = &flow->link.key;
	const struct inaddr guest = flow_key_guest(key);
	struct ipc_connection *entry = add_entry(connections, IPPROTO_UDP);

	if (!entry)
		return;
	entry->bytes_in = flow->bytes_in;
	entry->bytes_out = flow->bytes_out;
	if (flow->port != 0) {
		put_forward(entry, &flow->to, &guest, key->guest_port);
		return;
	}
	entry->source_addr = guest;
	entry->source_port = key->guest_port;
	entry->dest_addr = flow_key_peer(key);
	entry->dest_port = key->peer_port;
}

static void
take_udp(struct connections *connections, const struct udp_host *host)
{
	const struct port_table *ports = host->ports.table;

	for (uint32_t i = 0; i < ports->n_places; i++)
		take_udp_port(connections, &ports->places[i]);
	for (const struct udp_flow *flow = udp_next(&host->udp, NULL); flow != NULL;
	     flow = udp_next(&host->udp, flow))
		take_udp_flow(connections, flow);
}

void
connections_collect(struct connections *connections, const struct ping *ping,
    const struct udp_host *udp)
{
	connections->n = 0;
	take_udp(connections, udp);
	for (const struct ping_flow *flow = ping_next(ping, NULL); flow != NULL;
	     flow = ping_next(ping, flow))
		take_ping(connections, flow);
}

void
connections_free(struct connections *connections)
{
	free(connections->entries);
	*connections = (struct connections){ 0 };
}

/* RFC 4291 2.5.5.2: the IPv4-mapped form of an IPv4 address. */
static struct inaddr
map(const struct inaddr *addr)
{
	struct inaddr mapped = { .bytes = { [10] = 0xff, 0xff }, .is_ipv6 = 1 };

	if (addr->is_ipv6)
		return *addr;
	memcpy(mapped.bytes + 12, addr->bytes, sizeof(in_addr_t));
	return mapped;
}

/* Replies show both ends in one family. */
static void
put_one_family(struct ipc_connection *entry)
{
	if (entry->source_addr.is_ipv6 == entry->dest_addr.is_ipv6)
		return;
	entry->source_addr = map(&entry->source_addr);
	entry->dest_addr = map(&entry->dest_addr);
}

static void
describe_flow(const struct tcp *tcp, const struct tcp_flow *flow,
    struct ipc_connection *entry)
{
	struct end peer = { 0 };

	tcp_list_describe(tcp, flow, entry);
	/* The guest may see the gateway instead of the peer. */
	if (flow->is_forward)
		peer = ask_peer(flow->fd);
	if (peer.port == 0)
		return;
	entry->source_addr = peer.addr;
	entry->source_port = peer.port;
}

/* What a list is of. Its entries have numbers in this order: places of flows, places of
 * listening sockets, copied entries. Places can be unused. */
struct sources {
	const struct tcp *tcp;
	const struct port_table *ports;
	const struct connections *copied;
	uint32_t ports_at, copied_at; /* the numbers of their first ones */
};

static struct sources
make_sources(const struct connections *connections, const struct tcp_forward *forward)
{
	const struct tcp *tcp = &forward->host->tcp;

	return (struct sources){
		.tcp = tcp,
		.ports = forward->listen.table,
		.copied = connections,
		.ports_at = tcp->flows.n_max,
		.copied_at = tcp->flows.n_max + IPC_LISTENERS_MAX,
	};
}

/* The first used number from this one on; UINT32_MAX: there is none. */
static uint32_t
find_from(const struct sources *sources, uint32_t number)
{
	if (number < sources->ports_at) {
		const void *flow = flow_table_from(&sources->tcp->flows, number);

		if (flow)
			return flow_table_index(&sources->tcp->flows, flow);
		number = sources->ports_at;
	}
	if (number < sources->copied_at) {
		const struct port_table *ports = sources->ports;

		for (uint32_t i = number - sources->ports_at; i < ports->n_places; i++)
			if (ports->places[i].proto == IPPROTO_TCP &&
			    port_is_open(&ports->places[i]))
				return sources->ports_at + i;
		number = sources->copied_at;
	}
	return number - sources->copied_at < sources->copied->n ? number : UINT32_MAX;
}

static void
describe(const struct sources *sources, uint32_t number, struct ipc_connection *entry)
{
	if (number < sources->ports_at)
		describe_flow(sources->tcp, flow_table_from(&sources->tcp->flows, number),
		    entry);
	else if (number < sources->copied_at)
		tcp_list_describe_port(&sources->ports
					    ->places[number - sources->ports_at],
		    entry);
	else
		*entry = sources->copied->entries[number - sources->copied_at];
	put_one_family(entry);
}

void
connections_fill_page(const struct connections *connections,
    const struct tcp_forward *forward, uint32_t from, struct ipc_connections_page *page)
{
	struct sources sources = make_sources(connections, forward);
	uint32_t number = from;

	while ((number = find_from(&sources, number)) != UINT32_MAX) {
		if (page->n == IPC_CONNECTIONS_PAGE_ENTRIES) {
			page->next = number;
			return;
		}
		describe(&sources, number++, &page->entries[page->n++]);
	}
}
