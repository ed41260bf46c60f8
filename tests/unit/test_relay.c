/* SPDX-License-Identifier: BSD-2-Clause */
/* The relay's ports and pending connections, with the real libslirp, in a network
 * namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "slirp-worker/engine/relay/relay.h"
#include "worker_box.h"

#define FIRST_PORT 8001

/* Several times more than are accepted at once. */
#define N_CLIENTS 100

static struct worker_box box;
static struct relay *const relay = &box.worker.relay;
static struct relay_tcp *const tcp = &box.worker.relay.tcp;
static int client_fds[2 * N_CLIENTS];
static size_t n_clients;

static int
open_box(void **state)
{
	(void)state;
	worker_box_open(&box, true);
	return 0;
}

static int
close_box(void **state)
{
	(void)state;
	while (n_clients > 0)
		close(client_fds[--n_clients]);
	worker_box_close(&box);
	return 0;
}

static union inaddr_sock
loopback6(uint16_t port)
{
	const struct inaddr loopback = inaddr_loopback(true);

	return inaddr_sock_make(&loopback, port);
}

static void
open_ports(uint16_t n)
{
	const struct inaddr guest_addr = inaddr_from4(htonl(0x0a000264));
	const union inaddr_sock guest = inaddr_sock_make(&guest_addr, 80);

	for (uint16_t i = 0; i < n; i++) {
		union inaddr_sock host = loopback6(FIRST_PORT + i);

		assert_int_equal(relay_open(relay, IPPROTO_TCP, &host.any, &guest.any),
		    0);
	}
}

static void
connect_clients(uint16_t port, size_t n)
{
	const union inaddr_sock to = loopback6(port);

	while (n-- > 0) {
		int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_not_equal(fd, -1);
		assert_int_equal(connect(fd, &to.any, sizeof(to.in6)), 0);
		client_fds[n_clients++] = fd;
	}
}

/* As in loop.c, which is not used here. Returns when the relay is due. */
static uint64_t
turn(bool with_stack, uint64_t now_ms)
{
	struct pollset *set = &box.worker.pollset;
	uint64_t due_ms;

	pollset_clear(set);
	if (with_stack)
		stack_engine.prepare(box.worker.stack, set, 0);
	due_ms = relay_engine.prepare(relay, set, now_ms);
	assert_int_not_equal(pollset_wait(set, 0), -1);
	if (with_stack)
		stack_engine.finish(box.worker.stack, set, false, 0);
	relay_engine.finish(relay, set, false, now_ms);
	return due_ms;
}

static size_t
count_connections_of(const struct relay_port *port)
{
	size_t n = 0;

	for (size_t i = 0; i < tcp->n; i++)
		n += inaddr_sock_is_equal(&tcp->connections[i].inner_end, &port->inner);
	return n;
}

static void
test_no_more_are_accepted_than_libslirp_takes(void **state)
{
	(void)state;
	open_ports(1);
	connect_clients(FIRST_PORT, N_CLIENTS);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(turn(false, 0), DEADLINE_NONE);
		assert_int_equal(tcp->n, RELAY_TCP_PENDING_MAX);
		assert_int_equal(tcp->n_pending, RELAY_TCP_PENDING_MAX);
	}
	/* A port without descriptors is not polled. */
	assert_int_equal(relay->ports[0].poll_index, -1);
	while (tcp->n < N_CLIENTS || tcp->n_pending > 0) {
		turn(true, 0);
		assert_in_range(tcp->n_pending, 0, RELAY_TCP_PENDING_MAX);
	}
}

static void
test_busy_port_leaves_room_for_others(void **state)
{
	(void)state;
	open_ports(2);
	connect_clients(FIRST_PORT, N_CLIENTS);
	connect_clients(FIRST_PORT + 1, N_CLIENTS);
	while (tcp->n < N_CLIENTS)
		turn(true, 0);
	for (size_t i = 0; i < 2; i++)
		assert_in_range(count_connections_of(&relay->ports[i]), N_CLIENTS / 4,
		    N_CLIENTS);
}

