/* SPDX-License-Identifier: BSD-2-Clause */
/* The connector's sockets of forwards, and what it tells the worker of them, on the kernel's real
 * ports. The test is the worker: it keeps its duplicates as long as it likes. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "connector/forward/listeners.h"
#include "connector_box.h"
#include "ipc_samples.h"
#include "own_netns.h"

#define PORT 8001
#define NOW_MS 5000

static struct connector_box box;
static struct listeners *const listeners = &box.connector.listeners;
static int next_send_error;

/* The linker replaces sendmsg(2) by this (--wrap=sendmsg). */
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (next_send_error == 0)
		return __real_sendmsg(fd, msg, flags);
	errno = next_send_error;
	next_send_error = 0;
	return -1;
}

static int
open_box(void **state)
{
	(void)state;
	next_send_error = 0;
	connector_box_open(&box);
	return 0;
}

static int
close_box(void **state)
{
	(void)state;
	connector_box_close(&box);
	return 0;
}

/* Returns 0, or -1 with errno set. */
static int
open_port(uint8_t proto, uint16_t port)
{
	struct ipc_listener about;

	ipc_sample_listener(&about);
	about.proto = proto;
	about.host_port = port;
	return listeners_open(listeners, &about);
}

static void
close_port(uint8_t proto, uint16_t port)
{
	const struct inaddr loopback = inaddr_loopback(false);

	listeners_close(listeners, proto, &loopback, port);
}

static void
tell(void)
{
	listeners_tell(listeners, &box.connector.to_worker, NOW_MS);
}

static struct ipc_message
expect(enum ipc_message_id row)
{
	struct ipc_message msg;
	const char *why = "";

	if (ipc_channel_recv(&box.worker, &msg, &why) != IPC_OUTCOME_MESSAGE)
		fail_msg("no %s: %s", ipc_descriptions[row].name, why);
	assert_int_equal(msg.id, row);
	return msg;
}

static void
expect_nothing(void)
{
	struct ipc_message msg;
	const char *why;

	tell();
	assert_int_equal(ipc_channel_recv(&box.worker, &msg, &why), IPC_OUTCOME_NONE);
}

/* Opens a port and has it told. Returns the worker's duplicate; the number is in *id. */
static int
open_and_tell(uint8_t proto, uint16_t port, uint32_t *id)
{
	struct ipc_message msg;

	assert_int_equal(open_port(proto, port), 0);
	listeners_release(listeners);
	tell();
	msg = expect(IPC_MSG_listener);
	assert_int_equal(msg.payload.listener.host_port, port);
	assert_int_equal(msg.payload.listener.proto, proto);
	*id = msg.payload.listener.id;
	return msg.fd;
}

