/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepts the connections of forwards on the kernel's real ports, in a network namespace. */
#include "slirp-worker/engine/forward/tcp_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/fdio.h"
#include "own_netns.h"
#include "worker_box.h"

#define N_MAX 100
#define NOW_MS 5000
#define PORT 8001

static struct poller poller;
static struct budget budget;
static struct port_table ports;
static struct tcp_listen listening;
static uint64_t n_pauses;
static unsigned int n_open_guests;
static struct peer_incoming taken[1000];
static size_t n_taken;

/* The errno of accept4(2) from now on; 0: it works. The linker replaces accept4(2) by this
 * (--wrap=accept). */
static int accept_error;
int __real_accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags);

int
__wrap_accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
	if (accept_error) {
		errno = accept_error;
		return -1;
	}
	return __real_accept4(fd, peer, len, flags);
}

static bool
may_accept(void *ctx, const struct inaddr *guest, uint16_t port)
{
	(void)ctx;
	(void)port;
	/* Guests with higher numbers take nobody. */
	return guest->bytes[3] <= n_open_guests;
}

static void
take(void *ctx, const struct peer_incoming *incoming)
{
	(void)ctx;
	assert_true(n_taken < sizeof(taken) / sizeof(taken[0]));
	taken[n_taken++] = *incoming;
}

static const struct tcp_listen_owner owner = {
	.may_accept = may_accept,
	.accepted = take,
};

static int
begin(void **state)
{
	(void)state;
	n_taken = n_pauses = 0;
	accept_error = 0;
	n_open_guests = 9;
	assert_int_not_equal(budget_raise_files(), 0);
	assert_int_equal(poller_init(&poller), 0);
	budget_init(&budget, 2048, 28000);
	assert_int_equal(port_table_init(&ports, &poller, &budget), 0);
	tcp_listen_init(&listening, &ports, &owner, &n_pauses);
	return 0;
}

static void
drop_taken(void)
{
	for (size_t i = 0; i < n_taken; i++)
		close(taken[i].fd);
	budget_give(&budget, BUDGET_TCP, (uint32_t)n_taken);
	n_taken = 0;
}

static int
end(void **state)
{
	(void)state;
	drop_taken();
	port_table_free(&ports);
	poller_free(&poller);
	return 0;
}

static union inaddr_sock
at(const char *host, uint16_t port)
{
	struct inaddr addr = { 0 };

	assert_true(inaddr_parse(host, &addr));
	return inaddr_sock_make(&addr, port);
}

/* The connector gives the port this number. */
static void
open_port_of(uint32_t id, const char *host, uint16_t port, unsigned int guest)
{
	const union inaddr_sock sock = at(host, port);
	struct ipc_listener listener = {
		.id = id,
		.forward = port + 5U,
		.guest_addr = inaddr_from4(htonl(0x0a000200 + guest)),
		.host_port = port,
		.guest_port = (uint16_t)(port + 1000),
		.proto = IPPROTO_TCP,
	};
	int yes = 1;
	int fd = socket(sock.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct port *taken_port;

	assert_true(inaddr_parse(host, &listener.host_addr));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, &sock.any, inaddr_sock_len(&sock.any)), 0);
	assert_int_equal(listen(fd, SOMAXCONN), 0);
	taken_port = port_table_take(&ports, &listener, fd, NOW_MS);
	assert_non_null(taken_port);
	assert_int_equal(taken_port->state, PORT_AWAY);
	assert_true(tcp_listen_open(&listening, taken_port));
}

static void
close_port(uint32_t id)
{
	struct port *port = port_table_find(&ports, id);

	assert_non_null(port);
	tcp_listen_close(&listening, port);
	port_table_close(&ports, port);
}

