/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of a bess socket, with a full table of descriptors. */
#include "slirp-worker/tap/tapio.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct poller poller;
static struct tapio tap;

static int watch_error; /* errno of the next EPOLL_CTL_ADD; 0: it succeeds */

/* The linker replaces epoll_ctl(2) by this (--wrap=epoll_ctl). */
int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);

int
__wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && watch_error != 0) {
		errno = watch_error;
		watch_error = 0;
		return -1;
	}
	return __real_epoll_ctl(epoll_fd, operation, fd, event);
}

/* Opens descriptors until the table is full. */
static void
fill_table(void)
{
	while (dup(STDIN_FILENO) != -1)
		continue;
	assert_int_equal(errno, EMFILE);
}

static void
test_reserve_survives_a_client_that_cannot_be_watched(void **state)
{
	const struct rlimit few = { .rlim_cur = 64, .rlim_max = 64 };
	/* The kernel chooses an abstract name: bind(2) of the family alone. */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	int listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	int clients[2];
	uint8_t *frame;
	size_t frame_len;

	(void)state;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(bind(listen_fd, (struct sockaddr *)&address,
			     sizeof(sa_family_t)),
	    0);
	assert_int_equal(getsockname(listen_fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(listen(listen_fd, 2), 0);
	assert_int_equal(poller_init(&poller), 0);
	assert_int_equal(tapio_init_bess(&tap, &poller, listen_fd), 0);
	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&address, len),
		    0);
	}
	fill_table();

	watch_error = ENOSPC;
	assert_int_equal(tapio_read(&tap, &frame, &frame_len), TAPIO_NONE);
	assert_int_equal(tap.fd, -1);
	assert_int_not_equal(tap.reserve_fd, -1);
	/* The refused client reads the end of its connection, and the next one gets in. */
	assert_int_equal(read(clients[0], &(char){ 0 }, 1), 0);
	tap.accepts_at_ms = 0;
	assert_int_equal(tapio_read(&tap, &frame, &frame_len), TAPIO_NONE);
	assert_int_not_equal(tap.fd, -1);
	/* A sanitizer opens files at the end. */
	assert_int_equal(close_range(STDERR_FILENO + 1, ~0U, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve_survives_a_client_that_cannot_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
