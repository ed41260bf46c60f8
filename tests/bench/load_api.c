/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: clients of a control socket, as slirp4netns's users are. */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

/* A list of a few forwards, which is what is asked for, is a tenth of this. */
#define REPLY_MAX_BYTES 4096

/* What every correct reply of either kind of list begins with, and no error does. */
#define ERROR_MARK "\"error\""

static void
request_once(const struct sockaddr_un *peer, const char *request)
{
	const struct timeval timeout = { .tv_sec =
					     LOAD_REPLY_TIMEOUT_MS / CLOCK_MS_PER_S };
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char reply[REPLY_MAX_BYTES + 1];
	size_t reply_len = 0;
	ssize_t got;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0)
		err(1, "make a socket");
	if (connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) != 0)
		err(1, "connect to %s", peer->sun_path);
	load_write_all(fd, request, strlen(request));
	/* The end of the request, for servers that read to it. One that has answered and
	 * closed already is as good. */
	if (shutdown(fd, SHUT_WR) != 0 && errno != ENOTCONN)
		err(1, "end the request");
	while ((got = recv(fd, reply + reply_len, REPLY_MAX_BYTES - reply_len, 0)) > 0)
		reply_len += (size_t)got;
	if (got < 0)
		err(1, "receive the reply");
	reply[reply_len] = '\0';
	if (reply_len == 0)
		errx(1, "closed without a reply");
	if (strstr(reply, ERROR_MARK) != NULL)
		errx(1, "the reply is: %s", reply);
}

/* Requests until the span is over; gives their number. */
static uint64_t
request_until_over(const struct sockaddr_un *peer, const char *request,
    const struct load_span *span, double rate)
{
	uint64_t n_done = 0;

	for (; !load_span_is_over(span); n_done++) {
		request_once(peer, request);
		if (rate > 0) {
			/* By the clock and not by pauses, so that slow replies don't lower it. */
			int64_t next_ns =
			    span->began_ns + (int64_t)((double)(n_done + 1) / rate * 1e9);
			struct timespec next = {
				.tv_sec = next_ns / 1000000000,
				.tv_nsec = next_ns % 1000000000,
			};

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		}
	}
	return n_done;
}

void
load_api(char *const argv[])
{
	struct sockaddr_un peer = { .sun_family = AF_UNIX };
	struct load_span span = load_span_of_seconds(load_number(argv[2]));
	double rate = load_number(argv[3]);
	int n_clients = (int)load_number(argv[4]);
	int counts[2];
	uint64_t n_done = 0;
	uint64_t n_own;
	int status;

	if (strlen(argv[0]) >= sizeof(peer.sun_path))
		errx(2, "a longer path than a socket can have: %s", argv[0]);
	strcpy(peer.sun_path, argv[0]);
	if (pipe2(counts, O_CLOEXEC) != 0)
		err(1, "make a pipe");
	for (int i = 0; i < n_clients; i++) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child == 0) {
			n_own =
			    request_until_over(&peer, argv[1], &span, rate / n_clients);
			_exit(write(counts[1], &n_own, sizeof(n_own)) !=
			    (ssize_t)sizeof(n_own));
		}
	}
	while (wait(&status) > 0) {
		/* It has said why. */
		if (status != 0)
			exit(1);
		if (read(counts[0], &n_own, sizeof(n_own)) != (ssize_t)sizeof(n_own))
			err(1, "read a count");
		n_done += n_own;
	}
	printf("%.1f\n", load_span_rate(&span, n_done));
}
