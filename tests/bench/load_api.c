/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: clients of a control socket, as slirp4netns's users are. */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

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

struct requests {
	struct sockaddr_un peer;
	const char *request;
	struct load_span span;
	double rate; /* of one client, a second; 0: as fast as they are answered */
};

/* Requests until the span is over; gives their number. */
static uint64_t
request_until_over(const void *ctx, int client)
{
	const struct requests *requests = ctx;
	uint64_t n_done = 0;

	(void)client;
	for (; !load_span_is_over(&requests->span); n_done++) {
		request_once(&requests->peer, requests->request);
		if (requests->rate > 0) {
			/* By the clock and not by pauses, so that slow replies don't lower it. */
			int64_t next_ns = requests->span.began_ns +
			    (int64_t)((double)(n_done + 1) / requests->rate * 1e9);
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
	int n_clients = (int)load_number(argv[4]);
	struct requests requests = {
		.peer.sun_family = AF_UNIX,
		.request = argv[1],
		.span = load_span_of_seconds(load_number(argv[2])),
		.rate = load_number(argv[3]) / n_clients,
	};

	if (strlen(argv[0]) >= sizeof(requests.peer.sun_path))
		errx(2, "a longer path than a socket can have: %s", argv[0]);
	strcpy(requests.peer.sun_path, argv[0]);
	printf("%.1f\n",
	    load_span_rate(&requests.span,
		load_by_clients(n_clients, request_until_over, &requests)));
}
