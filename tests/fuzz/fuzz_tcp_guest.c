/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP machine against a guest as in a textbook, over a wire that loses, doubles and
 * delays. The input sets the wire, the windows, the speeds and who opens, and then the fate of
 * each frame; when it is used up the wire is perfect and the programs are quick.
 *
 * Held: both streams arrive whole, soon after the wire is perfect, or one side has seen a
 * reset; and a reset needs many lost frames. A stream never ends early.
 */
#include "tcp_textbook.h"
#include "tcp_world.h"

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

#define WIRE_FRAMES_MAX 256
#define SEGMENT_MAX 9000
#define US_PER_MS 1000

/* Over a perfect wire the streams end soon: both ends' longest timeouts are a minute. A step
 * is all that happens at one time. */
#define PERFECT_MS (UINT64_C(300) * 1000)
#define STEPS_MAX 400000

/* A connection ends by a reset after five lost SYN-ACKs, or twelve lost repetitions. */
#define LOST_BEFORE_RESET 5

/* A window of fewer parts of the stream takes too many steps. */
#define WINDOWS_MAX 64

static struct {
	uint8_t loss, twice, late; /* of 256 frames */
	uint32_t delay_ms, spread_ms;
	uint32_t n_lost;
	struct wire_frame {
		uint64_t at_ms;
		bool to_guest;
		struct textbook_frame frame;
	} frames[WIRE_FRAMES_MAX];
	size_t n;
} wire;

/* The programs at both ends. */
static struct {
	uint32_t n_sends, n_takes, n_reads, every_ms;
	uint64_t at_ms;
} programs;

static struct textbook guest;
static struct fake_world world;
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
	return (uint32_t)((uint64_t)n * below >> 16);
}

static uint64_t
now_ms(void)
{
	return world.now_us / US_PER_MS;
}

static bool
is_perfect(void)
{
	return n_input == 0;
}

/* For people who replay an input. */
static void
trace(const char *what, const struct textbook_frame *frame)
{
	if (getenv("SLIRPD_FUZZ_TRACE"))
		fprintf(stderr, "%llu %s flags %#x seq %u:%u ack %u win %u\n",
		    (unsigned long long)now_ms(), what, frame->flags, frame->seq,
		    frame->seq + frame->len, frame->ack, frame->window);
}

static void
put(const struct textbook_frame *frame, bool to_guest)
{
	int n_copies = 1;

	trace(to_guest ? "to guest" : "to machine", frame);
	if (!is_perfect()) {
		uint32_t fate = byte();

		n_copies = fate < wire.loss ? 0 : fate >= 256u - wire.twice ? 2 : 1;
	}
	if (n_copies == 0 || wire.n + (size_t)n_copies > WIRE_FRAMES_MAX) {
		trace("lost", frame);
		wire.n_lost++;
		return;
	}
	while (n_copies-- > 0) {
		uint64_t at_ms = now_ms() + wire.delay_ms;

		if (!is_perfect() && byte() < wire.late)
			at_ms += number(wire.spread_ms);
		wire.frames[wire.n++] = (struct wire_frame){ at_ms, to_guest, *frame };
	}
}

static void
on_guest_frame(struct textbook *from, const struct textbook_frame *frame)
{
	(void)from;
	put(frame, false);
}

