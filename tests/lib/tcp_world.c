/* SPDX-License-Identifier: BSD-2-Clause */
/* Plays sockets and guest for the TCP machine, and writes down what it does. */
#include "tcp_world.h"
#include "tcp_check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 };

/* The byte at a place of one of a flow's streams. */
static inline uint8_t
pattern(int flow, bool is_from_guest, uint64_t at)
{
	uint64_t x = (at + 1) * UINT64_C(0x9e3779b97f4a7c15) +
	    (uint64_t)(flow * 2 + is_from_guest) * UINT64_C(0xbf58476d1ce4e5b9);

	return (uint8_t)(x >> 56);
}

static void __attribute__((format(printf, 2, 3)))
tell(struct fake_world *world, const char *format, ...)
{
	va_list arguments;

	if (world->frame_hook)
		return;
	if (world->n_lines == FAKE_LINES_MAX) {
		world->fault = "too many calls";
		return;
	}
	va_start(arguments, format);
	vsnprintf(world->lines[world->n_lines++], FAKE_LINE_LEN, format, arguments);
	va_end(arguments);
}

static int
flow_of_key(const struct flow_key *key)
{
	return key->guest_port - FAKE_GUEST_PORT;
}

struct flow_key
fake_key(const struct fake_world *world, int flow)
{
	struct flow_key key = {
		.guest_port = (uint16_t)(FAKE_GUEST_PORT + flow),
		.peer_port = FAKE_PEER_PORT,
		.ethertype = world->is_ip6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
		.protocol = IPPROTO_TCP,
	};

	memcpy(key.guest_address, (const uint8_t[]){ 10, 0, 2, 100 }, 4);
	memcpy(key.peer_address, (const uint8_t[]){ 192, 0, 2, 1 }, 4);
	key.guest_address[3] += (uint8_t)(flow / FAKE_FLOWS_A_GUEST);
	key.peer_address[3] = (uint8_t)(1 + flow / FAKE_FLOWS_A_PEER);
	return key;
}

FAKE_NO_COVERAGE static void
check_data(struct fake_world *world, int flow, const struct tcp_frame *frame)
{
	struct fake_flow *f = &world->flow[flow];
	uint64_t at = frame->seq - (f->our_isn + 1);
	uint32_t len = 0;

	for (int i = 0; i < frame->n_data; i++) {
		const uint8_t *data = frame->data[i].iov_base;

		for (size_t k = 0; k < frame->data[i].iov_len; k++)
			if (data[k] != pattern(flow, false, at++))
				world->fault = "a wrong byte to the guest";
		len += (uint32_t)frame->data[i].iov_len;
	}
	if (len != frame->data_len || at > f->n_sent)
		world->fault = "a wrong length to the guest";
}

static int
on_emit(void *ctx, const struct tcp_frame *frame)
{
	struct fake_world *world = ctx;
	int flow = flow_of_key(frame->key);
	struct fake_flow *f = &world->flow[flow];
	char flags[8], options[100] = "";
	int n = 0;

	if (world->n_emit_errors > 0) {
		world->n_emit_errors--;
		return world->emit_error;
	}
	if (frame->flags & WIRE_TCP_SYN) {
		f->our_isn = frame->seq;
		f->knows_ours = true;
	}
	if (frame->data_len > 0)
		check_data(world, flow, frame);
	if (world->frame_hook) {
		world->frame_hook(world, flow, frame);
		return 0;
	}
	if (frame->flags & WIRE_TCP_FIN)
		flags[n++] = 'F';
	if (frame->flags & WIRE_TCP_SYN)
		flags[n++] = 'S';
	if (frame->flags & WIRE_TCP_RST)
		flags[n++] = 'R';
	if (frame->flags & WIRE_TCP_PSH)
		flags[n++] = 'P';
	if (frame->flags & WIRE_TCP_ACK_FLAG)
		flags[n++] = '.';
	flags[n] = '\0';
	n = 0;
	if (frame->mss)
		n += snprintf(options, sizeof(options), " mss %u", frame->mss);
	if (frame->has_wscale)
		n += snprintf(options + n, sizeof(options) - (size_t)n, " ws %u",
		    frame->wscale);
	if (frame->sack_ok)
		n += snprintf(options + n, sizeof(options) - (size_t)n, " sackok 1");
	for (int i = 0; i < frame->n_sack; i++)
		n += snprintf(options + n, sizeof(options) - (size_t)n, " sack %u-%u",
		    frame->sack[i].left - f->guest_isn,
		    frame->sack[i].right - f->guest_isn);
	tell(world, "guest:%d < %s %u:%u ack %u win %u%s", flow, flags,
	    frame->seq - f->our_isn, frame->seq - f->our_isn + frame->data_len,
	    frame->flags & WIRE_TCP_ACK_FLAG ? frame->ack - f->guest_isn : 0,
	    frame->window, options);
	return 0;
}

