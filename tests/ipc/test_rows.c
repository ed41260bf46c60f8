/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every row of messages.h, sent right and sent wrong in each way that the protocol
 * knows, between two ends in one process. The rows themselves make the tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc_samples.h"

/* The most descriptors that a test sends with one message. */
#define N_FDS_MAX 4

struct wire {
	uint32_t id;
	uint32_t payload_size;
	union ipc_payload payload;
	char surplus[8];
};

/* The receiving end under test, and a bare socket on which anything can be sent. */
struct ends {
	struct ipc_channel receiver;
	int sender_fd;
	enum ipc_role sender_role;
};

static void
sender_and_receiver(enum ipc_arrow arrow, enum ipc_role *sender, enum ipc_role *receiver)
{
	static const struct {
		enum ipc_role sender, receiver;
	} roles[IPC_ARROW_N] = {
		[IPC_ARROW_BOTH_WAYS] = { IPC_ROLE_SLIRP_WORKER, IPC_ROLE_PARENT },
		[IPC_ARROW_CHILD_TO_PARENT] = { IPC_ROLE_SLIRP_WORKER, IPC_ROLE_PARENT },
		[IPC_ARROW_PARENT_TO_CHILD] = { IPC_ROLE_PARENT, IPC_ROLE_SLIRP_WORKER },
		[IPC_ARROW_PARENT_TO_NETNS_HELPER] = { IPC_ROLE_PARENT,
		    IPC_ROLE_NETNS_HELPER },
		[IPC_ARROW_NETNS_HELPER_TO_PARENT] = { IPC_ROLE_NETNS_HELPER,
		    IPC_ROLE_PARENT },
		[IPC_ARROW_PARENT_TO_JAILED] = { IPC_ROLE_PARENT, IPC_ROLE_API },
		[IPC_ARROW_SOCKET_MAKERS_TO_PARENT] = { IPC_ROLE_CONNECTOR,
		    IPC_ROLE_PARENT },
		[IPC_ARROW_JAILED_TO_PARENT] = { IPC_ROLE_API, IPC_ROLE_PARENT },
		[IPC_ARROW_PARENT_TO_SERVER_USERS] = { IPC_ROLE_PARENT,
		    IPC_ROLE_RESOLVER },
		[IPC_ARROW_PARENT_TO_RESOLVER] = { IPC_ROLE_PARENT, IPC_ROLE_RESOLVER },
		[IPC_ARROW_RESOLVER_TO_PARENT] = { IPC_ROLE_RESOLVER, IPC_ROLE_PARENT },
		[IPC_ARROW_SLIRP_WORKER_TO_RESOLVER] = { IPC_ROLE_SLIRP_WORKER,
		    IPC_ROLE_RESOLVER },
		[IPC_ARROW_RESOLVER_TO_SLIRP_WORKER] = { IPC_ROLE_RESOLVER,
		    IPC_ROLE_SLIRP_WORKER },
		[IPC_ARROW_RESOLVER_TO_CONNECTOR] = { IPC_ROLE_RESOLVER,
		    IPC_ROLE_CONNECTOR },
		[IPC_ARROW_CONNECTOR_TO_RESOLVER] = { IPC_ROLE_CONNECTOR,
		    IPC_ROLE_RESOLVER },
		[IPC_ARROW_PARENT_TO_CONNECTOR] = { IPC_ROLE_PARENT, IPC_ROLE_CONNECTOR },
		[IPC_ARROW_CONNECTOR_TO_PARENT] = { IPC_ROLE_CONNECTOR, IPC_ROLE_PARENT },
		[IPC_ARROW_SLIRP_WORKER_TO_CONNECTOR] = { IPC_ROLE_SLIRP_WORKER,
		    IPC_ROLE_CONNECTOR },
		[IPC_ARROW_CONNECTOR_TO_SLIRP_WORKER] = { IPC_ROLE_CONNECTOR,
		    IPC_ROLE_SLIRP_WORKER },
		[IPC_ARROW_API_TO_CONNECTOR] = { IPC_ROLE_API, IPC_ROLE_CONNECTOR },
		[IPC_ARROW_CONNECTOR_TO_API] = { IPC_ROLE_CONNECTOR, IPC_ROLE_API },
		[IPC_ARROW_PARENT_TO_SLIRP_WORKER] = { IPC_ROLE_PARENT,
		    IPC_ROLE_SLIRP_WORKER },
		[IPC_ARROW_SLIRP_WORKER_TO_PARENT] = { IPC_ROLE_SLIRP_WORKER,
		    IPC_ROLE_PARENT },
		[IPC_ARROW_PARENT_TO_SPAWNER] = { IPC_ROLE_PARENT, IPC_ROLE_SPAWNER },
		[IPC_ARROW_SPAWNER_TO_PARENT] = { IPC_ROLE_SPAWNER, IPC_ROLE_PARENT },
		[IPC_ARROW_PARENT_TO_API] = { IPC_ROLE_PARENT, IPC_ROLE_API },
		[IPC_ARROW_API_TO_PARENT] = { IPC_ROLE_API, IPC_ROLE_PARENT },
		[IPC_ARROW_API_TO_SLIRP_WORKER] = { IPC_ROLE_API, IPC_ROLE_SLIRP_WORKER },
		[IPC_ARROW_SLIRP_WORKER_TO_API] = { IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API },
		[IPC_ARROW_PARENT_TO_POLICY_READER] = { IPC_ROLE_PARENT,
		    IPC_ROLE_POLICY_READER },
		[IPC_ARROW_POLICY_READER_TO_PARENT] = { IPC_ROLE_POLICY_READER,
		    IPC_ROLE_PARENT },
		[IPC_ARROW_POLICY] = { IPC_ROLE_PARENT, IPC_ROLE_CONNECTOR },
		[IPC_ARROW_PARENT_TO_CGROUP_MOVER] = { IPC_ROLE_PARENT,
		    IPC_ROLE_CGROUP_MOVER },
		[IPC_ARROW_CGROUP_MOVER_TO_PARENT] = { IPC_ROLE_CGROUP_MOVER,
		    IPC_ROLE_PARENT },
	};

	assert_int_not_equal(roles[arrow].sender, 0);
	*sender = roles[arrow].sender;
	*receiver = roles[arrow].receiver;
}