static void
on_machine_frame(struct fake_world *w, int flow, const struct tcp_frame *from)
{
	struct textbook_frame frame = {
		.seq = from->seq,
		.ack = from->ack,
		.len = from->data_len,
		.window = from->window,
		.flags = from->flags,
		.mss = from->mss,
		.has_wscale = from->has_wscale,
		.sack_ok = from->sack_ok,
	};

	(void)w;
	(void)flow;
	put(&frame, true);
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
to_machine(const struct textbook_frame *frame)
{
	struct tcp_segment segment = {
		.seq = frame->seq,
		.ack = frame->ack,
		.flags = frame->flags,
		.window = (uint16_t)frame->window,
		.data_len = frame->len,
		.mss = frame->mss,
		.has_wscale = frame->has_wscale,
		.wscale = guest.scale,
		.sack_ok = frame->sack_ok,
		.n_sack = frame->n_sack,
	};

	memcpy(segment.sack, frame->sack, sizeof(segment.sack));
	if (n_data > TCP_NOTED_MAX)
		end_batch();
	fake_guest_sends(&world, 0, &segment, data[n_data++]);
}

/* Both programs read or take some, and the peer's sends some. */
static void
programs_work(void)
{
	struct fake_flow *peer = &world.flow[0];

	if (is_perfect()) {
		programs.n_sends = programs.n_takes = programs.n_reads =
		    TEXTBOOK_STREAM_MAX;
		programs.every_ms = 1;
	}
	programs.at_ms = now_ms() + programs.every_ms;
	/* A program that sleeps for a while. */
	if (!is_perfect() && byte() == 0)
		programs.at_ms += number(20000);
	textbook_read(&guest, programs.n_reads);
	if (!peer->is_open)
		return;
	if (peer->n_sent < guest.n_peer_stream) {
		peer->n_sent += tcp_min(programs.n_sends,
		    guest.n_peer_stream - (uint32_t)peer->n_sent);
		fake_host_event(&world, 0, EPOLLIN);
	} else if (!peer->has_eof) {
		peer->has_eof = true;
		fake_host_event(&world, 0, EPOLLIN | EPOLLRDHUP);
	}
	if (peer->n_takes < programs.n_takes) {
		peer->n_takes = programs.n_takes;
		fake_host_event(&world, 0, EPOLLOUT);
	}
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
deliver_due(void)
{
	for (size_t i = 0; i < wire.n;) {
		struct wire_frame due = wire.frames[i];

		if (due.at_ms > now_ms()) {
			i++;
			continue;
		}
		memmove(&wire.frames[i], &wire.frames[i + 1],
		    (--wire.n - i) * sizeof(wire.frames[0]));
		if (due.to_guest)
			textbook_take(&guest, &due.frame);
		else
			to_machine(&due.frame);
	}
}

/* The peer's side of a connection that the guest opens. */
static void
answer_open(void)
{
	struct fake_flow *peer = &world.flow[0];

	if (!peer->wants_open || peer->is_open || peer->was_closed)
		return;
	peer->is_open = true;
	tcp_opened(&world.tcp, peer->index, peer->handle.generation, FAKE_FD_FIRST);
	fake_host_event(&world, 0, EPOLLOUT);
	end_batch();
}

/* Goes to the next time at which something happens. */
static void
step(void)
{
	uint64_t at_ms =
	    sooner(now_ms() + tcp_wait_ms(&world.tcp), textbook_wakes_ms(&guest));

	at_ms = sooner(at_ms, programs.at_ms);
	for (size_t i = 0; i < wire.n; i++)
		at_ms = sooner(at_ms, wire.frames[i].at_ms);
	if (at_ms > now_ms())
		world.now_us = at_ms * US_PER_MS;
	guest.now_ms = now_ms();
	deliver_due();
	textbook_work(&guest);
	if (now_ms() >= programs.at_ms)
		programs_work();
	end_batch();
	answer_open();
}

static bool
is_done(void)
{
	const struct fake_flow *peer = &world.flow[0];

	/* A close without a reset: the peer got the whole stream. */
	promise(!peer->was_closed || peer->was_reset || peer->n_taken == guest.n_stream);
	promise(!peer->is_shut || peer->n_taken == guest.n_stream);
	return textbook_has_all(&guest) && peer->is_shut;
}

static void
begin_guest(uint16_t mtu_bytes)
{
	memset(&guest, 0, sizeof(guest));
	guest.send = on_guest_frame;
	guest.iss = byte() & 1 ? 0xfffff000 : 0x7ffff000;
	guest.n_stream = number(TEXTBOOK_STREAM_MAX) >> byte() % 12;
	guest.n_peer_stream = number(TEXTBOOK_STREAM_MAX) >> byte() % 12;
	guest.mss = 88 + number(mtu_bytes - 128u);
	guest.scales = byte() & 1;
	guest.scale = guest.scales ? (uint8_t)(byte() % 8) : 0;
	guest.buffer = tcp_max(number(0x40000), 4u << guest.scale);
	guest.buffer = tcp_max(guest.buffer, guest.n_peer_stream / WINDOWS_MAX);
	guest.has_sack = byte() & 1;
	guest.rto_ms = TEXTBOOK_RTO_FIRST_MS;
	guest.rto_at_ms = TEXTBOOK_NEVER;
}

static void
begin_world(const struct tcp_config *config)
{
	bool is_ip6 = byte() & 1;

	wire.n = wire.n_lost = 0;
	wire.loss = (uint8_t)(byte() % 100);
	wire.twice = (uint8_t)(byte() % 60);
	wire.late = (uint8_t)byte();
	wire.delay_ms = byte() % 30;
	wire.spread_ms = number(500);
	programs.n_sends = 1 + number(0x10000);
	programs.n_takes = 1 + number(0x10000);
	programs.n_reads = 1 + number(0x10000);
	programs.every_ms = 1 + byte();
	fake_begin(&world, config, is_ip6, UINT64_C(1000000) * (1 + number(65535)));
	world.frame_hook = on_machine_frame;
	/* A run has many turns. */
	world.check_every = 1 + byte() % 32;
	world.is_awake = byte() & 1;
	world.flow[0].guest_isn = guest.iss;
	world.flow[0].n_takes = programs.n_takes;
	programs.at_ms = guest.now_ms = now_ms();
	n_data = 0;
}

static void
begin_forward(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct flow_key key = fake_key(&world, 0);
	struct fake_flow *peer = &world.flow[0];
	struct tcp_flow *flow;

	guest.state = TEXTBOOK_LISTEN;
	tcp_set_time(&world.tcp, world.now_us);
	peer->is_open = true;
	flow = tcp_accepted(&world.tcp, FAKE_FD_FIRST, &key, mac, mac, 1);
	promise(flow);
	peer->handle = flow->link;
	peer->index = flow_table_index(&world.tcp.flows, flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool has_secret;
	const struct fake_flow *peer = &world.flow[0];
	struct tcp_config config = { .n_flows_max = 4 };
	uint64_t end_ms = UINT64_MAX;
	int n_steps = 0;

	if (!has_secret)
		has_secret = flow_key_make_secret() == 0;
	input = bytes;
	n_input = size;
	config.mtu_bytes = (uint16_t)(576 + number(SEGMENT_MAX - 600));
	config.frame_data_max = byte() & 1 ? 64240 : 0;
	config.pool_bytes = (size_t)(1 + byte() % 8) << 18;
	begin_guest(config.mtu_bytes);
	begin_world(&config);
	if (byte() & 1)
		begin_forward();
	else
		textbook_open(&guest);
	while (!is_done() && !guest.is_reset && !peer->was_reset) {
		promise(++n_steps < STEPS_MAX);
		if (!is_perfect())
			end_ms = now_ms() + PERFECT_MS;
		promise(now_ms() < end_ms);
		step();
	}
	promise(is_done() || guest.is_reset || peer->was_reset);
	promise(is_done() || wire.n_lost >= LOST_BEFORE_RESET);
	fake_end(&world);
	promise(!world.fault);
	return 0;
}
