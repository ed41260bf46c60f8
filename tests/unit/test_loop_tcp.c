/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's loop sends acknowledgements that wait before it sleeps. Runs the real loop with
 * a real socket of the host. */
#include "gate_fixture.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "slirp-worker/loop.h"
#include "slirp-worker/wire/tcp_segment.h"
#include "slirp-worker/wire/wire.h"
#include "own_netns.h"
#include "worker_box.h"

#define GUEST_PORT 40000
#define GUEST_ISN 0xfffffffbU
#define REQUEST "request"
#define REQUEST_LEN (sizeof(REQUEST) - 1)

/* What the guest waits for while the worker sleeps. */
enum step {
	STEP_BEGIN,
	STEP_SYN_ACK,
	STEP_ACK,
	STEP_NOTHING,
};

static struct worker_box box;
static struct worker *const worker = &box.worker;
static int guest_fd;
static uint16_t host_port;
static enum step step;

static void
guest_sends(uint32_t seq, uint32_t ack, uint8_t flags, const char *text, size_t text_len)
{
	uint8_t tcp[WIRE_TCP_LEN + REQUEST_LEN];
	uint8_t *header;

	frame_tcp(&frame, GUEST4, GUEST_PORT, HOST4, host_port, flags);
	header = frame.bytes + frame_l4_offset(&frame);
	store_be32(header + 4, seq);
	store_be32(header + 8, ack);
	memcpy(tcp, header, WIRE_TCP_LEN);
	memcpy(tcp + WIRE_TCP_LEN, text, text_len);
	frame_ip(&frame, GUEST4, HOST4, IPPROTO_TCP, tcp, WIRE_TCP_LEN + text_len);
	frame_fix_checksums(&frame);
	assert_int_equal(write(guest_fd, frame.bytes, frame.len), frame.len);
}

/* The next TCP segment for the guest, if there is one. */
static bool
guest_gets(struct tcp_segment *segment)
{
	static uint8_t bytes[2000];
	ssize_t n;

	while ((n = recv(guest_fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (tcp_segment_parse(bytes, (size_t)n, segment))
			return true;
	return false;
}

/* The test is the connector, too: every address leads to its listening socket. */
static void
answer_questions(void)
{
	const struct inaddr loopback = inaddr_loopback(false);
	struct ipc_message msg;
	const char *why;

	while (ipc_channel_recv(&box.connector, &msg, &why) == IPC_OUTCOME_MESSAGE) {
		const struct ipc_flow_opened opened = {
			.flow = msg.payload.flow_open.flow,
			.to = loopback,
			.to_port = host_port,
		};
		union inaddr_sock to = inaddr_sock_make(&loopback, host_port);
		autofd int fd = -1;

		assert_int_equal(msg.payload.flow_open.peer_port, host_port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fd, &to.any, sizeof(to.in)) == -1)
			assert_int_equal(errno, EINPROGRESS);
		assert_int_equal(ipc_send_flow_opened(&box.connector, &opened, fd), 0);
	}
}

static void
sleep_begins(void)
{
	struct tcp_segment segment;

	answer_questions();
	switch (step) {
	case STEP_BEGIN:
		guest_sends(GUEST_ISN, 0, WIRE_TCP_SYN, "", 0);
		step = STEP_SYN_ACK;
		break;
	case STEP_SYN_ACK:
		if (!guest_gets(&segment))
			break;
		assert_int_equal(segment.flags, WIRE_TCP_SYN | WIRE_TCP_ACK_FLAG);
		guest_sends(GUEST_ISN + 1, segment.seq + 1,
		    WIRE_TCP_ACK_FLAG | WIRE_TCP_PSH, REQUEST, REQUEST_LEN);
		step = STEP_ACK;
		break;
	case STEP_ACK:
		/* The worker has taken the request, and sleeps now. */
		assert_true(guest_gets(&segment));
		assert_int_equal(segment.flags, WIRE_TCP_ACK_FLAG);
		assert_int_equal(segment.ack, (uint32_t)(GUEST_ISN + 1 + REQUEST_LEN));
		step = STEP_NOTHING;
		close(take_fd(&box.parent_fd));
		break;
	case STEP_NOTHING:
		break;
	}
}

/* The linker replaces epoll_pwait(2) by this (--wrap=epoll_pwait). */
int __real_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask);
int __wrap_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask);

int
__wrap_epoll_pwait(int fd, struct epoll_event *events, int n, int timeout_ms,
    const sigset_t *mask)
{
	if (timeout_ms != 0)
		sleep_begins();
	return __real_epoll_pwait(fd, events, n, timeout_ms, mask);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	host_port = ntohs(at.sin_port);
	return fd;
}

static void
test_request_is_acknowledged_before_the_sleep(void **state)
{
	autofd int listen_fd = -1;
	autofd int peer_fd = -1;
	char text[REQUEST_LEN + 1];
	int fds[2];

	(void)state;
	worker_box_open(&box, true);
	/* Not before: the box has fixed descriptors. */
	listen_fd = listen_on_loopback();
	gate_open(true, false);
	worker->gate = gate;
	assert_int_equal(reass_init(&worker->reass), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(tapio_init(&worker->tap, &worker->poller, fds[0], 0), 0);
	guest_fd = fds[1];
	worker_loop_run(worker);
	assert_int_equal(step, STEP_NOTHING);
	peer_fd = accept(listen_fd, NULL, NULL);
	assert_int_equal(read(peer_fd, text, sizeof(text)), REQUEST_LEN);
	assert_memory_equal(text, REQUEST, REQUEST_LEN);
	reass_free(&worker->reass);
	worker_box_close(&box);
	tapio_close(&worker->tap);
	close(guest_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_is_acknowledged_before_the_sleep),
	};

	own_netns_enter();
	return cmocka_run_group_tests_name("loop_tcp", tests, NULL, NULL);
}
