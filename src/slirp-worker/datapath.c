/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves frames between the TAP, the gate and the engines. */
#include "slirp-worker/datapath.h"

#include "base/bytes.h"
#include "base/log.h"
#include "slirp-worker/gate/refusal.h"
#include "slirp-worker/tap/frag.h"
#include "slirp-worker/wire/ip.h"
#include "slirp-worker/wire/tcp_segment.h"
#include "slirp-worker/wire/wire.h"

void
datapath_wrote_frame(void *ctx, int result, size_t frame_len)
{
	struct worker *worker = ctx;

	/* write(2) to a TAP that is down fails with EIO. The guest may bring it up later,
	 * so count the frame and go on. */
	if (result == -1) {
		worker_count(worker, IPC_COUNTER_tap_write_failed, 1);
		return;
	}
	worker_count(worker, IPC_COUNTER_frames_to_guest, 1);
	worker_count(worker, IPC_COUNTER_bytes_to_guest, frame_len);
}

static void
write_frame(struct worker *worker, const uint8_t *frame, size_t frame_len)
{
	datapath_wrote_frame(worker, tapio_write(&worker->tap, frame, frame_len),
	    frame_len);
}

static bool
emit_fragment(void *ctx, const uint8_t *frame, size_t frame_len)
{
	write_frame(ctx, frame, frame_len);
	return true;
}

void
datapath_to_guest(void *ctx, const uint8_t *frame, size_t frame_len)
{
	struct worker *worker = ctx;
	uint32_t mtu_bytes = worker->network.mtu_bytes;
	/* Static, to keep the stack small; the function is not called recursively. */
	static uint8_t scratch[TAPIO_FRAME_MAX];

	if (!frag_needed(frame, frame_len, mtu_bytes)) {
		write_frame(worker, frame, frame_len);
		return;
	}
	if (frag_split(frame, frame_len, mtu_bytes, worker->next_fragment_id++, scratch,
		sizeof(scratch), emit_fragment, worker) == -1)
		worker_count(worker, IPC_COUNTER_oversize_to_guest, 1);
	else
		worker_count(worker, IPC_COUNTER_datagrams_fragmented, 1);
}

static void
refuse(struct worker *worker, const struct gate_frame *parsed, const uint8_t *frame)
{
	uint8_t answer[REFUSAL_MAX_LEN];
	size_t len = refusal_build(parsed, frame, answer, sizeof(answer));

	worker_count_drop(worker, parsed->reason);
	if (len == 0)
		return;
	datapath_to_guest(worker, answer, len);
	worker_count(worker, IPC_COUNTER_refusals_sent, 1);
}

static void judge(struct worker *worker, uint8_t *frame, size_t frame_len, bool was_cut);

/* Adds a fragment, and handles the datagram if it is complete. */
static void
reassemble(struct worker *worker, const struct gate_frame *parsed, const uint8_t *frame)
{
	enum ipc_drop_reason reason;
	uint8_t *whole_frame;
	size_t whole_len;

	switch (reass_add(&worker->reass, parsed, frame, worker->now_ms, &whole_frame,
	    &whole_len, &reason)) {
	case REASS_KEPT:
		break;
	case REASS_COMPLETE:
		worker_count(worker, IPC_COUNTER_datagrams_reassembled, 1);
		/* The result is a whole datagram and goes through the gate again. Its
		 * buffer is used again by the next fragment. */
		worker->from_tap = (struct vnet_frame){ 0 };
		judge(worker, whole_frame, whole_len, true);
		datapath_end_batch(worker);
		break;
	case REASS_DROPPED:
		worker_count_drop(worker, reason);
		break;
	}
}

void
datapath_refused_tcp(void *ctx)
{
	struct worker *worker = ctx;

	worker_count_drop(worker, IPC_DROP_descriptors);
	worker_count(worker, IPC_COUNTER_refusals_sent, 1);
	if (ratelimit_allow(&worker->tcp_refusals, worker->now_ms))
		log_warning("the guest has all connections that %zu descriptors "
			    "allow: new ones are refused until others end",
		    worker->n_descriptors);
}

static void
pass_tcp(struct worker *worker, const struct gate_frame *parsed, const uint8_t *frame)
{
	struct tcp_segment segment;
	size_t n_noted = worker->tcp.tcp.n_noted;

	if (worker->from_tap.sum == VNET_SUM_UNKNOWN &&
	    ip_l4_checksum(frame + WIRE_ETH_LEN, IPPROTO_TCP, frame + parsed->l4_offset,
		parsed->l4_len) != 0) {
		worker_count_drop(worker, IPC_DROP_tcp_checksum);
		return;
	}
	/* Cannot fail: the gate has checked the lengths. */
	if (!tcp_segment_parse(frame, parsed->len, &segment))
		return;
	tcp_from_guest(&worker->tcp.tcp, &segment);
	if (worker->tcp.tcp.n_noted > n_noted)
		tapio_keep(&worker->tap);
}

static void
log_udp_limit(struct worker *worker)
{
	if (ratelimit_allow(&worker->udp_limits, worker->now_ms))
		log_warning("the guest has all %u UDP flows that it may have: each new "
			    "one ends one that has been silent for a second, or is "
			    "dropped",
		    worker->budget.limit[BUDGET_UDP]);
}

