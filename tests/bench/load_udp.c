/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: UDP clients in the guest, and the sink of a flood on the internet's side. */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

/* A datagram that has no answer by then is lost, and the next one goes out. Well above any
 * delay of this network, and short enough that one loss shows little in the rate. */
#define ECHO_TIMEOUT_MS 50
/* What a datagram can hold. */
#define DATAGRAM_MAX 65507
/* The sink begins with the first datagram; one that never comes is an error by then. */
#define SINK_START_TIMEOUT_MS 10000
/* The flood outlasts the sink by this, so that the sink never measures silence. */
#define FLOOD_SURPLUS_S 0.5

/* Whether fd has something to read before the time is over. */
static bool
readable(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, timeout_ms) > 0;
}

void
load_echo(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	autofd int fd = load_connect(&peer, SOCK_DGRAM);
	struct load_span span = load_span_of_seconds(load_number(argv[2]));
	char request[LOAD_MESSAGE_BYTES] = "";
	char reply[LOAD_MESSAGE_BYTES];
	uint64_t n_done = 0;

	for (uint64_t number = 0; !load_span_is_over(&span); number++) {
		memcpy(request, &number, sizeof(number));
		load_write_all(fd, request, sizeof(request));
		while (readable(fd, ECHO_TIMEOUT_MS)) {
			if (recv(fd, reply, sizeof(reply), 0) != (ssize_t)sizeof(reply))
				err(1, "receive an echo");
			/* An earlier one that was given up may still come. */
			if (memcmp(request, reply, sizeof(reply)) == 0) {
				n_done++;
				break;
			}
		}
	}
	printf("%.1f\n", load_span_rate(&span, n_done));
}

void
load_flood(char *const argv[])
{
	static char datagram[DATAGRAM_MAX];
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	double bytes = load_number(argv[2]);
	autofd int fd = load_connect(&peer, SOCK_DGRAM);
	struct load_span span =
	    load_span_of_seconds(load_number(argv[3]) + FLOOD_SURPLUS_S);
	uint64_t n_sent = 0;

	if (bytes > DATAGRAM_MAX)
		errx(2, "no datagram holds %s bytes", argv[2]);
	while (!load_span_is_over(&span)) {
		if (send(fd, datagram, (size_t)bytes, 0) == (ssize_t)bytes)
			n_sent++;
		else if (errno != ENOBUFS && errno != EAGAIN)
			err(1, "send a datagram");
	}
	printf("%.1f\n", load_span_rate(&span, n_sent));
}

void
load_sink(char *const argv[])
{
	static char datagram[DATAGRAM_MAX];
	const struct sockaddr_in own = load_address(argv[0], argv[1]);
	/* As much as the system allows: what a full buffer loses is not the subject's fault. */
	const int buffer_bytes = 8 << 20;
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct load_span span;
	uint64_t n_bytes = 0;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0)
		err(1, "bind UDP port %s", argv[1]);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes)) !=
	    0)
		err(1, "set SO_RCVBUF");
	puts("ready");
	fflush(stdout);
	if (!readable(fd, SINK_START_TIMEOUT_MS))
		errx(1, "not one datagram came");
	span = load_span_of_seconds(load_number(argv[2]));
	for (;;) {
		int64_t left_ms = (span.end_ns - clock_now_ns()) / CLOCK_NS_PER_MS;
		ssize_t len;

		if (left_ms <= 0 || !readable(fd, (int)left_ms))
			break;
		while ((len = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT)) >= 0) {
			n_bytes += (uint64_t)len;
			if (load_span_is_over(&span))
				break;
		}
	}
	printf("%.6f\n", load_span_rate(&span, n_bytes) * 8 / 1e9);
	/* A closed port would be reported to the flood, as an error. */
	load_wait_for_the_end();
}