static void
open_ends(struct ends *ends, enum ipc_role sender, enum ipc_role receiver)
{
	int receiver_fd;

	assert_int_equal(ipc_channel_pair(&receiver_fd, &ends->sender_fd), 0);
	ipc_channel_open(&ends->receiver, receiver_fd, receiver, sender);
	ends->sender_role = sender;
}

static void
close_ends(struct ends *ends)
{
	ipc_channel_close(&ends->receiver);
	close(ends->sender_fd);
}

static void
send_raw(const struct ends *ends, const void *bytes, size_t len, size_t n_fds)
{
	union {
		char bytes[CMSG_SPACE(N_FDS_MAX * sizeof(int))];
		struct cmsghdr header;
	} control = { { 0 } };
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[N_FDS_MAX];

	for (size_t i = 0; i < n_fds; i++)
		fds[i] = STDIN_FILENO;
	if (n_fds > 0) {
		hdr.msg_control = control.bytes;
		hdr.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(ends->sender_fd, &hdr, 0), (ssize_t)len);
}

static void
fill_sample(enum ipc_message_id id, union ipc_payload *payload, enum ipc_role sender)
{
	ipc_sample_fill(id, payload);
	if (id == IPC_MSG_hello)
		payload->hello.role = sender;
}

static void
make_wire(struct wire *wire, enum ipc_message_id id, enum ipc_role sender)
{
	memset(wire, 0, sizeof(*wire));
	wire->id = id;
	wire->payload_size = ipc_descriptions[id].payload_size;
	fill_sample(id, &wire->payload, sender);
}

static size_t
wire_len(enum ipc_message_id id)
{
	return offsetof(struct wire, payload) + ipc_descriptions[id].payload_size;
}

static void
send_right(const struct ends *ends, enum ipc_message_id id)
{
	struct wire wire;

	make_wire(&wire, id, ends->sender_role);
	send_raw(ends, &wire, wire_len(id), ipc_descriptions[id].n_fds);
}

