/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of the TCP machine between a guest and a peer that the input moves: lost,
 * doubled and late segments both ways, windows of any size, sockets that take little, a guest
 * that lies.
 *
 * Held: all invariants after every step; each byte that arrives is the right one; and if
 * nobody lied, then from the time on that all is well both streams end within ten minutes, or
 * one side has seen a reset.
 */
#include "tcp_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

#define STREAM_MAX 300000
#define FRAMES_MAX 64
#define SEGMENT_MAX 5000
#define US_PER_MS 1000
#define WELL_MS 600000
#define GUEST_RTO_MS 300

/* A quarter of the values of a byte. */
#define ROUTER_SAYS 64

struct frame {
	uint32_t seq, ack, len;
	uint8_t flags;
	uint16_t window;
	bool has_wscale;
};

/* A guest as in a textbook. Its stream and the peer's are numbered from 0. */
static struct guest {
	bool is_open, is_reset, has_lied;
	uint32_t n_stream;      /* bytes that it will send, then FIN */
	uint32_t una, nxt, max; /* of its stream; the FIN is one byte behind */
	uint32_t edge;          /* that the machine has allowed */
	uint32_t our_isn;
	uint32_t rcv_nxt; /* of the peer's stream */
	bool got_fin;
	uint32_t fin_at;
	uint8_t has[STREAM_MAX]; /* bytes of the peer's stream */
	uint32_t has_end;        /* none at or behind it */
	uint32_t window;
	uint8_t scale;
	bool has_sack;
	uint64_t sent_at_ms;
} guest;

static struct fake_world world;
static struct frame queue[FRAMES_MAX];
static size_t n_queue;
static uint8_t data[TCP_NOTED_MAX + 1][SEGMENT_MAX];
static size_t n_data;

static const uint8_t *input;
static size_t n_input;

static uint32_t
byte(void)
{
	if (n_input == 0)
		return 0;
	n_input--;
	return *input++;
}

static uint32_t
number(uint32_t below)
{
	uint32_t n = byte() << 8;

	n |= byte();
	return below ? n * 5 % below : n;
}

/* The end of a run of bytes that the guest has, or has not. */
FAKE_NO_COVERAGE static uint32_t
run_end(uint32_t at, uint8_t has)
{
	while (at < guest.has_end && guest.has[at] == has)
		at++;
	return at;
}

static void
take_frame(const struct frame *frame)
{
	uint32_t at = frame->seq - (guest.our_isn + 1);

	if (frame->flags & WIRE_TCP_RST) {
		guest.is_reset = true;
		return;
	}
	if (frame->flags & WIRE_TCP_SYN) {
		guest.our_isn = frame->seq;
		guest.is_open = true;
		guest.edge = frame->window;
		return;
	}
	if (!guest.is_open)
		return;
	if (frame->flags & WIRE_TCP_ACK_FLAG) {
		uint32_t ack = frame->ack - (world.flow[0].guest_isn + 1);
		uint32_t edge =
		    ack + ((uint32_t)frame->window << (guest.scale ? TCP_OUR_WSCALE : 0));

		promise(ack <= guest.max);
		if (ack > guest.una)
			guest.una = ack;
		if (guest.nxt < guest.una)
			guest.nxt = guest.una;
		if (edge > guest.edge)
			guest.edge = edge;
	}
	promise(frame->len == 0 || at + frame->len <= STREAM_MAX);
	if (frame->len > 0)
		memset(&guest.has[at], 1, frame->len);
	if (frame->len > 0 && at + frame->len > guest.has_end)
		guest.has_end = at + frame->len;
	if (frame->flags & WIRE_TCP_FIN) {
		promise(!guest.got_fin || guest.fin_at == at + frame->len);
		guest.got_fin = true;
		guest.fin_at = at + frame->len;
	}
	guest.rcv_nxt = run_end(guest.rcv_nxt, 1);
	if (guest.got_fin)
		promise(guest.rcv_nxt <= guest.fin_at);
}

