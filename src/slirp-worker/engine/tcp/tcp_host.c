/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives the TCP machine its world: sockets of the host, and frames to the TAP. */
#include "slirp-worker/engine/tcp/tcp_host.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/inaddr.h"
#include "slirp-worker/engine/outward.h"
#include "slirp-worker/engine/tcp/tcp_parts.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/tap/vnet.h"

/* Data of one frame: 44 segments of 1460 bytes, below the 65535 bytes of an IPv4 packet. */
#define FRAME_DATA_MAX 64240

/* 90 segments of 1448 bytes, below 128 KiB: longer ones leave the processor's cache. */
#define BIG_FRAME_DATA_MAX 130320

/* The machine notes at least each frame that the TAP can keep. */
static_assert(TCP_NOTED_MAX >= TAPIO_BUFFERS, "noted data would be read over");

/* Buffers of all flows: 16 flows of 4 MiB, or 1000 of one frame. */
#define POOL_BYTES (UINT32_C(64) << 20)

/* A limit on the worker's address space (RLIMIT_AS) leaves fewer; with less than one window
 * of TCP_WINDOW_MAX, flows would mostly wait for each other. */
#define POOL_BYTES_MIN (UINT32_C(4) << 20)

/* Flows without a socket, in TIME_WAIT and dead, need places beside those with one. */
#define FLOWS_WITHOUT_SOCKET TCP_TIME_WAIT_MAX

/* Memory of all flows but for their buffers, whatever a guest does: a quarter of the buffers',
 * and what BUDGET_TCP_MAX leaves room for. */
#define FLOWS_BYTES_MAX (UINT32_C(16) << 20)

/* A table has at most two chains for each flow (model/flow_table.c). */
#define FLOW_BYTES (sizeof(struct tcp_flow) + 2 * sizeof(uint32_t))

static_assert((BUDGET_TCP_MAX + FLOWS_WITHOUT_SOCKET) * FLOW_BYTES +
	    TCP_GAPS_MAX * sizeof(struct tcp_gaps) <=
	FLOWS_BYTES_MAX,
    "flows take more memory than they may");

static_assert(FLOW_GENERATION_BITS <= POLLER_GENERATION_BITS,
    "an event has the whole generation of a flow");

/* ICMP errors that answer a SYN: RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1. */
struct icmp_error {
	uint8_t type4, code4, type6, code6;
};

static const struct icmp_error errors[] = {
	[TCP_HOST_UNREACHABLE] = { 3, 1, 1, 3 },
	[TCP_NET_UNREACHABLE] = { 3, 0, 1, 0 },
	[TCP_PROHIBITED] = { 3, 13, 1, 1 },
};

static uint32_t
n_pieces(const struct tcp_frame *frame)
{
	return frame->data_len > frame->piece
	    ? (frame->data_len + frame->piece - 1) / frame->piece
	    : 1;
}

static int
emit(void *ctx, const struct tcp_frame *frame)
{
	struct tcp_host *host = ctx;
	/* A driver's header of zeros requests no offload. */
	uint8_t bytes[IPC_TAP_HEADER_MAX + TCP_HEAD_MAX] = { 0 };
	uint8_t *out = bytes + IPC_TAP_HEADER_MAX;
	struct iovec parts[1 + TCP_FRAME_PIECES];
	struct tcp_head head = {
		.dst_mac = frame->guest_mac,
		.src_mac = frame->our_mac,
		.src = frame->key->peer_address,
		.dst = frame->key->guest_address,
		.is_ip6 = flow_key_is_ip6(frame->key),
		.src_port = frame->key->peer_port,
		.dst_port = frame->key->guest_port,
		.seq = frame->seq,
		.ack = frame->ack,
		.flags = frame->flags,
		.window = frame->window,
		.ip_id = host->ip_id,
		.mss = frame->mss,
		.has_wscale = frame->has_wscale,
		.wscale = frame->wscale,
		.sack_ok = frame->sack_ok,
		.n_sack = frame->n_sack,
		.sack = frame->sack,
	};
	size_t head_len = tcp_head_write(out, &head, frame->data_len);
	size_t driver_len = host->tap->header_len;
	int result;

	/* The guest's kernel numbers the segments that it cuts from here on. */
	host->ip_id = (uint16_t)(host->ip_id + n_pieces(frame));
	if (host->has_offloads)
		vnet_mark_tcp(out - VNET_HEADER_LEN, head.is_ip6, head_len,
		    frame->data_len, frame->piece);
	else
		tcp_head_sum(out, head_len, frame->data, (size_t)frame->n_data);
	parts[0] = (struct iovec){ out - driver_len, driver_len + head_len };
	memcpy(&parts[1], frame->data, (size_t)frame->n_data * sizeof(parts[1]));
	result = tapio_writev(host->tap, parts, 1 + frame->n_data);
	host->wrote_frame(host->ctx, result, head_len + frame->data_len);
	return result == -1 ? -errno : 0;
}