static void
expect_message(struct ends *ends, enum ipc_message_id id)
{
	struct ipc_message msg;
	const char *why = NULL;
	union ipc_payload sample;

	if (ipc_channel_recv(&ends->receiver, &msg, &why) != IPC_OUTCOME_MESSAGE)
		fail_msg("%s refused: %s", ipc_descriptions[id].name,
		    why ? why : "no message");
	assert_int_equal(msg.id, id);
	fill_sample(id, &sample, ends->sender_role);
	assert_memory_equal(&msg.payload, &sample, ipc_descriptions[id].payload_size);
	if (ipc_descriptions[id].n_fds == 1) {
		assert_int_not_equal(fcntl(msg.fd, F_GETFD) & FD_CLOEXEC, 0);
		close(msg.fd);
	} else {
		assert_int_equal(msg.fd, -1);
	}
}

/* All but the reserve of the receiver, which comes and goes. */
static size_t
count_open_fds(const struct ipc_channel *receiver)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fd != receiver->reserve_fd && fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
expect_violation(struct ends *ends, const char *what)
{
	size_t n_open = count_open_fds(&ends->receiver);
	struct ipc_message msg;
	const char *why = NULL;

	assert_int_equal(ipc_channel_recv(&ends->receiver, &msg, &why),
	    IPC_OUTCOME_VIOLATION);
	assert_int_equal(msg.fd, -1);
	/* Nothing that came along is left open. */
	assert_int_equal(count_open_fds(&ends->receiver), n_open);
	if (!strstr(why, what))
		fail_msg("expected \"%s\", got \"%s\"", what, why);
}

/* Ends between which the row is legal. */
static void
open_for(struct ends *ends, enum ipc_message_id id)
{
	enum ipc_role sender, receiver;

	sender_and_receiver(ipc_arrow_of(id), &sender, &receiver);
	open_ends(ends, sender, receiver);
	if (id != IPC_MSG_hello) {
		send_right(ends, IPC_MSG_hello);
		expect_message(ends, IPC_MSG_hello);
	}
	ipc_channel_set_running(&ends->receiver);
	if (ipc_descriptions[id].when == IPC_WHEN_REPLY)
		ipc_channel_await_reply(&ends->receiver, id);
}

/* Runs `check` for every row. */
static void
for_every_row(void (*check)(enum ipc_message_id id))
{
	for (int id = 0; id < IPC_MSG_N; id++)
		check((enum ipc_message_id)id);
}

static void
check_right(enum ipc_message_id id)
{
	struct ends ends;

	open_for(&ends, id);
	send_right(&ends, id);
	expect_message(&ends, id);
	close_ends(&ends);
}

static void
test_right_message_is_received(void **state)
{
	(void)state;
	for_every_row(check_right);
}

/* The generated send functions put on the wire what the receiver takes. */
static void
test_send_functions(void **state)
{
	(void)state;
#define SEND_ARGS_NOTHING(payload) &channel
#define SEND_ARGS_FD(payload) &channel, STDIN_FILENO
#define SEND_ARGS_PAYLOAD(payload) &channel, &(payload)
#define SEND_ARGS_PAYLOAD_FD(payload) &channel, &(payload), STDIN_FILENO
#define CHECK_SEND(name, carries, when, meaning) \
	{ \
		struct ends ends; \
		struct ipc_channel channel; \
		union ipc_payload payload; \
		open_for(&ends, IPC_MSG_##name); \
		fill_sample(IPC_MSG_##name, &payload, ends.sender_role); \
		channel = (struct ipc_channel){ .fd = ends.sender_fd }; \
		assert_int_equal(ipc_send_##name(SEND_ARGS_##carries(payload.name)), 0); \
		expect_message(&ends, IPC_MSG_##name); \
		close_ends(&ends); \
	}
	IPC_ALL_ROWS(CHECK_SEND)
}

static void
check_short(enum ipc_message_id id)
{
	struct ends ends;
	struct wire wire;

	open_for(&ends, id);
	make_wire(&wire, id, ends.sender_role);
	/* Cut, with the length in the header still that of the row. */
	send_raw(&ends, &wire, wire_len(id) - 1, ipc_descriptions[id].n_fds);
	expect_violation(&ends, "not a message");
	if (wire.payload_size > 0) {
		/* Cut, and saying so. */
		wire.payload_size--;
		send_raw(&ends, &wire, wire_len(id) - 1, ipc_descriptions[id].n_fds);
		expect_violation(&ends, "wrong size");
	}
	close_ends(&ends);
}

static void
test_short_message_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_short);
}

static void
check_long(enum ipc_message_id id)
{
	struct ends ends;
	struct wire wire;
	bool longest = ipc_descriptions[id].payload_size == sizeof(union ipc_payload);

	open_for(&ends, id);
	make_wire(&wire, id, ends.sender_role);
	wire.payload_size++;
	send_raw(&ends, &wire, wire_len(id) + 1, ipc_descriptions[id].n_fds);
	expect_violation(&ends, longest ? "too long" : "wrong size");
	close_ends(&ends);
}

static void
test_long_message_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_long);
}