static void
on_frame(struct fake_world *w, int flow, const struct tcp_frame *frame)
{
	(void)w;
	(void)flow;
	/* The guest's queue is full: the frame is lost. */
	if (n_queue == FRAMES_MAX)
		return;
	queue[n_queue++] = (struct frame){
		.seq = frame->seq,
		.ack = frame->ack,
		.len = frame->data_len,
		.flags = frame->flags,
		.window = frame->window,
		.has_wscale = frame->has_wscale,
	};
}

static void
deliver(size_t i)
{
	struct frame frame = queue[i];

	memmove(&queue[i], &queue[i + 1], (--n_queue - i) * sizeof(queue[0]));
	take_frame(&frame);
}

static uint32_t
advertised(void)
{
	uint32_t n = guest.window >> guest.scale;

	return n > UINT16_MAX ? UINT16_MAX : n;
}

static void
add_sack(struct tcp_segment *segment)
{
	uint32_t at = guest.rcv_nxt;

	while (guest.has_sack && segment->n_sack < TCP_SACK_MAX && at < guest.has_end) {
		uint32_t left = run_end(at, 0);

		at = run_end(left, 1);
		if (at > left)
			segment->sack[segment->n_sack++] =
			    (struct tcp_sack_block){ guest.our_isn + 1 + left,
				    guest.our_isn + 1 + at };
	}
}

static void
end_batch(void)
{
	n_data = 0;
	fake_turn(&world);
	if (world.fault)
		fprintf(stderr, "fault: %s\n", world.fault);
	promise(!world.fault);
}

static void
guest_sends(uint32_t at, uint32_t len, uint8_t flags)
{
	uint32_t ack = guest.rcv_nxt + (guest.got_fin && guest.rcv_nxt == guest.fin_at);
	struct tcp_segment segment = {
		.seq = world.flow[0].guest_isn + 1 + at,
		.ack = guest.our_isn + 1 + ack,
		.flags = (uint8_t)(flags | WIRE_TCP_ACK_FLAG),
		.window = (uint16_t)advertised(),
		.data_len = len,
	};

	add_sack(&segment);
	if (at + len + !!(flags & WIRE_TCP_FIN) > guest.max)
		guest.max = at + len + !!(flags & WIRE_TCP_FIN);
	guest.sent_at_ms = world.now_us / US_PER_MS;
	if (n_data > TCP_NOTED_MAX)
		end_batch();
	fake_guest_sends(&world, 0, &segment, data[n_data++]);
}

/* New data and the FIN, as far as the machine has allowed. */
static void
send_new(uint32_t len)
{
	uint32_t room = guest.edge > guest.nxt ? guest.edge - guest.nxt : 0;
	uint8_t flags = 0;

	if (guest.nxt > guest.n_stream)
		return;
	if (len > room)
		len = room;
	if (len > guest.n_stream - guest.nxt)
		len = guest.n_stream - guest.nxt;
	if (guest.nxt + len == guest.n_stream && room > len)
		flags = WIRE_TCP_FIN;
	if (len == 0 && !flags)
		return;
	guest_sends(guest.nxt, len, flags);
	guest.nxt += len + !!flags;
}

static void
send_again(uint32_t at, uint32_t len)
{
	if (at >= guest.max || at > guest.n_stream)
		return;
	if (len > guest.max - at)
		len = guest.max - at;
	if (at + len > guest.n_stream)
		guest_sends(at, guest.n_stream - at, WIRE_TCP_FIN);
	else
		guest_sends(at, len, 0);
}

static void
lie(void)
{
	struct tcp_segment segment = {
		.seq =
		    world.flow[0].guest_isn + 1 + guest.nxt + number(0x20000) - 0x10000,
		.ack = guest.our_isn + 1 + guest.rcv_nxt + number(0x20000) - 0x10000,
		.flags = (uint8_t)byte(),
		.window = (uint16_t)number(0x10000),
		.data_len = number(SEGMENT_MAX),
		.mss = (uint16_t)number(3000),
		.sack_ok = byte() & 1,
		.n_sack = (uint8_t)(byte() % (TCP_SACK_MAX + 1)),
	};

	for (int i = 0; i < segment.n_sack; i++)
		segment.sack[i] =
		    (struct tcp_sack_block){ guest.our_isn + number(0x10000),
			    guest.our_isn + number(0x10000) };
	if (byte() & 1)
		segment.seq = world.flow[0].guest_isn + 1 + guest.una;
	if (byte() & 1)
		segment.ack = guest.our_isn + 1 + guest.rcv_nxt;
	guest.has_lied = true;
	/* All that it sends may be acknowledged now. */
	guest.max = UINT32_MAX / 2;
	if (n_data > TCP_NOTED_MAX)
		end_batch();
	fake_guest_sends(&world, 0, &segment, data[n_data++]);
}

