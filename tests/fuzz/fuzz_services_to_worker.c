/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connector and a resolver that send anything to the worker, while a guest opens flows: real
 * dispatch, real engines, real sockets. Nothing may crash, the worker's questions keep the
 * protocol and its limits, and at the end no descriptor is left.
 *
 * Input: steps of two bytes: an action, and a value. RAW is followed by a datagram: two bytes of
 * length, then a header and a payload; an odd length sends a socket along.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "datagram.h"
#include "frames.h"
#include "harness.h"
#include "own_netns.h"
#include "slirp-worker/chan_connector.h"
#include "slirp-worker/datapath.h"
#include "worker_box.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_FILES_MAX 128

/* Past this an input is only longer, not different. */
#define STEPS_MAX 256

/* Sockets of sizes that do not matter, from the connector. */
#define N_LISTENERS 8

enum { FRAME, OPENED, REFUSED, LISTENER, GONE, ANSWER, TURN, RAW, N_ACTIONS };

static struct worker_box box;
static struct worker *const worker = &box.worker;
static int guest_fd;
static uint64_t now_ms;

/* The worker's questions without an answer, the oldest first. */
static struct ipc_message asked[IPC_FLOWS_ASKED_MAX];
static size_t n_asked;

/* The number of the last query for the resolver. */
static uint64_t last_query;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	own_netns_enter();
	harness_begin(N_FILES_MAX);
	return 0;
}

/* --- the guest ------------------------------------------------------------------------ */

static void
send_frame(uint8_t value)
{
	static const char *const peers[2][4] = {
		{ "10.0.2.2", "192.0.2.1", "10.0.2.3", "224.0.0.251" },
		{ "fd00::2", "2001:db8::1", "fd00::3", "ff05::1" },
	};
	static const char *const guests[2] = { "10.0.2.100", "fd00::64" };
	static struct frame frame;
	bool is_ipv6 = value & 1;
	const char *peer = peers[is_ipv6][value >> 1 & 3];
	uint16_t port = (uint16_t)(1000 + (value >> 5));

	switch (value >> 3 & 3) {
	case 0:
		frame_tcp(&frame, guests[is_ipv6], port, peer, 80, WIRE_TCP_SYN);
		break;
	case 1:
		frame_echo(&frame, guests[is_ipv6], peer, 20);
		break;
	case 2:
		frame_udp(&frame, guests[is_ipv6], port, peer, 53, NULL, 40);
		break;
	default:
		frame_udp(&frame, guests[is_ipv6], port, peer, 9, NULL, 40);
		break;
	}
	datapath_from_guest(worker, frame.bytes, frame.len);
	datapath_end_batch(worker);
}

/* --- the connector and the resolver --------------------------------------------------- */

static int
make_socket(uint8_t proto)
{
	static const union inaddr_sock to = { .in = { .sin_family = AF_INET,
						  .sin_port = 0x0900 } };
	int fds[2];

	if (proto == IPPROTO_TCP) {
		assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			   fds) == 0);
		(void)!write(fds[1], "data", 4);
		close(fds[1]);
		return fds[0];
	}
	fds[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert(fds[0] != -1 && connect(fds[0], &to.any, sizeof(to.in)) == 0);
	return fds[0];
}

static uint64_t
flow_of(const struct ipc_message *question)
{
	return question->id == IPC_MSG_reply_open ? question->payload.reply_open.flow
						  : question->payload.flow_open.flow;
}

/* Takes the oldest question off. */
static struct ipc_message
next_question(void)
{
	struct ipc_message first = asked[0];

	memmove(asked, asked + 1, --n_asked * sizeof(asked[0]));
	return first;
}

static void
open_next(uint8_t value)
{
	const struct ipc_message question = next_question();
	bool is_reply = question.id == IPC_MSG_reply_open;
	struct ipc_flow_opened opened = {
		.flow = flow_of(&question),
		.to = is_reply ? question.payload.reply_open.peer
			       : question.payload.flow_open.peer,
		.to_port = is_reply ? question.payload.reply_open.peer_port
				    : question.payload.flow_open.peer_port,
		.own_port = value,
	};
	const struct ipc_flow_answers answers = { .flow = opened.flow };
	autofd int fd =
	    make_socket(is_reply ? IPPROTO_UDP : question.payload.flow_open.proto);

	if (value & 1)
		(void)ipc_send_flow_answers(&box.connector, &answers, fd);
	(void)ipc_send_flow_opened(&box.connector, &opened, fd);
}

static void
refuse_next(uint8_t value)
{
	const struct ipc_message question = next_question();
	const struct ipc_flow_refused refused = {
		.flow = flow_of(&question),
		.error = value % 127 + 1U,
	};

	(void)ipc_send_flow_refused(&box.connector, &refused);
}