/* A peer; -1 with errno set. */
static int
connect_to(const char *host, uint16_t port)
{
	const union inaddr_sock sock = at(host, port);
	int fd = socket(sock.any.sa_family, SOCK_STREAM, 0);

	if (connect(fd, &sock.any, inaddr_sock_len(&sock.any)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One turn of the worker; returns whether something was ready. */
static bool
turn(uint64_t now_ms)
{
	int n;

	tcp_listen_resume(&listening, now_ms);
	n = poller_look(&poller, 0);
	assert_int_not_equal(n, -1);
	tcp_listen_accept(&listening, now_ms);
	return n > 0;
}

static void
test_connection_has_its_ends(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct inaddr loopback = inaddr_loopback(i);
		union inaddr_sock own;
		socklen_t len = sizeof(own);
		int fd;

		open_port_of((uint32_t)i, hosts[i], PORT, 1);
		fd = connect_to(hosts[i], PORT);
		assert_int_not_equal(fd, -1);
		assert_true(turn(NOW_MS));
		assert_int_equal(n_taken, 1);
		assert_int_equal(getsockname(fd, &own.any, &len), 0);
		assert_true(inaddr_is_equal(&taken[0].peer, &loopback));
		assert_int_equal(taken[0].peer_port, inaddr_sock_port(&own));
		assert_int_equal(taken[0].guest.bytes[3], 1);
		assert_int_equal(taken[0].guest_port, PORT + 1000);
		assert_int_equal(taken[0].rule, PORT + 5);
		assert_true(fcntl(taken[0].fd, F_GETFL) & O_NONBLOCK);
		assert_int_equal(budget.used[BUDGET_TCP], 1);
		close(fd);
		close_port((uint32_t)i);
		drop_taken();
	}
	assert_int_equal(n_pauses, 0);
}

static void
test_place_is_used_again_and_its_events_are_stale(void **state)
{
	int fd;

	(void)state;
	open_port_of(7, "127.0.0.1", PORT, 1);
	fd = connect_to("127.0.0.1", PORT);
	assert_int_equal(poller_look(&poller, 0), 1);
	assert_int_equal(poller.n_events, 1);
	close_port(7);
	/* The connector uses the number again once it knows that the port is closed. */
	ports.places[7].state = PORT_NONE;
	TAILQ_INIT(&ports.closed);
	open_port_of(7, "127.0.0.1", PORT, 2);
	tcp_listen_accept(&listening, NOW_MS);
	assert_int_equal(n_taken, 0);
	close(fd);
}

/* A crowd at one port does not keep others waiting, and a turn has an end. */
static void
test_turn_is_shared_among_the_ports(void **state)
{
	int fds[200], n = 0;
	size_t n_of[8] = { 0 };

	(void)state;
	for (uint16_t i = 0; i < 8; i++)
		open_port_of(i, "127.0.0.1", PORT + i, 1);
	for (int i = 0; i < 100; i++)
		fds[n++] = connect_to("127.0.0.1", PORT);
	assert_true(turn(NOW_MS));
	assert_int_equal(n_taken, TCP_ACCEPTS_EACH);
	for (uint16_t i = 1; i < 8; i++)
		for (int j = 0; j < 10; j++)
			fds[n++] = connect_to("127.0.0.1", PORT + i);
	n_taken = 0;
	assert_true(turn(NOW_MS));
	assert_int_equal(n_taken, TCP_ACCEPTS_A_TURN);
	for (size_t i = 0; i < n_taken; i++)
		n_of[taken[i].guest_port - 1000 - PORT]++;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(n_of[i], TCP_ACCEPTS_A_TURN / 8);
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_taken, 170 - TCP_ACCEPTS_EACH);
	while (n > 0)
		close(fds[--n]);
}

/* Without descriptors nothing is ready in a wait, until there are some. */
static void
test_port_waits_for_descriptors(void **state)
{
	uint32_t n_free = budget.limit[BUDGET_TCP] - 2;
	int fds[6];

	(void)state;
	budget_take(&budget, BUDGET_TCP, n_free);
	open_port_of(0, "127.0.0.1", PORT, 1);
	open_port_of(1, "127.0.0.1", PORT + 1, 1);
	for (int i = 0; i < 6; i++)
		fds[i] = connect_to("127.0.0.1", PORT + i % 2);
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_taken, 2);
	assert_int_equal(n_pauses, 2);
	assert_false(turn(NOW_MS));
	assert_int_equal(n_pauses, 2);

	/* One descriptor: one port comes back, and is paused with the rest of its peers. */
	budget_give(&budget, BUDGET_TCP, 1);
	assert_true(turn(NOW_MS));
	assert_int_equal(n_taken, 3);
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_pauses, 3);
	budget_give(&budget, BUDGET_TCP, n_free - 1);
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_taken, 6);
	for (int i = 0; i < 6; i++)
		close(fds[i]);
}