static void
test_pending_ones_that_end_are_not_waited_for(void **state)
{
	const struct linger abort = { .l_onoff = 1 };

	(void)state;
	open_ports(1);
	connect_clients(FIRST_PORT, N_CLIENTS);
	for (size_t i = 0; i < N_CLIENTS; i++)
		setsockopt(client_fds[i], SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	turn(false, 0);
	while (n_clients > 0)
		close(client_fds[--n_clients]);
	for (int i = 0; i < 2 * N_CLIENTS; i++)
		turn(false, 0);
	assert_int_equal(tcp->n, 0);
	assert_int_equal(tcp->n_pending, 0);
	/* libslirp finds the other ends now. */
	for (int i = 0; i < 2 * N_CLIENTS; i++)
		turn(true, 0);
	connect_clients(FIRST_PORT, 1);
	while (tcp->n_pending == 0)
		turn(false, 0);
	while (tcp->n_pending > 0)
		turn(true, 0);
	assert_int_equal(tcp->n, 1);
}

/* Finds libslirp's socket of that port. */
static int
find_listener(const union inaddr_sock *inner)
{
	for (int fd = 0; fd < (int)box.worker.pollset.size; fd++) {
		union inaddr_sock own = { 0 };
		socklen_t len = sizeof(own);
		int accepts = 0;
		socklen_t accepts_len = sizeof(accepts);

		if (getsockname(fd, &own.any, &len) == 0 &&
		    inaddr_sock_is_equal(&own, inner) &&
		    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &accepts_len) ==
			0 &&
		    accepts)
			return fd;
	}
	fail_msg("libslirp does not listen");
	return -1;
}

/* Every process of the host can connect to the inner port. Its end may have the same port
 * as the relay's, at another address of 127/8. */
static void
test_strangers_at_the_inner_port_are_told_apart(void **state)
{
	union inaddr_sock own = { 0 };
	socklen_t len = sizeof(own);
	int stranger_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int listen_fd, accepted_fds[2];

	(void)state;
	client_fds[n_clients++] = stranger_fd;
	open_ports(1);
	listen_fd = find_listener(&relay->ports[0].inner);
	connect_clients(FIRST_PORT, 1);
	turn(false, 0);
	assert_int_equal(tcp->n_pending, 1);
	assert_int_equal(getsockname(tcp->connections[0].inner.fd, &own.any, &len), 0);
	own.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	assert_int_equal(bind(stranger_fd, &own.any, sizeof(own.in)), 0);
	assert_int_equal(connect(stranger_fd, &relay->ports[0].inner.any, sizeof(own.in)),
	    0);

	/* Replaces libslirp's accept(2). */
	for (int i = 0; i < 2; i++)
		accepted_fds[i] = accept(listen_fd, NULL, NULL);
	relay_tcp_note_accepted(tcp, accepted_fds[1]);
	assert_int_equal(tcp->n_pending, 1);
	relay_tcp_note_accepted(tcp, accepted_fds[0]);
	assert_int_equal(tcp->n_pending, 0);
	assert_int_equal(relay_tcp_find_peer(tcp, accepted_fds[0]),
	    tcp->connections[0].peer.fd);
	assert_int_equal(relay_tcp_find_peer(tcp, accepted_fds[1]), -1);
	for (int i = 0; i < 2; i++)
		close(accepted_fds[i]);
}

/* From now on accept(2) fails, as if the kernel had no file left. */
static void
forbid_accept(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENFILE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Last, because the process cannot accept any more. */
static void
test_lack_of_files_is_slept_over(void **state)
{
	uint64_t now_ms = 1000, due_ms;

	(void)state;
	open_ports(1);
	connect_clients(FIRST_PORT, 1);
	forbid_accept();
	assert_int_equal(turn(false, now_ms), DEADLINE_NONE);
	assert_int_equal(tcp->n, 0);
	due_ms = turn(false, now_ms);
	assert_in_range(due_ms - now_ms, 1, CLOCK_MS_PER_S);
	assert_int_equal(relay->ports[0].poll_index, -1);
	now_ms = due_ms;
	assert_int_equal(turn(false, now_ms), DEADLINE_NONE);
	assert_int_not_equal(relay->ports[0].poll_index, -1);
	assert_int_equal(turn(false, now_ms) - now_ms, FDIO_RETRY_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
		TEST(test_no_more_are_accepted_than_libslirp_takes),
		TEST(test_busy_port_leaves_room_for_others),
		TEST(test_pending_ones_that_end_are_not_waited_for),
		TEST(test_strangers_at_the_inner_port_are_told_apart),
		TEST(test_lack_of_files_is_slept_over),
#undef TEST
	};

	worker_box_enter_namespace();
	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
