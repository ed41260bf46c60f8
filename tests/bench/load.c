/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: the command line, and what all loads share. */
#include "load.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

static const struct load {
	const char *name;
	const char *usage;
	int n_args;
	void (*run)(char *const argv[]);
} loads[] = {
	{ "serve", "ADDRESS PORT", 2, load_serve },
	{ "rr", "ADDRESS PORT SECONDS", 3, load_rr },
	{ "one-shot", "ADDRESS PORT SECONDS CLIENTS", 4, load_one_shot },
	{ "hold", "ADDRESS PORT CONNECTIONS SECONDS", 4, load_hold },
	{ "echo", "ADDRESS PORT SECONDS", 3, load_echo },
	{ "gap", "ADDRESS PORT SECONDS", 3, load_gap },
	{ "serve-names", "ADDRESS PORT", 2, load_serve_names },
	{ "names", "ADDRESS PORT SECONDS CLIENTS", 4, load_names },
	{ "flood", "ADDRESS PORT BYTES SECONDS", 4, load_flood },
	{ "sink", "ADDRESS PORT SECONDS", 3, load_sink },
	{ "pour", "ADDRESS PORT BYTES SECONDS", 4, load_pour },
	{ "draw", "ADDRESS PORT SECONDS", 3, load_draw },
	{ "fresh", "ADDRESS PORT REQUESTS", 3, load_fresh },
	{ "api", "PATH REQUEST SECONDS RATE CLIENTS", 5, load_api },
};
#define N_LOADS (sizeof(loads) / sizeof(loads[0]))

struct load_span
load_span_of_seconds(double seconds)
{
	int64_t now_ns = clock_now_ns();

	return (struct load_span){
		.began_ns = now_ns,
		.end_ns = now_ns + (int64_t)(seconds * CLOCK_MS_PER_S * CLOCK_NS_PER_MS),
	};
}

bool
load_span_is_over(const struct load_span *span)
{
	return clock_now_ns() >= span->end_ns;
}

double
load_span_rate(const struct load_span *span, uint64_t n_events)
{
	double seconds =
	    (double)(clock_now_ns() - span->began_ns) / CLOCK_NS_PER_MS / CLOCK_MS_PER_S;

	return (double)n_events / seconds;
}

double
load_number(const char *text)
{
	char *end = NULL;
	double number = strtod(text, &end);

	if (end == text || *end != '\0' || number < 0)
		errx(2, "not a number: %s", text);
	return number;
}

struct sockaddr_in
load_address(const char *address, const char *port)
{
	struct sockaddr_in result = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)load_number(port)),
	};

	if (inet_pton(AF_INET, address, &result.sin_addr) != 1)
		errx(2, "not an IPv4 address: %s", address);
	return result;
}

int
load_try_connect(const struct sockaddr_in *peer, int type)
{
	const struct timeval timeout = { .tv_sec =
					     LOAD_REPLY_TIMEOUT_MS / CLOCK_MS_PER_S };
	autofd int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0)
		err(1, "set timeouts");
	if (connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) != 0)
		return -1;
	return take_fd(&fd);
}

int
load_connect(const struct sockaddr_in *peer, int type)
{
	int fd = load_try_connect(peer, type);

	if (fd < 0)
		err(1, "connect to port %d", ntohs(peer->sin_port));
	return fd;
}

void
load_write_all(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(1, "send %zu bytes", len);
}

void
load_read_all(int fd, void *data, size_t len)
{
	ssize_t got = recv(fd, data, len, MSG_WAITALL);

	if (got < 0)
		err(1, "receive %zu bytes", len);
	if (got != (ssize_t)len)
		errx(1, "the connection ended after %zd of %zu bytes", got, len);
}

uint64_t
load_by_clients(int n_clients, uint64_t (*count)(const void *ctx, int client),
    const void *ctx)
{
	int counts[2];
	uint64_t n = 0, n_own;
	int status;

	if (pipe2(counts, O_CLOEXEC) != 0)
		err(1, "make a pipe");
	for (int i = 0; i < n_clients; i++) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child == 0) {
			n_own = count(ctx, i);
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
		n += n_own;
	}
	return n;
}

void
load_wait_for_the_end(void)
{
	char byte;

	fflush(stdout);
	while (read(STDIN_FILENO, &byte, sizeof(byte)) > 0)
		continue;
}

/* The usual soft limit of 1024 is for the subject to live with, not for its clients. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		err(1, "get RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		err(1, "set RLIMIT_NOFILE");
}

int
main(int argc, char *argv[])
{
	raise_file_limit();
	for (size_t i = 0; i < N_LOADS; i++) {
		if (argc == 2 + loads[i].n_args && strcmp(argv[1], loads[i].name) == 0) {
			loads[i].run(argv + 2);
			return 0;
		}
	}
	for (size_t i = 0; i < N_LOADS; i++)
		fprintf(stderr, "usage: bench_load %s %s\n", loads[i].name,
		    loads[i].usage);
	return 2;
}