/* The guest's SYN as far as an ICMP error quotes it. */
static void
unreachable(void *ctx, const struct tcp_flow *flow, enum tcp_outcome outcome)
{
	struct tcp_host *host = ctx;
	const struct flow_key *key = &flow->link.key;
	uint8_t syn[TCP_HEAD_MAX], answer[REFUSAL_MAX_LEN];
	struct tcp_head head = {
		.dst_mac = flow->our_mac,
		.src_mac = flow->guest_mac,
		.src = key->guest_address,
		.dst = key->peer_address,
		.is_ip6 = tcp_is_ip6(flow),
		.src_port = key->guest_port,
		.dst_port = key->peer_port,
		.seq = flow->irs,
		.flags = WIRE_TCP_SYN,
	};
	size_t syn_len = tcp_head_write(syn, &head, 0);
	struct refusal_error error = {
		.type = head.is_ip6 ? errors[outcome].type6 : errors[outcome].type4,
		.code = head.is_ip6 ? errors[outcome].code6 : errors[outcome].code4,
		.source = head.is_ip6 ? host->network.host6.s6_addr
				      : (const uint8_t *)&host->network.host_be,
	};
	size_t len = refusal_build_error(syn, syn_len, &error, answer, sizeof(answer));

	if (len > 0)
		host->wrote_frame(host->ctx, tapio_write(host->tap, answer, len), len);
}

static void
refuse(struct tcp_host *host, uint32_t index, uint32_t generation,
    enum tcp_outcome outcome)
{
	if (outcome == TCP_SHORTAGE)
		host->no_descriptor(host->ctx);
	tcp_refused(&host->tcp, index, generation, outcome);
}

static void
open_flow(void *ctx, struct tcp_flow *flow)
{
	struct tcp_host *host = ctx;
	uint32_t index = flow_table_index(&host->tcp.flows, flow);
	uint32_t generation = flow->link.generation;

	/* RFC 6335 6: port 0 is reserved, so nobody listens on it. */
	if (flow->link.key.peer_port == 0) {
		refuse(host, index, generation, TCP_REFUSED);
		return;
	}
	/* The descriptor's place, also while the answer is awaited. */
	if (!budget_has_room(host->budget, BUDGET_TCP, 1)) {
		refuse(host, index, generation, TCP_SHORTAGE);
		return;
	}
	if (asks_add(host->asks, ASKS_TCP, index, &flow->link) == -1)
		refuse(host, index, generation, TCP_IGNORED);
	else
		budget_take(host->budget, BUDGET_TCP, 1);
}

static bool
wants_socket(void *ctx, uint32_t index, uint32_t generation)
{
	struct tcp_host *host = ctx;
	const struct tcp_flow *flow = flow_table_at(&host->tcp.flows, index, generation);

	return flow && flow->state == TCP_STATE_CONNECT;
}

static void
give_back_place(void *ctx, uint32_t index, uint32_t generation)
{
	struct tcp_host *host = ctx;

	(void)index;
	(void)generation;
	budget_give(host->budget, BUDGET_TCP, 1);
}

static void
take_refusal(void *ctx, uint32_t index, uint32_t generation, int error)
{
	struct tcp_host *host = ctx;

	give_back_place(host, index, generation);
	refuse(host, index, generation, tcp_outcome_of(-error));
}

static void
take_socket(void *ctx, uint32_t index, uint32_t generation, int adopt_fd,
    const struct ipc_flow_opened *opened)
{
	struct tcp_host *host = ctx;

	(void)opened;
	if (poller_add(host->poller, adopt_fd, POLLER_FLOW, index, generation) == -1) {
		asks_close(host->asks, adopt_fd);
		take_refusal(host, index, generation, EMFILE);
		return;
	}
	tcp_opened(&host->tcp, index, generation, adopt_fd);
}

