/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_load: a name server whose every name has an address, and clients that ask it. */
#include "load.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/clock.h"

/* RFC 1035 4.1.1. */
#define HEADER_BYTES 12
/* Type and class behind the name of a question. */
#define QUESTION_TAIL_BYTES 4
#define MESSAGE_BYTES 512
/* An answer that has not come by then is lost, and the next name is asked for. */
#define ANSWER_TIMEOUT_MS 50

/* Standard query, recursion desired; the same as an answer without an error. */
#define FLAGS_QUERY 0x0100
#define FLAGS_ANSWER 0x8180
#define FLAGS_RCODE 0x000f

/* The name of the question, A, IN, 60 seconds, 198.51.99.1: an address of class internet. */
static const uint8_t answer_record[] = { 0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 60, 0,
	4, 198, 51, 99, 1 };

struct names_asked {
	struct sockaddr_in server;
	struct load_span span;
};

/* Returns the length of header and question, or 0. */
static size_t
question_end(const uint8_t *message, size_t len)
{
	size_t at = HEADER_BYTES;

	while (at < len && message[at] != 0)
		at += 1U + message[at];
	at += 1 + QUESTION_TAIL_BYTES;
	return at <= len ? at : 0;
}

void
load_serve_names(char *const argv[])
{
	const struct sockaddr_in own = load_address(argv[0], argv[1]);
	/* Who finds the other one listening finds both. */
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	autofd int listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t message[MESSAGE_BYTES + sizeof(answer_record)];

	if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
	    bind(listen_fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
	    listen(listen_fd, 1) != 0)
		err(1, "bind port %s", argv[1]);
	for (;;) {
		struct sockaddr_in peer;
		socklen_t peer_len = sizeof(peer);
		ssize_t len = recvfrom(fd, message, MESSAGE_BYTES, 0,
		    (struct sockaddr *)&peer, &peer_len);
		size_t end = len < HEADER_BYTES ? 0 : question_end(message, (size_t)len);

		if (end == 0)
			continue;
		/* One question, one answer, and no record of the query behind them. */
		store_be16(message + 2, FLAGS_ANSWER);
		memset(message + 4, 0, HEADER_BYTES - 4);
		message[5] = message[7] = 1;
		memcpy(message + end, answer_record, sizeof(answer_record));
		(void)!sendto(fd, message, end + sizeof(answer_record), 0,
		    (const struct sockaddr *)&peer, peer_len);
	}
}

static size_t
make_query(uint8_t query[MESSAGE_BYTES], uint16_t number, int client, uint64_t n)
{
	static const char zone[] = "\5bench\4test\0\0\1\0\1";
	char label[32];
	int len =
	    snprintf(label, sizeof(label), "c%d-%llu", client, (unsigned long long)n);

	memset(query, 0, HEADER_BYTES);
	store_be16(query, number);
	store_be16(query + 2, FLAGS_QUERY);
	query[5] = 1;
	query[HEADER_BYTES] = (uint8_t)len;
	memcpy(query + HEADER_BYTES + 1, label, (size_t)len);
	/* With the NUL that ends the text, which is the end of the class. */
	memcpy(query + HEADER_BYTES + 1 + len, zone, sizeof(zone) - 1);
	return HEADER_BYTES + 1 + (size_t)len + sizeof(zone) - 1;
}

/* Whether the answer to a query comes in time. One with an error ends the program. */
static bool
take_answer(int fd, uint16_t number)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint8_t answer[MESSAGE_BYTES];

	while (poll(&wait, 1, ANSWER_TIMEOUT_MS) > 0) {
		ssize_t len = recv(fd, answer, sizeof(answer), 0);

		if (len < HEADER_BYTES)
			err(1, "receive an answer");
		/* An earlier one that was given up may still come. */
		if (load_be16(answer) != number)
			continue;
		if ((load_be16(answer + 2) & FLAGS_RCODE) != 0 || answer[7] != 1)
			errx(1, "a name has no address: error %d",
			    load_be16(answer + 2) & FLAGS_RCODE);
		return true;
	}
	return false;
}

static uint64_t
ask_for_names(const void *ctx, int client)
{
	const struct names_asked *asked = ctx;
	autofd int fd = load_connect(&asked->server, SOCK_DGRAM);
	uint8_t query[MESSAGE_BYTES];
	uint64_t n_done = 0;

	for (uint64_t n = 0; !load_span_is_over(&asked->span); n++) {
		load_write_all(fd, query, make_query(query, (uint16_t)n, client, n));
		n_done += take_answer(fd, (uint16_t)n);
	}
	return n_done;
}

void
load_names(char *const argv[])
{
	const struct names_asked asked = {
		.server = load_address(argv[0], argv[1]),
		.span = load_span_of_seconds(load_number(argv[2])),
	};
	uint64_t n = load_by_clients((int)load_number(argv[3]), ask_for_names, &asked);

	printf("%.1f\n", load_span_rate(&asked.span, n));
}