static void
check_surplus_fds(enum ipc_message_id id)
{
	for (size_t n_fds = ipc_descriptions[id].n_fds + 1; n_fds <= N_FDS_MAX; n_fds++) {
		struct ends ends;
		struct wire wire;

		open_for(&ends, id);
		make_wire(&wire, id, ends.sender_role);
		send_raw(&ends, &wire, wire_len(id), n_fds);
		expect_violation(&ends, "descriptors");
		close_ends(&ends);
	}
}

static void
test_surplus_descriptors_are_a_violation_and_closed(void **state)
{
	(void)state;
	for_every_row(check_surplus_fds);
}

static void
check_missing_fd(enum ipc_message_id id)
{
	struct ends ends;
	struct wire wire;

	if (ipc_descriptions[id].n_fds == 0)
		return;
	open_for(&ends, id);
	make_wire(&wire, id, ends.sender_role);
	send_raw(&ends, &wire, wire_len(id), 0);
	expect_violation(&ends, "number of descriptors");
	close_ends(&ends);
}

static void
test_missing_descriptor_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_missing_fd);
}

/* Sent the other way round, and over the channel of another role. */
static void
check_wrong_direction(enum ipc_message_id id)
{
	/* Both ways over each channel that there is. */
	static const enum ipc_role channels[][2] = {
		{ IPC_ROLE_PARENT, IPC_ROLE_NETNS_HELPER },
		{ IPC_ROLE_PARENT, IPC_ROLE_SLIRP_WORKER },
		{ IPC_ROLE_PARENT, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_PARENT, IPC_ROLE_RESOLVER },
		{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_RESOLVER },
		{ IPC_ROLE_RESOLVER, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_PARENT, IPC_ROLE_SPAWNER },
		{ IPC_ROLE_PARENT, IPC_ROLE_API },
		{ IPC_ROLE_API, IPC_ROLE_SLIRP_WORKER },
		{ IPC_ROLE_API, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_PARENT, IPC_ROLE_CGROUP_MOVER },
		{ IPC_ROLE_PARENT, IPC_ROLE_POLICY_READER },
	};
	static const struct {
		uint32_t senders, receivers;
	} may_send[] = {
#define SETS(arrow, sending, receiving, ...) { sending, receiving },
		IPC_ARROWS(SETS)
#undef SETS
	};
	enum ipc_arrow arrow = ipc_arrow_of(id);

	for (size_t i = 0; i < 2 * sizeof(channels) / sizeof(channels[0]); i++) {
		enum ipc_role from = channels[i / 2][i % 2];
		enum ipc_role to = channels[i / 2][1 - i % 2];
		bool legal = may_send[arrow].senders & 1U << from &&
		    may_send[arrow].receivers & 1U << to;
		struct ends ends;

		if (legal)
			continue;
		open_ends(&ends, from, to);
		send_right(&ends, IPC_MSG_hello);
		expect_message(&ends, IPC_MSG_hello);
		send_right(&ends, id);
		expect_violation(&ends, "wrong direction");
		close_ends(&ends);
	}
}

static void
test_wrong_direction_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_wrong_direction);
}