static void
on_unreachable(void *ctx, const struct tcp_flow *flow, enum tcp_outcome outcome)
{
	static const char *const names[] = {
		[TCP_HOST_UNREACHABLE] = "host",
		[TCP_NET_UNREACHABLE] = "net",
		[TCP_PROHIBITED] = "prohibited",
	};

	tell(ctx, "guest:%d < unreachable %s", flow_of_key(&flow->link.key),
	    names[outcome]);
}

static void
on_open(void *ctx, struct tcp_flow *flow)
{
	struct fake_world *world = ctx;
	int n = flow_of_key(&flow->link.key);
	struct fake_flow *f = &world->flow[n];

	f->wants_open = true;
	f->handle = flow->link;
	f->index = flow_table_index(&world->tcp.flows, flow);
	tell(world, "host:%d open", n);
}

static struct fake_flow *
flow_of_fd(struct fake_world *world, int fd)
{
	struct fake_flow *f = &world->flow[fd - FAKE_FD_FIRST];

	if (fd - FAKE_FD_FIRST >= world->n_used)
		world->n_used = fd - FAKE_FD_FIRST + 1;
	if (!f->is_open)
		world->fault = "a call on a closed socket";
	return f;
}

static int
on_error(void *ctx, int fd)
{
	struct fake_world *world = ctx;
	const struct fake_flow *f = flow_of_fd(ctx, fd);

	if (!f->connect_error && !f->read_error)
		world->fault = "a call for the error of a socket that has none";
	return f->connect_error ? f->connect_error : f->read_error;
}

FAKE_NO_COVERAGE static ssize_t
on_read(void *ctx, int fd, const struct iovec *to, int n)
{
	struct fake_flow *f = flow_of_fd(ctx, fd);
	ssize_t n_read = 0;

	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < to[i].iov_len && f->n_read < f->n_sent; k++) {
			((uint8_t *)to[i].iov_base)[k] =
			    pattern(fd - FAKE_FD_FIRST, false, f->n_read++);
			n_read++;
		}
	if (n_read > 0)
		return n_read;
	if (f->read_error)
		return f->read_error;
	return f->has_eof ? 0 : -EAGAIN;
}

FAKE_NO_COVERAGE static ssize_t
on_write(void *ctx, int fd, const struct iovec *from, int n)
{
	struct fake_world *world = ctx;
	struct fake_flow *f = flow_of_fd(world, fd);
	ssize_t n_written = 0;

	if (f->is_shut)
		world->fault = "a write after the end";
	if (f->write_error)
		return f->write_error;
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < from[i].iov_len && f->n_takes > 0; k++) {
			if (((uint8_t *)from[i].iov_base)[k] !=
			    pattern(fd - FAKE_FD_FIRST, true, f->n_taken))
				world->fault = "a wrong byte to the host";
			f->n_taken++;
			if (f->n_takes != FAKE_TAKES_ALL)
				f->n_takes--;
			n_written++;
		}
	return n_written > 0 ? n_written : -EAGAIN;
}

static void
tell_taken(struct fake_world *world, int flow)
{
	struct fake_flow *f = &world->flow[flow];

	if (f->n_taken > f->n_told)
		tell(world, "host:%d < %llu", flow,
		    (unsigned long long)(f->n_taken - f->n_told));
	f->n_told = f->n_taken;
}

static void
on_end(void *ctx, int fd)
{
	struct fake_flow *f = flow_of_fd(ctx, fd);

	tell_taken(ctx, fd - FAKE_FD_FIRST);
	f->is_shut = true;
	tell(ctx, "host:%d end", fd - FAKE_FD_FIRST);
}