static void
pass_ms(uint32_t ms)
{
	world.now_us += (uint64_t)ms * US_PER_MS;
	end_batch();
}

static void
peer_event(uint32_t events)
{
	if (world.flow[0].is_open)
		fake_host_event(&world, 0, events);
	end_batch();
}

/* A router of the guest finds a segment too long, or has no way for it: of those under way or
 * another one. */
static void
router_says(bool is_too_big)
{
	struct flow_key key = fake_key(&world, 0);
	uint32_t seq = guest.our_isn + 1 + guest.rcv_nxt + number(0x10000);

	if (is_too_big)
		tcp_too_big(&world.tcp, &key, seq, number(0x10000));
	else
		tcp_unreachable(&world.tcp, &key, seq);
	end_batch();
}

static void
step(uint32_t n_peer_stream)
{
	struct fake_flow *peer = &world.flow[0];
	uint32_t n;

	switch (byte() % 20) {
	case 0:
	case 1:
		send_new(1 + number(SEGMENT_MAX));
		break;
	case 2:
		send_again(guest.una, 1 + number(SEGMENT_MAX));
		break;
	case 3:
		n = guest.max - guest.una;
		send_again(guest.una + number(n < 0x10000 ? n : 0x10000),
		    1 + number(SEGMENT_MAX));
		break;
	case 4:
		guest_sends(guest.nxt, 0, 0);
		break;
	case 5:
		guest.window = number(0) + (byte() << (byte() % 12));
		guest_sends(guest.nxt, 0, 0);
		break;
	case 6:
	case 7:
		n = 1 + number(0x10000);
		if (n > n_peer_stream - peer->n_sent)
			n = n_peer_stream - (uint32_t)peer->n_sent;
		peer->n_sent += n;
		peer_event(EPOLLIN);
		break;
	case 8:
		peer->n_sent = n_peer_stream;
		peer->has_eof = true;
		peer_event(EPOLLIN | EPOLLRDHUP);
		break;
	case 9:
		peer->n_takes = number(0x10000);
		break;
	case 10:
		peer->n_takes = FAKE_TAKES_ALL;
		peer_event(EPOLLOUT);
		break;
	case 11:
		pass_ms(byte());
		break;
	case 12:
		pass_ms(number(0x10000));
		break;
	case 13:
		while (n_queue > 0)
			deliver(0);
		break;
	case 14:
		if (n_queue > 0)
			deliver(byte() % n_queue);
		break;
	case 15:
		n_queue = byte() & 1 ? 0 : n_queue / 2;
		break;
	case 16:
		world.emit_error = byte() & 1 ? -ENOMEM : -EAGAIN;
		world.n_emit_errors = byte() % 4;
		break;
	case 17:
		world.is_awake = byte() & 1;
		end_batch();
		break;
	case 18:
		n = byte();
		if (n == 0)
			lie();
		else if (n < ROUTER_SAYS)
			router_says(n > 1);
		break;
	case 19:
		if (byte() == 1) {
			peer->read_error = peer->write_error = -ECONNRESET;
			peer_event(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP);
		}
		break;
	}
}

static bool
is_done(uint32_t n_peer_stream)
{
	const struct fake_flow *peer = &world.flow[0];

	return guest.is_reset || (!peer->is_open && !peer->is_shut) ||
	    (peer->n_taken == guest.n_stream && peer->is_shut && guest.got_fin &&
		guest.rcv_nxt == n_peer_stream);
}

