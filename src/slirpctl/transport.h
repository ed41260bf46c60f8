/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection to the control socket, with a deadline. If a function returns false, it
 * has logged the reason with the socket's path. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A second thing to wait for while a reply is awaited: a terminal's keys, or the end of a
 * pipe's reader. */
struct transport_watch {
	int fd;
	short events; /* of poll(2), which reports errors and hang-ups without them */
	const sigset_t *signals; /* the mask during a wait; NULL: unchanged */
	/* Called if fd has events (is_ready) and after a signal. Returns false to give up
	 * the reply, which is then a failure that is not logged. */
	bool (*go_on)(void *ctx, bool is_ready);
	void *ctx;
};

struct transport {
	const char *path; /* borrowed */
	int fd;
	const struct transport_watch *watch; /* borrowed; NULL: none */
	uint32_t timeout_s;                  /* the timeout of deadline_ms */
	uint64_t deadline_ms;                /* base/deadline.h */
	char *buf;                           /* bytes that have come and were not taken */
	size_t buf_len;
	size_t buf_size;
	size_t n_taken; /* bytes of buf that the caller has got */
	bool is_ended;  /* transport_read_line() has met the end of the connection */
};

/* Connects. The reply must be complete within timeout_s from here. path and watch are
 * borrowed until transport_close(). Call that one in both cases. */
bool transport_open(struct transport *transport, const char *path, uint32_t timeout_s,
    const struct transport_watch *watch);

/* Returns true if the daemon closes during the send: it may have answered before. The
 * next read tells. */
bool transport_send(struct transport *transport, const char *bytes, size_t len);

/* Tells the daemon that the request has ended. */
void transport_finish(struct transport *transport);

/* Reads up to end of file. transport owns the bytes. */
bool transport_read_all(struct transport *transport, const char **bytes, size_t *len);

/* Reads one line without its newline. transport owns it until the next call. Bytes before
 * the end of the connection are a line too. An end without bytes is a failure
 * that is not logged: is_ended tells. */
bool transport_read_line(struct transport *transport, const char **bytes, size_t *len);

/* Removes the deadline. */
void transport_wait_forever(struct transport *transport);

void transport_close(struct transport *transport);