static void
check_before_hello(enum ipc_message_id id)
{
	enum ipc_role sender, receiver;
	struct ends ends;

	if (id == IPC_MSG_hello)
		return;
	sender_and_receiver(ipc_arrow_of(id), &sender, &receiver);
	open_ends(&ends, sender, receiver);
	send_right(&ends, id);
	expect_violation(&ends, "before hello");
	close_ends(&ends);
}

static void
test_anything_before_hello_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_before_hello);
}

static void
check_time(enum ipc_message_id id)
{
	enum ipc_role sender, receiver;
	struct ends ends;

	switch (ipc_descriptions[id].when) {
	case IPC_WHEN_ANYTIME:
		return;
	case IPC_WHEN_ONCE:
		open_for(&ends, id);
		send_right(&ends, id);
		expect_message(&ends, id);
		send_right(&ends, id);
		expect_violation(&ends, "second time");
		break;
	case IPC_WHEN_RUNNING:
		sender_and_receiver(ipc_arrow_of(id), &sender, &receiver);
		open_ends(&ends, sender, receiver);
		send_right(&ends, IPC_MSG_hello);
		expect_message(&ends, IPC_MSG_hello);
		send_right(&ends, id);
		expect_violation(&ends, "before service");
		break;
	case IPC_WHEN_REPLY:
		open_for(&ends, id);
		send_right(&ends, id);
		expect_message(&ends, id);
		send_right(&ends, id);
		expect_violation(&ends, "nobody awaits");
		break;
	}
	close_ends(&ends);
}

/* While one reply is awaited, no other one of the same arrow is legal. */
static void
check_other_reply(enum ipc_message_id id)
{
	if (ipc_descriptions[id].when != IPC_WHEN_REPLY)
		return;
	for (int i = 0; i < IPC_MSG_N; i++) {
		enum ipc_message_id other = (enum ipc_message_id)i;
		struct ends ends;

		if (other == id || ipc_descriptions[other].when != IPC_WHEN_REPLY ||
		    ipc_arrow_of(other) != ipc_arrow_of(id))
			continue;
		open_for(&ends, id);
		send_right(&ends, other);
		expect_violation(&ends, "nobody awaits");
		send_right(&ends, id);
		expect_message(&ends, id);
		close_ends(&ends);
	}
}

static void
test_other_reply_than_the_awaited_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_other_reply);
}

static void
test_wrong_time_is_a_violation(void **state)
{
	(void)state;
	for_every_row(check_time);
}

static void
test_unknown_number_is_a_violation(void **state)
{
	static const uint32_t ids[] = { IPC_MSG_N, IPC_MSG_N + 1, 0x80000000,
		UINT32_MAX };
	struct ends ends;

	(void)state;
	open_for(&ends, IPC_MSG_log);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct wire wire = { .id = ids[i] };

		send_raw(&ends, &wire, offsetof(struct wire, payload), 0);
		expect_violation(&ends, "not a message");
	}
	close_ends(&ends);
}

static void
test_less_than_a_header_is_a_violation(void **state)
{
	const struct wire wire = { .id = IPC_MSG_log };
	struct ends ends;

	(void)state;
	open_for(&ends, IPC_MSG_log);
	for (size_t len = 1; len < offsetof(struct wire, payload); len++) {
		send_raw(&ends, &wire, len, 0);
		expect_violation(&ends, "not a message");
	}
	close_ends(&ends);
}

static void
test_other_build_is_a_violation(void **state)
{
	struct ends ends;
	struct wire wire;

	(void)state;
	open_for(&ends, IPC_MSG_hello);
	make_wire(&wire, IPC_MSG_hello, ends.sender_role);
	wire.payload.hello.protocol_hash ^= 1;
	send_raw(&ends, &wire, wire_len(IPC_MSG_hello), 0);
	expect_violation(&ends, "different builds");
	close_ends(&ends);
}

static void
test_hello_of_another_role_is_a_violation(void **state)
{
	struct ends ends;
	struct wire wire;

	(void)state;
	open_ends(&ends, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_PARENT);
	make_wire(&wire, IPC_MSG_hello, IPC_ROLE_NETNS_HELPER);
	send_raw(&ends, &wire, wire_len(IPC_MSG_hello), 0);
	expect_violation(&ends, "wrong role");
	close_ends(&ends);
}

