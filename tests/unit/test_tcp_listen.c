/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets of forwards on the kernel's real ports, in a network namespace. */
#include "slirp-worker/engine/forward/tcp_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
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
#include "worker_box.h"

#define N_MAX 100
#define NOW_MS 5000
#define PORT 8001

static struct poller poller;
static struct budget budget;
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
	return tcp_listen_init(&listening, N_MAX, &poller, &budget, &owner, &n_pauses);
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
	tcp_listen_free(&listening);
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

static int
open_port_of(const char *host, uint16_t port, unsigned int guest)
{
	const union inaddr_sock sock = at(host, port);
	const struct inaddr addr = inaddr_from4(htonl(0x0a000200 + guest));

	return tcp_listen_open(&listening, &sock, &addr, (uint16_t)(port + 1000),
	    port + 5U);
}

static void
close_port_of(const char *host, uint16_t port)
{
	const union inaddr_sock sock = at(host, port);

	tcp_listen_close(&listening, &sock);
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

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
test_connection_has_its_ends_and_options(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct inaddr loopback = inaddr_loopback(i);
		union inaddr_sock own;
		socklen_t len = sizeof(own);
		int fd;

		assert_int_equal(open_port_of(hosts[i], PORT, 1), 0);
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
		assert_int_equal(option(taken[0].fd, IPPROTO_TCP, TCP_NODELAY), 1);
		assert_int_equal(option(taken[0].fd, SOL_SOCKET, SO_OOBINLINE), 1);
		assert_true(fcntl(taken[0].fd, F_GETFL) & O_NONBLOCK);
		assert_int_equal(budget.used[BUDGET_TCP], 1);
		close(fd);
		close_port_of(hosts[i], PORT);
		drop_taken();
	}
	assert_int_equal(n_pauses, 0);
}

/* The unspecified addresses of both families, and addresses of one port, do not disturb
 * each other. */
static void
test_ports_are_found_by_address_and_port(void **state)
{
	(void)state;
	assert_int_equal(open_port_of("0.0.0.0", PORT, 1), 0);
	assert_int_equal(open_port_of("::", PORT, 2), 0);
	assert_int_equal(open_port_of("127.0.0.1", PORT + 1, 3), 0);
	assert_int_equal(open_port_of("127.0.0.2", PORT + 1, 4), 0);
	/* In the same chain. */
	assert_int_equal(open_port_of("127.0.0.1", PORT + TCP_LISTEN_CHAINS, 5), 0);
	assert_int_equal(open_port_of("127.0.0.1", PORT + 1, 6), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(open_port_of("192.0.2.1", PORT, 6), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);

	close_port_of("127.0.0.1", PORT + 1);
	assert_int_equal(connect_to("127.0.0.1", PORT + 1), -1);
	close(connect_to("127.0.0.2", PORT + 1));
	close_port_of("0.0.0.0", PORT);
	assert_int_equal(connect_to("127.0.0.1", PORT), -1);
	close(connect_to("::1", PORT));
	close(connect_to("127.0.0.1", PORT + TCP_LISTEN_CHAINS));
	turn(NOW_MS);
	assert_int_equal(n_taken, 3);
	/* Not open: nothing happens. */
	close_port_of("0.0.0.0", PORT);
}

static void
test_place_is_used_again_and_its_events_are_stale(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(open_port_of("127.0.0.1", PORT, 1), 0);
	fd = connect_to("127.0.0.1", PORT);
	assert_int_equal(poller_look(&poller, 0), 1);
	assert_int_equal(poller.n_events, 1);
	close_port_of("127.0.0.1", PORT);
	assert_int_equal(open_port_of("127.0.0.1", PORT, 2), 0);
	assert_int_equal(listening.n_places, 1);
	tcp_listen_accept(&listening, NOW_MS);
	assert_int_equal(n_taken, 0);
	close(fd);
	for (int i = 1; i < N_MAX; i++)
		assert_int_equal(open_port_of("127.0.0.1", (uint16_t)(PORT + i), 1), 0);
	assert_int_equal(open_port_of("127.0.0.1", PORT + N_MAX, 1), -1);
	assert_int_equal(errno, ENOBUFS);
	close_port_of("127.0.0.1", PORT + 7);
	assert_int_equal(open_port_of("127.0.0.1", PORT + N_MAX, 1), 0);
}

/* A crowd at one port does not keep others waiting, and a turn has an end. */
static void
test_turn_is_shared_among_the_ports(void **state)
{
	int fds[200], n = 0;
	size_t n_of[8] = { 0 };

	(void)state;
	for (uint16_t i = 0; i < 8; i++)
		assert_int_equal(open_port_of("127.0.0.1", PORT + i, 1), 0);
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
	assert_int_equal(open_port_of("127.0.0.1", PORT, 1), 0);
	assert_int_equal(open_port_of("127.0.0.1", PORT + 1, 1), 0);
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
	assert_int_equal(open_port_of("127.0.0.1", PORT, 9), 0);
	assert_int_equal(open_port_of("127.0.0.1", PORT + 1, 1), 0);
	for (int i = 0; i < 4; i++)
		fds[i] = connect_to("127.0.0.1", PORT + i % 2);
	while (turn(NOW_MS))
		continue;
	assert_int_equal(n_taken, 2);
	assert_int_equal(n_pauses, 1);
	/* The paused one is closed, and another one opened at its place. */
	close_port_of("127.0.0.1", PORT);
	assert_int_equal(open_port_of("127.0.0.1", PORT, 1), 0);
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
	assert_int_equal(open_port_of("127.0.0.1", PORT, 1), 0);
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
		assert_int_equal(open_port_of("127.0.0.1", PORT + i,
				     i < N_MAX - 1 ? 9 : 8),
		    0);
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
		TEST(test_connection_has_its_ends_and_options),
		TEST(test_ports_are_found_by_address_and_port),
		TEST(test_place_is_used_again_and_its_events_are_stale),
		TEST(test_turn_is_shared_among_the_ports),
		TEST(test_port_waits_for_descriptors),
		TEST(test_port_whose_guest_takes_nobody_waits_alone),
		TEST(test_shortage_of_the_kernel),
		TEST(test_many_paused_ports),
	};

	worker_box_enter_namespace();
	return cmocka_run_group_tests_name("tcp_listen", tests, NULL, NULL);
#undef TEST
}