/* From now on nothing is lost, and everybody takes everything. */
static void
end_well(uint32_t n_peer_stream)
{
	struct fake_flow *peer = &world.flow[0];
	const struct tcp_flow *flow;
	bool may_be_reset;

	/* A reset from before is under way. */
	while (n_queue > 0)
		deliver(0);
	flow = flow_table_next(&world.tcp.flows, NULL);
	/* After many timeouts the next one may be the last. */
	may_be_reset = (flow && flow->n_backoffs > TCP_BACKOFFS_MAX / 2) ||
	    guest.is_reset || guest.has_lied || peer->read_error || !peer->is_open;
	world.n_emit_errors = 0;
	world.is_awake = false;
	peer->n_takes = FAKE_TAKES_ALL;
	peer->n_sent = n_peer_stream;
	peer->has_eof = true;
	guest.window = 65535;
	tcp_tap_ready(&world.tcp);
	peer_event(EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	guest_sends(guest.nxt, 0, 0);
	for (uint32_t ms = 0; ms < WELL_MS && !is_done(n_peer_stream); ms += 5) {
		bool heard = n_queue > 0;

		while (n_queue > 0)
			deliver(0);
		if (heard)
			guest_sends(guest.nxt, 0, 0);
		send_new(SEGMENT_MAX);
		if (guest.una < guest.nxt &&
		    world.now_us / US_PER_MS - guest.sent_at_ms >= GUEST_RTO_MS)
			send_again(guest.una, SEGMENT_MAX);
		/* A textbook guest probes a closed window. */
		if (guest.una == guest.nxt && guest.nxt <= guest.n_stream &&
		    world.now_us / US_PER_MS - guest.sent_at_ms >= GUEST_RTO_MS)
			guest_sends(guest.nxt, 0, 0);
		pass_ms(5);
	}
	promise(guest.has_lied || is_done(n_peer_stream));
	if (!may_be_reset && guest.is_reset)
		for (int i = 0; i < TCP_N_ENDS; i++)
			if (world.tcp.ends[i] > 0)
				fprintf(stderr, "ended: %s\n",
				    tcp_end_str((enum tcp_end)i));
	promise(may_be_reset || !guest.is_reset);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tcp_config config = {
		.n_flows_max = 4,
		.mtu_bytes = 1500,
		.frame_data_max = 64240,
		.big_frame_data_max = 130320,
	};
	static bool has_secret;
	uint32_t n_peer_stream;

	if (!has_secret)
		has_secret = flow_key_make_secret() == 0;
	input = bytes;
	n_input = size;
	memset(&guest, 0, sizeof(guest));
	n_queue = n_data = 0;
	guest.window = 65535;
	guest.scale = (uint8_t)(byte() % 15);
	guest.has_sack = byte() & 1;
	guest.n_stream = number(0x4000) * (1 + byte() % 8);
	n_peer_stream = number(0x4000) * (1 + byte() % 8);
	config.pool_bytes = (size_t)(1 + byte() % 8) << 18;
	if (byte() & 1)
		config.frame_data_max = config.big_frame_data_max = 0;
	fake_begin(&world, &config, byte() & 1, UINT64_C(1000000) * (1 + number(0)));
	world.frame_hook = on_frame;
	world.flow[0].guest_isn = byte() & 1 ? 0xfffff000 : 0x7ffff000;

	struct tcp_segment syn = {
		.ttl = 64,
		.seq = world.flow[0].guest_isn,
		.flags = WIRE_TCP_SYN,
		.window = 65535,
		.mss = (uint16_t)number(3000),
		.has_wscale = guest.scale > 0,
		.wscale = guest.scale,
		.sack_ok = guest.has_sack,
	};

	fake_guest_sends(&world, 0, &syn, data[0]);
	world.flow[0].is_open = true;
	tcp_opened(&world.tcp, world.flow[0].index, world.flow[0].handle.generation, 100);
	peer_event(EPOLLOUT);
	while (n_queue > 0)
		deliver(0);
	guest_sends(0, 0, 0);
	end_batch();
	while (n_input > 0)
		step(n_peer_stream);
	end_batch();
	end_well(n_peer_stream);
	fake_end(&world);
	promise(!world.fault);
	return 0;
}
