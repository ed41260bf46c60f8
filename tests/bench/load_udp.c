/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: UDP clients in the guest, and floods each way. */
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

/* Sends request number `number`, and waits for its reply. False if none comes. */
static bool
ask(int fd, uint64_t number)
{
	char request[LOAD_MESSAGE_BYTES] = "";
	char reply[LOAD_MESSAGE_BYTES];

	memcpy(request, &number, sizeof(number));
	load_write_all(fd, request, sizeof(request));
	while (readable(fd, ECHO_TIMEOUT_MS)) {
		if (recv(fd, reply, sizeof(reply), 0) != (ssize_t)sizeof(reply))
			err(1, "receive an echo");
		/* An earlier one that was given up may still come. */
		if (memcmp(request, reply, sizeof(reply)) == 0)
			return true;
	}
	return false;
}

void
load_echo(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	autofd int fd = load_connect(&peer, SOCK_DGRAM);
	struct load_span span = load_span_of_seconds(load_number(argv[2]));
	uint64_t n_done = 0;

	for (uint64_t number = 0; !load_span_is_over(&span); number++)
		n_done += ask(fd, number);
	printf("%.1f\n", load_span_rate(&span, n_done));
}

void
load_gap(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	autofd int fd = load_connect(&peer, SOCK_DGRAM);
	struct load_span span = load_span_of_seconds(load_number(argv[2]));
	int64_t longest_ns = 0;

	for (uint64_t number = 0; !load_span_is_over(&span); number++) {
		int64_t began_ns = clock_now_ns(), waited_ns;

		/* A lost one counts with the time that was waited for it. */
		(void)ask(fd, number);
		waited_ns = clock_now_ns() - began_ns;
		if (waited_ns > longest_ns)
			longest_ns = waited_ns;
		usleep(LOAD_GAP_PAUSE_US);
	}
	printf("%.3f\n", (double)longest_ns / CLOCK_NS_PER_MS);
}

void
load_fresh(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	uint64_t n_requests = (uint64_t)load_number(argv[2]), n_done = 0;
	struct load_span span = load_span_of_seconds(0);

	for (uint64_t number = 0; number < n_requests; number++) {
		autofd int fd = load_connect(&peer, SOCK_DGRAM);

		n_done += ask(fd, number);
	}
	printf("%.1f\n", load_span_rate(&span, n_done));
}

/* Sends datagrams on a connected socket. Prints how many a second. */
static void
flood(int fd, const char *bytes_text, double seconds)
{
	static char datagram[DATAGRAM_MAX];
	double bytes = load_number(bytes_text);
	struct load_span span = load_span_of_seconds(seconds);
	uint64_t n_sent = 0;

	if (bytes > DATAGRAM_MAX)
		errx(2, "no datagram holds %s bytes", bytes_text);
	while (!load_span_is_over(&span)) {
		if (send(fd, datagram, (size_t)bytes, 0) == (ssize_t)bytes)
			n_sent++;
		/* Refused: the flood outlasts the socket at the other end. */
		else if (errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED)
			err(1, "send a datagram");
	}
	printf("%.1f\n", load_span_rate(&span, n_sent));
}

void
load_flood(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	autofd int fd = load_connect(&peer, SOCK_DGRAM);

	flood(fd, argv[2], load_number(argv[3]) + FLOOD_SURPLUS_S);
}

/* A socket that holds as much as the system allows: what a full buffer loses is not the
 * subject's fault. */
static void
widen(int fd)
{
	const int buffer_bytes = 8 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes)) !=
	    0)
		err(1, "set SO_RCVBUF");
}

static int
bound_socket(char *const argv[])
{
	const struct sockaddr_in own = load_address(argv[0], argv[1]);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0)
		err(1, "bind UDP port %s", argv[1]);
	return fd;
}

/* Takes a flood, and prints its rate. */
static void
take_flood(int fd, double seconds)
{
	static char datagram[DATAGRAM_MAX];
	struct load_span span;
	uint64_t n_bytes = 0;

	if (!readable(fd, SINK_START_TIMEOUT_MS))
		errx(1, "not one datagram came");
	span = load_span_of_seconds(seconds);
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
}

static void
say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

void
load_sink(char *const argv[])
{
	autofd int fd = bound_socket(argv);

	widen(fd);
	say_ready();
	take_flood(fd, load_number(argv[2]));
	/* A closed port would be reported to the flood, as an error. */
	load_wait_for_the_end();
}

void
load_pour(char *const argv[])
{
	autofd int fd = bound_socket(argv);
	struct sockaddr_in asker;
	socklen_t asker_len = sizeof(asker);
	char request[LOAD_MESSAGE_BYTES];

	say_ready();
	if (!readable(fd, SINK_START_TIMEOUT_MS))
		errx(1, "nobody asked for a flood");
	if (recvfrom(fd, request, sizeof(request), 0, (struct sockaddr *)&asker,
		&asker_len) < 0 ||
	    connect(fd, (const struct sockaddr *)&asker, asker_len) != 0)
		err(1, "connect to the asker");
	flood(fd, argv[2], load_number(argv[3]) + FLOOD_SURPLUS_S);
}

void
load_draw(char *const argv[])
{
	const struct sockaddr_in peer = load_address(argv[0], argv[1]);
	autofd int fd = load_connect(&peer, SOCK_DGRAM);
	const char request[LOAD_MESSAGE_BYTES] = "";

	widen(fd);
	load_write_all(fd, request, sizeof(request));
	take_flood(fd, load_number(argv[2]));
}