static void
on_keep_alive(void *ctx, int fd)
{
	flow_of_fd(ctx, fd);
	tell(ctx, "host:%d keepalive", fd - FAKE_FD_FIRST);
}

static void
on_close(void *ctx, int fd, bool is_reset)
{
	struct fake_flow *f = flow_of_fd(ctx, fd);

	tell_taken(ctx, fd - FAKE_FD_FIRST);
	f->is_open = false;
	f->was_closed = true;
	f->was_reset = is_reset;
	tell(ctx, "host:%d %s", fd - FAKE_FD_FIRST, is_reset ? "reset" : "close");
}

void
fake_begin(struct fake_world *world, const struct tcp_config *config, bool is_ip6,
    uint64_t now_us)
{
	struct tcp_config machine = *config;

	memcpy(machine.guest_mac, guest_mac, sizeof(machine.guest_mac));
	memset(world, 0, offsetof(struct fake_world, lines));
	world->n_lines = world->n_taken_lines = 0;
	world->n_turns = world->check_every = 0;
	world->fault = NULL;
	world->is_ip6 = is_ip6;
	world->now_us = now_us;
	world->calls = (struct tcp_world){
		.ctx = world,
		.emit = on_emit,
		.unreachable = on_unreachable,
		.open = on_open,
		.error = on_error,
		.read = on_read,
		.write = on_write,
		.end = on_end,
		.keep_alive = on_keep_alive,
		.close = on_close,
	};
	for (int i = 0; i < FAKE_FLOWS; i++)
		world->flow[i].n_takes = FAKE_TAKES_ALL;
	if (tcp_init(&world->tcp, &machine, &world->calls, now_us) == -1)
		world->fault = "no memory";
}

void
fake_end(struct fake_world *world)
{
	tcp_free(&world->tcp);
}

FAKE_NO_COVERAGE void
fake_guest_sends(struct fake_world *world, int flow, struct tcp_segment *segment,
    uint8_t *buffer)
{
	static struct flow_key keys[FAKE_FLOWS];
	/* Wraps, as the numbers do. */
	uint32_t at = segment->seq - (world->flow[flow].guest_isn + 1);

	keys[flow] = fake_key(world, flow);
	for (uint32_t i = 0; i < segment->data_len; i++)
		buffer[i] = pattern(flow, true, (uint32_t)(at + i));
	segment->data = buffer;
	segment->src_mac = guest_mac;
	segment->dst_mac = our_mac;
	segment->src = keys[flow].guest_address;
	segment->dst = keys[flow].peer_address;
	segment->is_ip6 = world->is_ip6;
	segment->src_port = keys[flow].guest_port;
	segment->dst_port = keys[flow].peer_port;
	tcp_set_time(&world->tcp, world->now_us);
	tcp_from_guest(&world->tcp, segment);
}

void
fake_host_event(struct fake_world *world, int flow, uint32_t events)
{
	struct fake_flow *f = &world->flow[flow];

	tcp_set_time(&world->tcp, world->now_us);
	tcp_host_ready(&world->tcp, f->index, f->handle.generation, events);
}

/* Turns that one stimulus may need: 4 MiB in turns of 1 MiB, and some. */
#define TURNS_MAX 100

void
fake_turn(struct fake_world *world)
{
	struct tcp *tcp = &world->tcp;

	tcp_set_time(tcp, world->now_us);
	tcp_end_batch(tcp);
	for (int i = 0; i < TURNS_MAX; i++) {
		tcp_serve(tcp);
		tcp_run_timers(tcp);
		tcp_end_turn(tcp);
		if (world->check_every == 0 || world->n_turns++ % world->check_every == 0)
			tcp_check(tcp);
		if (tcp_wait_ms(tcp) > 0)
			break;
		if (i == TURNS_MAX - 1)
			world->fault = "the machine spins";
	}
	if (!world->is_awake && tcp_before_sleep(tcp) && world->check_every == 0)
		tcp_check(tcp);
	for (int i = 0; i < world->n_used; i++)
		tell_taken(world, i);
}