static const struct asks_ops asks_ops = {
	.is_wanted = wants_socket,
	.on_dropped = give_back_place,
	.on_opened = take_socket,
	.on_refused = take_refusal,
};

static int
socket_error(void *ctx, int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)ctx;
	/* socket(7): reading clears it. Cannot fail on a socket. */
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return -error;
}

static ssize_t
read_socket(void *ctx, int fd, const struct iovec *to, int n)
{
	ssize_t result = readv(fd, to, n);

	(void)ctx;
	return result == -1 ? -errno : result;
}

static ssize_t
write_socket(void *ctx, int fd, const struct iovec *from, int n)
{
	ssize_t result = writev(fd, from, n);

	(void)ctx;
	return result == -1 ? -errno : result;
}

static void
end_socket(void *ctx, int fd)
{
	(void)ctx;
	/* Fails if the peer has reset the connection; the next read finds that. */
	shutdown(fd, SHUT_WR);
}

static void
keep_alive(void *ctx, int fd)
{
	const int yes = 1;

	(void)ctx;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static void
close_socket(void *ctx, int fd, bool is_reset)
{
	struct tcp_host *host = ctx;
	const struct linger reset = { .l_onoff = 1 };

	/* socket(7): with a linger time of 0, close(2) sends a reset. */
	if (is_reset) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		asks_close(host->asks, fd);
	} else {
		asks_close_ended(host->asks, fd);
	}
	budget_give(host->budget, BUDGET_TCP, 1);
}

int
tcp_host_init(struct tcp_host *host, const struct tcp_host_config *config)
{
	struct tcp_config machine = {
		.n_flows_max = config->budget->limit[BUDGET_TCP] + FLOWS_WITHOUT_SOCKET,
		.n_sockets_max = config->budget->limit[BUDGET_TCP],
		.pool_bytes = POOL_BYTES,
		.mtu_bytes = (uint16_t)tcp_min(config->network->mtu_bytes, UINT16_MAX),
		.frame_data_max = config->has_offloads ? FRAME_DATA_MAX : 0,
	};

	if (config->has_offloads && config->guest_mac) {
		machine.big_frame_data_max = BIG_FRAME_DATA_MAX;
		memcpy(machine.guest_mac, config->guest_mac->octets,
		    sizeof(machine.guest_mac));
	}
	host->poller = config->poller;
	host->tap = config->tap;
	host->budget = config->budget;
	host->wrote_frame = config->wrote_frame;
	host->no_descriptor = config->no_descriptor;
	host->ctx = config->ctx;
	host->network = *config->network;
	host->asks = config->asks;
	asks_serve(host->asks, ASKS_TCP, &asks_ops, host);
	host->has_offloads = config->has_offloads;
	host->world = (struct tcp_world){
		.ctx = host,
		.emit = emit,
		.unreachable = unreachable,
		.open = open_flow,
		.error = socket_error,
		.read = read_socket,
		.write = write_socket,
		.end = end_socket,
		.keep_alive = keep_alive,
		.close = close_socket,
	};
	while (tcp_init(&host->tcp, &machine, &host->world,
		   (uint64_t)clock_now_ns() / CLOCK_NS_PER_US) == -1) {
		if (errno != ENOMEM || machine.pool_bytes <= POOL_BYTES_MIN)
			return -1;
		/* A quarter, not a half: others need address space after this. */
		machine.pool_bytes /= 4;
	}
	return 0;
}

static uint64_t
prepare(void *self, uint64_t now_ms)
{
	const struct tcp_host *host = self;
	uint32_t wait_ms = tcp_wait_ms(&host->tcp);

	return wait_ms == UINT32_MAX ? DEADLINE_NONE : now_ms + wait_ms;
}

static void
finish(void *self, uint64_t now_ms)
{
	struct tcp_host *host = self;
	const struct poller *poller = host->poller;

	(void)now_ms;
	for (size_t i = 0; i < poller->n_events; i++) {
		const struct poller_event *event = &poller->events[i];

		if (event->kind == POLLER_FLOW)
			tcp_host_ready(&host->tcp, event->index, event->generation,
			    event->events);
	}
	tcp_serve(&host->tcp);
	tcp_run_timers(&host->tcp);
	tcp_end_turn(&host->tcp);
}

static void
free_host(void *self)
{
	struct tcp_host *host = self;

	tcp_free(&host->tcp);
}

const struct engine_ops tcp_host_engine = {
	.prepare = prepare,
	.finish = finish,
	.free = free_host,
};