void
datapath_udp_gave_way(void *ctx)
{
	struct worker *worker = ctx;

	worker_count(worker, IPC_COUNTER_udp_flows_gave_way, 1);
	log_udp_limit(worker);
}

void
datapath_udp_no_room(void *ctx)
{
	struct worker *worker = ctx;

	worker_count_drop(worker, IPC_DROP_udp_flows);
	log_udp_limit(worker);
}

void
datapath_refused_ping(void *ctx)
{
	struct worker *worker = ctx;

	worker_count_drop(worker, IPC_DROP_descriptors);
}

void
datapath_refused_udp_socket(void *ctx)
{
	struct worker *worker = ctx;

	worker_count_drop(worker, IPC_DROP_udp_flows);
	if (ratelimit_allow(&worker->udp_refusals, worker->now_ms))
		log_warning(
		    "there is no socket for a UDP flow of the guest: new ones are "
		    "refused until descriptors or memory are free");
}

void
datapath_lost_waiting(void *ctx)
{
	struct worker *worker = ctx;

	worker_count_drop(worker, IPC_DROP_waiting);
}

static void
pass_name(struct worker *worker, const struct gate_frame *parsed, const uint8_t *frame)
{
	if (!udp_host_ask_name(&worker->udp, parsed, frame))
		worker_count_drop(worker, IPC_DROP_dns);
}

/* Checks a UDP datagram, and gives it to the UDP engine if it needs a socket. Returns false if
 * the packet is the stack's: not UDP, or DHCP. */
static bool
pass_udp(struct worker *worker, struct gate_frame *parsed, const uint8_t *frame)
{
	const uint8_t *udp = frame + parsed->l4_offset;

	if (parsed->protocol != IPPROTO_UDP)
		return false;
	/* Over IPv4, 0 means that there is no checksum (RFC 768). */
	if (worker->from_tap.sum == VNET_SUM_UNKNOWN &&
	    load_be16(udp + WIRE_UDP_CHECKSUM) != 0 &&
	    ip_l4_checksum(frame + WIRE_ETH_LEN, IPPROTO_UDP, udp, parsed->l4_len) != 0) {
		worker_count_drop(worker, IPC_DROP_udp_checksum);
		return true;
	}
	if (parsed->udp == GATE_UDP_NOTHING && worker->from_tap.piece_len == 0)
		return false;
	/* DHCP or DNS: no client has several requests in a frame. */
	if (parsed->udp == GATE_UDP_NOTHING ||
	    (parsed->udp == GATE_UDP_DNS && worker->from_tap.piece_len != 0)) {
		worker_count_drop(worker, IPC_DROP_offload_kind);
		return true;
	}
	if (parsed->udp == GATE_UDP_DNS) {
		pass_name(worker, parsed, frame);
		return true;
	}
	udp_host_from_guest(&worker->udp, parsed, frame, worker->from_tap.piece_len,
	    worker->now_ms);
	tapio_keep(&worker->tap);
	return true;
}

/* Handles a frame that passed the gate. */
static void
pass(struct worker *worker, struct gate_frame *parsed, uint8_t *frame)
{
	if (parsed->protocol == IPPROTO_TCP)
		pass_tcp(worker, parsed, frame);
	else if (parsed->protocol != IPPROTO_UDP || !pass_udp(worker, parsed, frame))
		stack_input(worker->stack, frame, parsed);
}

static void
pass_icmp_error(struct worker *worker, const struct gate_icmp_error *error)
{
	struct tcp *tcp = &worker->tcp.tcp;

	if (error->is_too_big)
		tcp_too_big(tcp, &error->key, error->seq, error->mtu_bytes);
	else
		tcp_unreachable(tcp, &error->key, error->seq);
}

static void
judge(struct worker *worker, uint8_t *frame, size_t frame_len, bool was_cut)
{
	struct gate_frame parsed;

	switch (gate_check(&worker->gate, frame, frame_len, worker->now_ms, &parsed)) {
	case GATE_PASS:
		parsed.was_cut = was_cut;
		neigh_learn(&worker->neigh, &worker->gate, frame, &parsed,
		    worker->now_ms);
		pass(worker, &parsed, frame);
		break;
	case GATE_PING:
		parsed.was_cut = was_cut;
		neigh_learn(&worker->neigh, &worker->gate, frame, &parsed,
		    worker->now_ms);
		ping_request(&worker->ping, frame, &parsed, worker->now_ms);
		break;
	case GATE_ICMP_ERROR:
		pass_icmp_error(worker, &parsed.icmp_error);
		break;
	case GATE_FRAGMENT:
		reassemble(worker, &parsed, frame);
		break;
	case GATE_REFUSE:
		refuse(worker, &parsed, frame);
		break;
	case GATE_DROP:
		worker_count_drop(worker, parsed.reason);
		break;
	}
}

void
datapath_from_guest(struct worker *worker, uint8_t *frame, size_t frame_len)
{
	enum ipc_drop_reason reason;

	worker->from_tap = (struct vnet_frame){ 0 };
	if (worker->has_offloads &&
	    !vnet_accept(frame - VNET_HEADER_LEN, frame, frame_len, &worker->from_tap,
		&reason)) {
		worker_count_drop(worker, reason);
		return;
	}
	judge(worker, frame, frame_len, false);
}

void
datapath_end_batch(struct worker *worker)
{
	tcp_end_batch(&worker->tcp.tcp);
	udp_host_end_batch(&worker->udp);
	tapio_release(&worker->tap);
}
