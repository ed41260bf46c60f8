/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: TCP clients in the guest. */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

void
load_rr(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	const int on = 1;
	char message[LOAD_MESSAGE_BYTES] = "request";
	autofd int fd = load_connect(&peer, SOCK_STREAM);
	struct load_span span = load_span_of_seconds(load_number(argv[2]));
	uint64_t n_done = 0;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		err(1, "set TCP_NODELAY");
	for (; !load_span_is_over(&span); n_done++) {
		load_write_all(fd, message, sizeof(message));
		load_read_all(fd, message, sizeof(message));
	}
	printf("%.1f\n", load_span_rate(&span, n_done));
}

struct one_shots {
	struct sockaddr_in first;
	struct load_span span;
};

static uint64_t
connect_until_over(const void *ctx, int client)
{
	const struct one_shots *shots = ctx;
	char message[LOAD_MESSAGE_BYTES] = "request";
	uint64_t n_done = 0;

	for (; !load_span_is_over(&shots->span); n_done++) {
		uint64_t offset = ((uint64_t)client + n_done) % LOAD_N_TCP_PORTS;
		struct sockaddr_in peer = shots->first;
		autofd int fd = -1;

		peer.sin_port = htons((uint16_t)(ntohs(peer.sin_port) + offset));
		fd = load_connect(&peer, SOCK_STREAM);
		load_write_all(fd, message, sizeof(message));
		load_read_all(fd, message, sizeof(message));
	}
	return n_done;
}

void
load_one_shot(char *const argv[])
{
	const struct one_shots shots = {
		.first = load_address(argv[0], argv[1]),
		.span = load_span_of_seconds(load_number(argv[2])),
	};

	printf("%.1f\n",
	    load_span_rate(&shots.span,
		load_by_clients((int)load_number(argv[3]), connect_until_over, &shots)));
}

void
load_hold(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	uint64_t n_wanted = (uint64_t)load_number(argv[2]);
	struct load_span span = load_span_of_seconds(load_number(argv[3]));
	uint64_t n_open = 0;
	char byte = 'x';

	/* A subject that takes no more of them is a result here, and no error. The sockets are
	 * closed by the end of the program. */
	for (; n_open < n_wanted && !load_span_is_over(&span); n_open++) {
		int fd = load_try_connect(&peer, SOCK_STREAM);

		/* There and back: it is open on both sides of the subject. */
		if (fd < 0 || send(fd, &byte, 1, MSG_NOSIGNAL) != 1 ||
		    recv(fd, &byte, 1, 0) != 1)
			break;
	}
	printf("%llu\n", (unsigned long long)n_open);
	load_wait_for_the_end();
}