static void
test_port_whose_guest_takes_nobody_waits_alone(void **state)
{
	int fds[4];

	(void)state;
	n_open_guests = 7;
	open_port_of(0, "127.0.0.1", PORT, 9);
	open_port_of(1, "127.0.0.1", PORT + 1, 1);
	for (int i = 0; i < 4; i++)
		fds[i] = connect_to("127.0.0.1", PORT + i % 2);
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_taken, 2);
	assert_int_equal(n_pauses, 1);
	/* The paused one is closed, and another one opened. */
	close_port(0);
	open_port_of(2, "127.0.0.1", PORT, 1);
	fds[0] = (close(fds[0]), connect_to("127.0.0.1", PORT));
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_taken, 3);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* No event tells when the kernel's shortage is over. */
static void
test_shortage_of_the_kernel(void **state)
{
	static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
	uint64_t now_ms = NOW_MS;

	(void)state;
	open_port_of(0, "127.0.0.1", PORT, 1);
	for (size_t i = 0; i < 4; i++) {
		int fd = connect_to("127.0.0.1", PORT);

		accept_error = errors[i];
		assert_true(turn(now_ms));
		assert_true(
		    tcp_listen_resume(&listening, now_ms) == now_ms + FDIO_RETRY_MS);
		assert_false(turn(now_ms + FDIO_RETRY_MS - 1));
		now_ms += FDIO_RETRY_MS;
		/* Still short. */
		assert_true(turn(now_ms));
		accept_error = 0;
		assert_false(turn(now_ms + FDIO_RETRY_MS - 1));
		now_ms += FDIO_RETRY_MS;
		assert_true(turn(now_ms));
		assert_int_equal(n_taken, i + 1);
		assert_true(tcp_listen_resume(&listening, now_ms) == DEADLINE_NONE);
		close(fd);
	}
	assert_int_equal(n_pauses, 8);
}

/* More than one turn looks at: they are looked at in turns, and a turn is asked for. */
static void
test_many_paused_ports(void **state)
{
	int fds[N_MAX];

	(void)state;
	n_open_guests = 7;
	for (uint16_t i = 0; i < N_MAX; i++) {
		open_port_of(i, "127.0.0.1", PORT + i, i < N_MAX - 1 ? 9 : 8);
		fds[i] = connect_to("127.0.0.1", PORT + i);
	}
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_pauses, N_MAX);
	assert_int_equal(n_taken, 0);
	assert_true(
	    tcp_listen_resume(&listening, NOW_MS + 1) == NOW_MS + 1 + FDIO_RETRY_MS);
	/* The last one's guest takes peers again. */
	n_open_guests = 8;
	for (int i = 0; i < 4 && n_taken == 0; i++)
		turn(NOW_MS + 2);
	assert_int_equal(n_taken, 1);
	assert_int_equal(n_pauses, N_MAX);
	for (int i = 0; i < N_MAX; i++)
		close(fds[i]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_connection_has_its_ends),
		TEST(test_place_is_used_again_and_its_events_are_stale),
		TEST(test_turn_is_shared_among_the_ports),
		TEST(test_port_waits_for_descriptors),
		TEST(test_port_whose_guest_takes_nobody_waits_alone),
		TEST(test_shortage_of_the_kernel),
		TEST(test_many_paused_ports),
	};

	own_netns_enter();
	return cmocka_run_group_tests_name("tcp_listen", tests, NULL, NULL);
#undef TEST
}