static void
send_listener(uint8_t value)
{
	struct ipc_listener listener = {
		.id = value % N_LISTENERS,
		.forward = value,
		.host_addr = inaddr_loopback(false),
		.guest_addr = { .bytes = { 10, 0, 2, value & 16 ? 100 : 77 } },
		.host_port = (uint16_t)(5000 + value),
		.guest_port = (uint16_t)(6000 + value),
		.proto = value & 8 ? IPPROTO_UDP : IPPROTO_TCP,
	};
	const union inaddr_sock host =
	    inaddr_sock_make(&listener.host_addr, listener.host_port);
	autofd int fd = socket(AF_INET,
	    (value & 8 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	autofd int peer_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert(fd != -1 && peer_fd != -1);
	(void)bind(fd, &host.any, sizeof(host.in));
	if (!(value & 8))
		(void)listen(fd, 1);
	/* A peer of the port. */
	(void)sendto(peer_fd, "x", 1, MSG_DONTWAIT, &host.any, sizeof(host.in));
	(void)ipc_send_listener(&box.connector, &listener, fd);
}

static void
answer_query(uint8_t value)
{
	struct ipc_dns_answer answer = {
		.number = value & 1 ? last_query : value,
		.len = (uint16_t)(IPC_DNS_LEN_MIN + value),
	};

	(void)ipc_send_dns_answer(&box.resolver, &answer);
}

/* --- the worker ----------------------------------------------------------------------- */

static void
turn(uint8_t value)
{
	now_ms += (uint64_t)value * 100;
	worker->now_ms = now_ms;
	stack_set_time(worker->stack, (int64_t)(now_ms * CLOCK_NS_PER_MS));
	tcp_set_time(&worker->tcp.tcp, now_ms * (CLOCK_NS_PER_MS / CLOCK_NS_PER_US));
	(void)chan_connector_report(worker);
	(void)engines_prepare(&worker->engines, now_ms);
	(void)asks_due(&worker->asks, now_ms);
	(void)poller_look(&worker->poller, 0);
	engines_finish(&worker->engines, now_ms);
	asks_turn(&worker->asks, now_ms);
}

/* Takes all that the worker says: to the guest, the parent, the connector and the resolver. */
static void
take_news(void)
{
	static char news[1 << 17];
	struct ipc_message msg;
	const char *why;
	enum ipc_outcome outcome;

	while (recv(guest_fd, news, sizeof(news), MSG_DONTWAIT) > 0)
		continue;
	while (recv(box.parent_fd, news, sizeof(news), MSG_DONTWAIT) > 0)
		continue;
	while ((outcome = ipc_channel_recv(&box.connector, &msg, &why)) ==
	    IPC_OUTCOME_MESSAGE) {
		if (msg.id != IPC_MSG_flow_open && msg.id != IPC_MSG_reply_open)
			continue;
		assert(n_asked < IPC_FLOWS_ASKED_MAX);
		asked[n_asked++] = msg;
	}
	assert(outcome == IPC_OUTCOME_NONE || outcome == IPC_OUTCOME_CLOSED);
	if (outcome == IPC_OUTCOME_CLOSED) {
		assert(worker->to_connector.fd == -1);
		n_asked = 0;
		worker_box_open_connector(&box);
	}
	while ((outcome = ipc_channel_recv(&box.resolver, &msg, &why)) ==
	    IPC_OUTCOME_MESSAGE)
		if (msg.id == IPC_MSG_dns_query)
			last_query = msg.payload.dns_query.number;
	assert(outcome == IPC_OUTCOME_NONE || outcome == IPC_OUTCOME_CLOSED);
	if (outcome == IPC_OUTCOME_CLOSED)
		worker_box_open_resolver(&box);
}

static void
act(unsigned int action, uint8_t value, const uint8_t **data, size_t *size)
{
	switch (action) {
	case FRAME:
		send_frame(value);
		break;
	case OPENED:
		if (n_asked > 0)
			open_next(value);
		break;
	case REFUSED:
		if (n_asked > 0)
			refuse_next(value);
		break;
	case LISTENER:
		send_listener(value);
		break;
	case GONE:
		(void)ipc_send_listener_gone(&box.connector,
		    &(struct ipc_listener_gone){ .id = value % N_LISTENERS });
		break;
	case ANSWER:
		answer_query(value);
		break;
	case TURN:
		turn(value);
		break;
	case RAW: {
		autofd int fd = make_socket(IPPROTO_UDP);

		datagram_send(value & 1 ? box.resolver.fd : box.connector.fd, fd, data,
		    size);
		break;
	}
	}
	if (worker->to_connector.fd != -1)
		chan_connector_receive(worker);
	if (worker->to_resolver.fd != -1)
		chan_resolver_receive(worker);
	take_news();
}

static void
open_all(void)
{
	int fds[2];

	now_ms = 1000;
	n_asked = 0;
	last_query = 0;
	worker_box_open(&box, true);
	assert(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) == 0);
	guest_fd = fds[1];
	assert(tapio_init(&worker->tap, &worker->poller, fds[0], 0) == 0);
	assert(reass_init(&worker->reass) == 0);
	worker_box_open_resolver(&box);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_all();
	for (int i = 0; i < STEPS_MAX && size >= 2; i++) {
		uint8_t action = data[0] % N_ACTIONS, value = data[1];

		data += 2;
		size -= 2;
		act(action, value, &data, &size);
	}
	reass_free(&worker->reass);
	tapio_close(&worker->tap);
	close(guest_fd);
	worker_box_close(&box);
	harness_check_descriptors();
	return 0;
}
