/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists connections, from the TCP engine, from libslirp's text and from the kernel. */
#include "slirp-worker/observe/connections.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inaddr.h"
#include "base/vec.h"
#include "slirp-worker/observe/tcp_list.h"

/* Stands for an address of zeros. */
#define ANY_ADDRESS "*"

/* After the state: descriptor, source, port, destination, port, two queues. */
#define N_FIELDS 7

/* An address is the longest field. */
#define FIELD_SIZE INET_ADDRSTRLEN

/* Copies the text before `delimiter`; NULL if there is none or the text is too long. */
static const char *
take_until(const char *text, char delimiter, char *field, size_t field_size)
{
	const char *end = strchr(text, delimiter);
	size_t len = end ? (size_t)(end - text) : 0;

	if (!end || len >= field_size)
		return NULL;
	memcpy(field, text, len);
	field[len] = '\0';
	return end + 1;
}

static bool
parse_number(const char *field, uint32_t max, uint32_t *number)
{
	char *end;
	unsigned long value;

	if (field[0] < '0' || field[0] > '9')
		return false;
	value = strtoul(field, &end, 10);
	if (*end != '\0' || value > max)
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool
parse_port(const char *field, uint16_t *port)
{
	uint32_t number = 0;

	if (!parse_number(field, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool
parse_address(const char *field, uint32_t *addr_be)
{
	*addr_be = INADDR_ANY;
	return strcmp(field, ANY_ADDRESS) == 0 || inet_pton(AF_INET, field, addr_be) == 1;
}

bool
connections_parse(const char *line, struct connection_line *parsed)
{
	char fields[N_FIELDS][FIELD_SIZE];
	char proto[FIELD_SIZE], state[FIELD_SIZE];
	uint32_t fd;

	*parsed = (struct connection_line){ .fd = -1 };
	line += strspn(line, " ");
	line = take_until(line, '[', proto, sizeof(proto));
	if (line)
		line = take_until(line, ']', state, sizeof(state));
	if (!line || strcmp(proto, "UDP") != 0)
		return false;
	/* Otherwise it is "240 sec". */
	parsed->is_forward = strcmp(state, "HOST_FORWARD") == 0;
	for (size_t i = 0; i < N_FIELDS; i++) {
		size_t len;

		line += strspn(line, " ");
		len = strcspn(line, " ");
		if (len == 0 || len >= FIELD_SIZE)
			return false;
		memcpy(fields[i], line, len);
		fields[i][len] = '\0';
		line += len;
	}
	if (parse_number(fields[0], INT32_MAX, &fd))
		parsed->fd = (int)fd;
	return parse_address(fields[1], &parsed->source_be) &&
	    parse_port(fields[2], &parsed->source_port) &&
	    parse_address(fields[3], &parsed->dest_be) &&
	    parse_port(fields[4], &parsed->dest_port) &&
	    parse_number(fields[5], UINT32_MAX, &parsed->recv_queue_bytes) &&
	    parse_number(fields[6], UINT32_MAX, &parsed->send_queue_bytes);
}

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

static struct end
ask_end(int fd, bool is_peer)
{
	union inaddr_sock sock = { 0 };
	socklen_t len = sizeof(sock);

	if (fd == -1 ||
	    (is_peer ? getpeername(fd, &sock.any, &len)
		     : getsockname(fd, &sock.any, &len)) == -1)
		return (struct end){ 0 };
	return make_end(&sock);
}

/* The forward with this end; NULL if it was removed. */
static const struct ipc_forward *
find_forward(const struct forwards *forwards, const struct end *host)
{
	return forwards_find_port(forwards, IPPROTO_UDP, &host->addr, host->port);
}

/* Replaces the inner port of a relay, libslirp's end, by the port outside. Does nothing for
 * other ports. */
static void
put_outside_of_relay(struct ipc_connection *entry, const struct forwards *forwards,
    const struct end *own)
{
	const union inaddr_sock inner = inaddr_sock_make(&own->addr, own->port);
	const struct relay_port *port = relay_find_port(forwards->relay, &inner);
	const struct ipc_forward *forward;
	struct end host;

	if (!port)
		return;
	host = make_end(&port->host);
	forward = find_forward(forwards, &host);
	entry->source_addr = host.addr;
	entry->source_port = host.port;
	entry->dest_addr =
	    forward ? forward->guest_addr : (struct inaddr){ .is_ipv6 = 1 };
}

/* libslirp's text has the guest's end of an IPv4 flow, and nothing of IPv6. */
static void
complete(struct ipc_connection *entry, const struct connection_line *line,
    const struct forwards *forwards)
{
	struct end own = ask_end(line->fd, false);
	const struct ipc_forward *forward = NULL;

	*entry = (struct ipc_connection){
		.source_port = line->source_port,
		.dest_port = line->dest_port,
		.proto = IPPROTO_UDP,
		.source_addr.is_ipv6 = own.addr.is_ipv6,
		.dest_addr.is_ipv6 = own.addr.is_ipv6,
		.is_forward = line->is_forward,
		.recv_queue_bytes = line->recv_queue_bytes,
		.send_queue_bytes = line->send_queue_bytes,
		.bytes_in = IPC_BYTES_UNKNOWN,
		.bytes_out = IPC_BYTES_UNKNOWN,
		.retransmitted_bytes = IPC_BYTES_UNKNOWN,
		.age_ms = IPC_AGE_UNKNOWN,
	};
	if (!own.addr.is_ipv6) {
		entry->source_addr = inaddr_from4(line->source_be);
		entry->dest_addr = inaddr_from4(line->dest_be);
	} else if (entry->is_forward) {
		entry->source_addr = own.addr;
		forward = find_forward(forwards, &own);
	}
	if (forward)
		entry->dest_addr = forward->guest_addr;
	if (entry->is_forward)
		put_outside_of_relay(entry, forwards, &own);
}

struct collector {
	struct connections *connections;
	const struct forwards *forwards;
};

static void
take_line(void *ctx, const char *line)
{
	struct collector *collector = ctx;
	struct connections *connections = collector->connections;
	struct connection_line parsed;

	if (connections_parse(line, &parsed) &&
	    VEC_MAKE_ROOM(&connections->entries, connections->n, &connections->size))
		complete(&connections->entries[connections->n++], &parsed,
		    collector->forwards);
}

static void
take_ping(struct connections *connections, const struct ping_flow *flow)
{
	struct ipc_connection *entry;

	if (!VEC_MAKE_ROOM(&connections->entries, connections->n, &connections->size))
		return;
	entry = &connections->entries[connections->n++];
	*entry = (struct ipc_connection){
		.source_addr = flow->guest,
		.dest_addr = flow->host,
		.proto = IPPROTO_ICMP,
		.bytes_in = IPC_BYTES_UNKNOWN,
		.bytes_out = IPC_BYTES_UNKNOWN,
		.retransmitted_bytes = IPC_BYTES_UNKNOWN,
		.age_ms = IPC_AGE_UNKNOWN,
	};
}

static void
take_udp(struct connections *connections, const struct udp_flow *flow)
{
	const struct flow_key *key = &flow->link.key;
	struct ipc_connection *entry;

	if (!VEC_MAKE_ROOM(&connections->entries, connections->n, &connections->size))
		return;
	entry = &connections->entries[connections->n++];
	*entry = (struct ipc_connection){
		.source_addr = inaddr_from_bytes(key->guest_address, udp_is_ip6(flow)),
		.source_port = key->guest_port,
		.dest_addr = inaddr_from_bytes(key->peer_address, udp_is_ip6(flow)),
		.dest_port = key->peer_port,
		.proto = IPPROTO_UDP,
		.bytes_in = flow->bytes_in,
		.bytes_out = flow->bytes_out,
		.retransmitted_bytes = IPC_BYTES_UNKNOWN,
		.age_ms = IPC_AGE_UNKNOWN,
	};
}

void
connections_collect(struct connections *connections, struct stack *stack,
    const struct ping *ping, const struct udp *udp, const struct forwards *forwards)
{
	struct collector collector = { connections, forwards };

	connections->n = 0;
	stack_describe(stack, take_line, &collector);
	if (udp != NULL)
		for (const struct udp_flow *flow = udp_next(udp, NULL); flow != NULL;
		     flow = udp_next(udp, flow))
			take_udp(connections, flow);
	for (size_t i = 0; i < ping->n_flows; i++)
		take_ping(connections, &ping->flows[i]);
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
		peer = ask_end(flow->fd, true);
	if (peer.port == 0)
		return;
	entry->source_addr = peer.addr;
	entry->source_port = peer.port;
}

/* What a list is of. Its entries have numbers in this order: places of flows, places of
 * listening sockets, copied entries. Places can be unused. */
struct sources {
	const struct tcp *tcp;
	const struct tcp_listen *listen;
	const struct connections *copied;
	uint32_t ports_at, copied_at; /* the numbers of their first ones */
};

static struct sources
make_sources(const struct connections *connections, const struct tcp_forward *forward)
{
	const struct tcp *tcp = &forward->host->tcp;
	const struct tcp_listen *listen = &forward->listen;

	return (struct sources){
		.tcp = tcp,
		.listen = listen,
		.copied = connections,
		.ports_at = tcp->flows.n_max,
		.copied_at = tcp->flows.n_max + listen->n_max,
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
		const struct tcp_listen *listen = sources->listen;

		for (uint32_t i = number - sources->ports_at; i < listen->n_places; i++)
			if (listen->places[i].fd != -1)
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
		tcp_list_describe_port(&sources->listen
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