/* A socket that has connected to the port, or -1 with errno set. */
static int
connect_to(uint8_t proto, uint16_t port)
{
	const struct inaddr loopback = inaddr_loopback(false);
	const union inaddr_sock sock = inaddr_sock_make(&loopback, port);
	int fd = socket(AF_INET, proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);

	if (connect(fd, &sock.any, inaddr_sock_len(&sock.any)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
is_readable(int fd)
{
	struct pollfd set = { .fd = fd, .events = POLLIN };

	return poll(&set, 1, 0) == 1;
}

/* A forward that is not complete may never be. */
static void
test_ports_are_held_back_until_all_are_open(void **state)
{
	(void)state;
	assert_int_equal(open_port(IPPROTO_TCP, PORT), 0);
	assert_int_equal(open_port(IPPROTO_UDP, PORT), 0);
	expect_nothing();
	close_port(IPPROTO_UDP, PORT);
	assert_int_equal(open_port(IPPROTO_UDP, PORT), 0);
	listeners_release(listeners);
	tell();
	close(expect(IPC_MSG_listener).fd);
	close(expect(IPC_MSG_listener).fd);
	expect_nothing();
	/* The worker has never heard of a port that was closed before it was told. */
	assert_int_equal(open_port(IPPROTO_TCP, PORT + 1), 0);
	listeners_release(listeners);
	close_port(IPPROTO_TCP, PORT + 1);
	expect_nothing();
}

static void
test_number_is_free_after_the_worker_has_answered(void **state)
{
	uint32_t first, second, third;
	int fd = open_and_tell(IPPROTO_TCP, PORT, &first);

	(void)state;
	assert_int_equal(listeners_note_closed(listeners, first), -1);
	close_port(IPPROTO_TCP, PORT);
	/* Not before it was told. */
	assert_int_equal(listeners_note_closed(listeners, first), -1);
	tell();
	assert_int_equal(expect(IPC_MSG_listener_gone).payload.listener_gone.id, first);
	close(open_and_tell(IPPROTO_TCP, PORT, &second));
	assert_int_not_equal(second, first);
	close(fd);
	assert_int_equal(listeners_note_closed(listeners, first), 0);
	assert_int_equal(listeners_note_closed(listeners, first), -1);
	close(open_and_tell(IPPROTO_TCP, PORT + 1, &third));
	assert_int_equal(third, first);
	assert_int_equal(listeners_note_closed(listeners, third + 1000), -1);
}

static void
test_worker_that_wants_a_port_again_gets_it(void **state)
{
	uint32_t id;
	struct ipc_message msg;

	(void)state;
	assert_int_equal(listeners_note_wanted(listeners, 0), -1);
	close(open_and_tell(IPPROTO_TCP, PORT, &id));
	assert_int_equal(listeners_note_wanted(listeners, id), 0);
	/* Once for each message. */
	assert_int_equal(listeners_note_wanted(listeners, id), -1);
	tell();
	msg = expect(IPC_MSG_listener);
	assert_int_equal(msg.payload.listener.id, id);
	close(msg.fd);
	assert_int_equal(listeners_note_wanted(listeners, id), 0);
	/* It is closed before it is sent: the worker knows of it. */
	close_port(IPPROTO_TCP, PORT);
	assert_int_equal(listeners_note_wanted(listeners, id), 0);
	tell();
	assert_int_equal(expect(IPC_MSG_listener_gone).payload.listener_gone.id, id);
	assert_int_equal(listeners_note_wanted(listeners, id), 0);
	expect_nothing();
	assert_int_equal(listeners_note_closed(listeners, id), 0);
	assert_int_equal(listeners_note_wanted(listeners, id), -1);
}

/* The worker keeps its duplicate, and yet the forward has ended. */
static void
test_closed_tcp_port_is_of_no_use_to_the_worker(void **state)
{
	uint32_t id, again;
	autofd int kept_fd = open_and_tell(IPPROTO_TCP, PORT, &id);
	autofd int waiting_fd = connect_to(IPPROTO_TCP, PORT);
	autofd int new_fd = -1, peer_fd = -1;
	char byte;

	(void)state;
	assert_int_not_equal(waiting_fd, -1);
	close_port(IPPROTO_TCP, PORT);
	assert_int_equal(recv(waiting_fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(connect_to(IPPROTO_TCP, PORT), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(accept(kept_fd, NULL, NULL), -1);
	assert_int_equal(errno, EINVAL);
	/* And the port can be opened again at once. */
	tell();
	expect(IPC_MSG_listener_gone);
	new_fd = open_and_tell(IPPROTO_TCP, PORT, &again);
	peer_fd = connect_to(IPPROTO_TCP, PORT);
	assert_int_not_equal(peer_fd, -1);
	assert_true(is_readable(new_fd));
}

static void
test_closed_udp_port_is_of_no_use_to_the_worker(void **state)
{
	uint32_t id, again;
	autofd int kept_fd = open_and_tell(IPPROTO_UDP, PORT, &id);
	autofd int peer_fd = connect_to(IPPROTO_UDP, PORT);
	autofd int new_fd = -1;

	(void)state;
	close_port(IPPROTO_UDP, PORT);
	assert_int_equal(send(peer_fd, "x", 1, 0), 1);
	assert_int_equal(send(peer_fd, "x", 1, 0), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_false(is_readable(kept_fd));
	/* And the port can be opened again at once. */
	tell();
	expect(IPC_MSG_listener_gone);
	new_fd = open_and_tell(IPPROTO_UDP, PORT, &again);
	assert_int_equal(send(peer_fd, "x", 1, 0), 1);
	assert_true(is_readable(new_fd));
	assert_false(is_readable(kept_fd));
}

/* Another program's socket that allows it to be shared is not one of ours. */
static void
test_udp_port_is_shared_with_a_leaving_one_alone(void **state)
{
	const struct inaddr loopback = inaddr_loopback(false);
	const union inaddr_sock sock = inaddr_sock_make(&loopback, PORT);
	autofd int other_fd = socket(AF_INET, SOCK_DGRAM, 0);
	int yes = 1;

	(void)state;
	setsockopt(other_fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
	assert_int_equal(bind(other_fd, &sock.any, inaddr_sock_len(&sock.any)), 0);
	assert_int_equal(open_port(IPPROTO_UDP, PORT), -1);
	assert_int_equal(errno, EADDRINUSE);
}

static void
test_too_many_descriptors_in_queues_are_waited_for(void **state)
{
	(void)state;
	assert_int_equal(open_port(IPPROTO_TCP, PORT), 0);
	listeners_release(listeners);
	next_send_error = ETOOMANYREFS;
	tell();
	assert_int_equal(listeners->tell_at_ms, NOW_MS + FDIO_RETRY_MS);
	expect_nothing();
	assert_true(listeners_have_news(listeners));
	listeners_tell(listeners, &box.connector.to_worker, NOW_MS + FDIO_RETRY_MS);
	close(expect(IPC_MSG_listener).fd);
	assert_false(listeners_have_news(listeners));
}

static void
test_full_queue_to_the_worker_is_waited_for(void **state)
{
	struct ipc_message msg;
	const char *why;
	uint32_t n = 0;

	(void)state;
	for (uint16_t port = PORT; port < PORT + 400; port++)
		assert_int_equal(open_port(IPPROTO_UDP, port), 0);
	listeners_release(listeners);
	for (int i = 0; i < 20; i++)
		tell();
	assert_true(listeners_have_news(listeners));
	assert_int_equal(listeners->tell_at_ms, 0);
	for (int i = 0; i < 1000 && n < 400; i++) {
		while (ipc_channel_recv(&box.worker, &msg, &why) == IPC_OUTCOME_MESSAGE) {
			assert_int_equal(msg.payload.listener.host_port, PORT + n);
			close(msg.fd);
			n++;
		}
		tell();
	}
	assert_int_equal(n, 400);
	assert_false(listeners_have_news(listeners));
}

/* The next connector has the sockets of the one before, at their places. */
static void
test_adopted_ports_are_told_at_their_places(void **state)
{
	uint32_t id, other;
	autofd int fd = open_and_tell(IPPROTO_UDP, PORT, &id);
	autofd int old_fd = -1;
	struct ipc_listener about;
	struct ipc_message msg;

	(void)state;
	ipc_sample_listener(&about);
	about.id = 3;
	about.proto = IPPROTO_UDP;
	about.host_port = PORT;
	connector_box_close(&box);
	connector_box_open(&box);
	old_fd = dup(fd);
	assert_int_equal(listeners_adopt(listeners, &about, dup(fd)), 0);
	assert_int_equal(listeners_adopt(listeners, &about, dup(fd)), -1);
	listeners_end_adoption(listeners);
	connector_box_open_worker(&box);
	tell();
	msg = expect(IPC_MSG_listener);
	assert_int_equal(msg.payload.listener.id, 3);
	close(msg.fd);
	expect(IPC_MSG_listeners_told);
	/* The places between are free. */
	close(open_and_tell(IPPROTO_UDP, PORT + 1, &other));
	assert_in_range(other, 0, 2);
	/* It is of no use after its end, whoever has it from the connector before. */
	close_port(IPPROTO_UDP, PORT);
	close(fd);
	fd = connect_to(IPPROTO_UDP, PORT);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_false(is_readable(old_fd));
	tell();
	assert_int_equal(expect(IPC_MSG_listener_gone).payload.listener_gone.id, 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
	const struct CMUnitTest tests[] = {
		TEST(test_ports_are_held_back_until_all_are_open),
		TEST(test_number_is_free_after_the_worker_has_answered),
		TEST(test_worker_that_wants_a_port_again_gets_it),
		TEST(test_closed_tcp_port_is_of_no_use_to_the_worker),
		TEST(test_closed_udp_port_is_of_no_use_to_the_worker),
		TEST(test_udp_port_is_shared_with_a_leaving_one_alone),
		TEST(test_too_many_descriptors_in_queues_are_waited_for),
		TEST(test_full_queue_to_the_worker_is_waited_for),
		TEST(test_adopted_ports_are_told_at_their_places),
	};

	own_netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
