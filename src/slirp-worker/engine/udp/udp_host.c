/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives the worker the UDP engine: takes datagrams of the guest, and serves sockets. */
#include "slirp-worker/engine/udp/udp_host.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "slirp-worker/engine/outward.h"
#include "slirp-worker/engine/udp/udp_forward.h"
#include "slirp-worker/engine/udp/udp_parts.h"

/* Sends a run of the batch. */
static void
flush(void *ctx, struct udp_batch_item *item)
{
	struct udp_host *host = ctx;

	udp_from_guest(&host->udp, &item->key, &item->run, host->now_ms);
}

/* Whether the kernel cuts runs (Linux 4.18). An older one ignores the request, and would
 * send one long datagram. */
static bool
kernel_cuts(void)
{
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int none = 0;

	return fd != -1 && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &none, sizeof(none)) == 0;
}

static void
count_gave_way(void *ctx)
{
	struct udp_host *host = ctx;

	host->gave_way(host->ctx);
}

static void
count_no_room(void *ctx)
{
	const struct udp_host *host = ctx;

	host->no_room(host->ctx);
}

static void
count_lost(void *ctx)
{
	const struct udp_host *host = ctx;

	host->lost(host->ctx);
}

int
udp_host_init(struct udp_host *host, const struct udp_host_config *config)
{
	*host = (struct udp_host){
		.world = {
			.ctx = host,
			.open = udp_open_socket,
			.send = udp_send,
			.unreachable = udp_unreachable,
			.lost = count_lost,
			.gave_way = count_gave_way,
			.no_room = count_no_room,
			.close = udp_close_sockets,
		},
		.asks = config->asks,
		.neigh = config->neigh,
		.poller = config->poller,
		.tap = config->tap,
		.wrote_frame = config->wrote_frame,
		.to_guest = config->to_guest,
		.gave_way = config->gave_way,
		.no_room = config->no_room,
		.no_socket = config->no_socket,
		.lost = config->lost,
		.ctx = config->ctx,
		.network = *config->network,
		.has_offloads = config->has_offloads,
		.has_uso = config->has_uso,
		.can_cut = kernel_cuts(),
		.batch = { .flush = flush, .ctx = host },
		.dns.channel = config->to_resolver,
	};
	asks_serve(host->asks, ASKS_UDP, &udp_asks_ops, host);
	asks_serve(host->asks, ASKS_PEER, &udp_asks_ops, host);
	udp_ports_init(&host->ports, config->ports);
	return udp_init(&host->udp, &host->world, config->budget, config->hold);
}

static struct flow_key
key_of(const struct gate_frame *parsed, const uint8_t *udp)
{
	struct flow_key key = flow_key_udp(parsed->ethertype, parsed->src,
	    load_be16(udp + WIRE_UDP_SRC_PORT), load_be16(udp + WIRE_UDP_DST_PORT));

	memcpy(key.peer_address, parsed->dst,
	    parsed->ethertype == WIRE_TYPE_IP6 ? 16 : 4);
	return key;
}

bool
udp_host_ask_name(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame)
{
	const uint8_t *udp = frame + parsed->l4_offset;
	struct udp_asker asker = { .key = key_of(parsed, udp) };

	memcpy(asker.guest_mac, frame + WIRE_ETH_SRC, sizeof(asker.guest_mac));
	memcpy(asker.our_mac, frame + WIRE_ETH_DST, sizeof(asker.our_mac));
	return udp_dns_ask(&host->dns, &asker, udp + WIRE_UDP_LEN,
	    parsed->l4_len - WIRE_UDP_LEN);
}

/* IPv6's traffic class follows the version, in the first two bytes. */
static uint8_t
tos_of(bool is_ip6, const uint8_t *ip)
{
	return is_ip6 ? (uint8_t)(load_be16(ip) >> 4) : ip[WIRE_IP4_TOS];
}

void
udp_host_from_guest(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame, uint16_t piece_len, uint64_t now_ms)
{
	const uint8_t *ip = frame + WIRE_ETH_LEN, *udp = frame + parsed->l4_offset;
	bool is_ip6 = parsed->ethertype == WIRE_TYPE_IP6;
	const struct flow_key key = key_of(parsed, udp);
	bool is_group = parsed->udp == GATE_UDP_GROUP;
	bool is_outside = !is_group && outward_is_outside(&host->network, &key);
	size_t len = parsed->l4_len - WIRE_UDP_LEN;
	struct udp_batch_item item = {
		.key = key,
		.run = {
			.guest_mac = frame + WIRE_ETH_SRC,
			.our_mac = frame + WIRE_ETH_DST,
			.fate = {
				.ttl = is_outside ? (uint8_t)(parsed->ttl - 1) : 0,
				.tos = tos_of(is_ip6, ip),
				.may_fragment = discovery_may_fragment(parsed, frame),
			},
			/* A broadcast leads to the host's loopback alone. */
			.is_group =
			    is_group && !outward_is_broadcast(&host->network, &key),
		},
	};

	host->now_ms = now_ms;
	if (is_outside && parsed->ttl <= 1) {
		udp_time_exceeded(host, parsed, frame);
		return;
	}
	udp_run_begin(&item.run, udp + WIRE_UDP_LEN, len,
	    piece_len != 0 ? piece_len : len);
	udp_batch_add(&host->batch, &item);
}

void
udp_host_end_batch(struct udp_host *host)
{
	udp_batch_end(&host->batch);
}

bool
udp_host_knows(void *self, const struct flow_key *key)
{
	const struct udp_host *host = self;

	return udp_may_answer(&host->udp, key, host->now_ms);
}

static uint64_t
prepare(void *self, uint64_t now_ms)
{
	struct udp_host *host = self;

	udp_forward_serve(host, now_ms);
	return deadline_earlier(udp_due(&host->udp), udp_ports_due(&host->ports));
}

static void
serve_flow(struct udp_host *host, const struct poller_event *event)
{
	struct udp_flow *flow = udp_at(&host->udp, event->index, event->generation);

	if (flow == NULL || flow->fd == -1)
		return;
	if (event->events & EPOLLERR)
		udp_take_errors(host, flow);
	udp_take_datagrams(host, event->index, event->generation);
}

static void
serve_port(struct udp_host *host, const struct poller_event *event)
{
	struct port *port = port_table_at(host->ports.table, event);

	if (port != NULL)
		udp_take_new_peers(host, port);
}

static void
finish(void *self, uint64_t now_ms)
{
	struct udp_host *host = self;
	const struct poller *poller = host->poller;

	host->now_ms = now_ms;
	for (size_t i = 0; i < poller->n_events; i++) {
		const struct poller_event *event = &poller->events[i];
		if (event->kind == POLLER_UDP)
			serve_flow(host, event);
		else if (event->kind == POLLER_UDP_PORT)
			serve_port(host, event);
	}
	udp_expire(&host->udp, now_ms);
}

static void
free_host(void *self)
{
	struct udp_host *host = self;

	udp_free(&host->udp);
}

const struct engine_ops udp_host_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = free_host,
};