/* A field of a row and a value that it must not have. */
#define BAD(row, field, value) \
	{ \
		struct ends ends; \
		struct wire wire; \
		open_for(&ends, IPC_MSG_##row); \
		make_wire(&wire, IPC_MSG_##row, ends.sender_role); \
		wire.payload.row.field = value; \
		send_raw(&ends, &wire, wire_len(IPC_MSG_##row), \
		    ipc_descriptions[IPC_MSG_##row].n_fds); \
		expect_violation(&ends, #field); \
		close_ends(&ends); \
	}

/* The channel asks the row's check, with a descriptor and without. The checks themselves
 * are the subject of test_values.c. */
static void
test_bad_value_is_a_violation(void **state)
{
	(void)state;
	BAD(hello, role, 99)
	BAD(log, level, LOG_N_LEVELS)
	BAD(inspect_tap, reserved, 1)
}

static void
test_closed_peer_is_the_end(void **state)
{
	struct ipc_message msg;
	const char *why;
	struct ends ends;

	(void)state;
	open_for(&ends, IPC_MSG_log);
	assert_int_equal(ipc_channel_recv(&ends.receiver, &msg, &why), IPC_OUTCOME_NONE);
	close(take_fd(&ends.sender_fd));
	assert_int_equal(ipc_channel_recv(&ends.receiver, &msg, &why),
	    IPC_OUTCOME_CLOSED);
	ipc_channel_close(&ends.receiver);
}

/* The peer ends with a message of ours unread: what it said before is not lost. */
static void
test_last_words_are_received(void **state)
{
	struct ipc_message msg;
	const char *why;
	struct ends ends;

	(void)state;
	open_ends(&ends, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_PARENT);
	assert_int_equal(ipc_channel_greet(&ends.receiver), 0);
	send_right(&ends, IPC_MSG_hello);
	send_right(&ends, IPC_MSG_log);
	assert_int_equal(close(ends.sender_fd), 0);
	expect_message(&ends, IPC_MSG_hello);
	expect_message(&ends, IPC_MSG_log);
	assert_int_equal(ipc_channel_recv(&ends.receiver, &msg, &why),
	    IPC_OUTCOME_CLOSED);
	ipc_channel_close(&ends.receiver);
}

static void
test_full_queue_loses_the_message(void **state)
{
	struct ipc_channel sender;
	struct ipc_log line;
	struct ends ends;
	int n_sent = 0;

	(void)state;
	open_for(&ends, IPC_MSG_log);
	ipc_sample_log(&line);
	ipc_channel_open(&sender, ends.sender_fd, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_PARENT);
	while (ipc_send_log(&sender, &line) == 0)
		assert_true(++n_sent < 100000);
	assert_int_equal(errno, EAGAIN);
	/* What was sent is there, whole. */
	while (n_sent-- > 0)
		expect_message(&ends, IPC_MSG_log);
	close_ends(&ends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_message_is_received),
		cmocka_unit_test(test_send_functions),
		cmocka_unit_test(test_short_message_is_a_violation),
		cmocka_unit_test(test_long_message_is_a_violation),
		cmocka_unit_test(test_surplus_descriptors_are_a_violation_and_closed),
		cmocka_unit_test(test_missing_descriptor_is_a_violation),
		cmocka_unit_test(test_wrong_direction_is_a_violation),
		cmocka_unit_test(test_anything_before_hello_is_a_violation),
		cmocka_unit_test(test_wrong_time_is_a_violation),
		cmocka_unit_test(test_other_reply_than_the_awaited_is_a_violation),
		cmocka_unit_test(test_unknown_number_is_a_violation),
		cmocka_unit_test(test_less_than_a_header_is_a_violation),
		cmocka_unit_test(test_other_build_is_a_violation),
		cmocka_unit_test(test_hello_of_another_role_is_a_violation),
		cmocka_unit_test(test_bad_value_is_a_violation),
		cmocka_unit_test(test_closed_peer_is_the_end),
		cmocka_unit_test(test_last_words_are_received),
		cmocka_unit_test(test_full_queue_loses_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
