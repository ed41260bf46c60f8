/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection to the control socket, with a deadline. If a function returns false, it
 * has logged the reason with the socket's path. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transport {
	const char *path; /* borrowed */
	int fd;
	int stdout_fd;        /* -1: not watched */
	uint32_t timeout_s;   /* the timeout of deadline_ms */
	uint64_t deadline_ms; /* of CLOCK_MONOTONIC; 0: none */
	char *buf;            /* bytes that have come and were not taken */
	size_t buf_len;
	size_t buf_size;
	size_t n_taken; /* bytes of buf that the caller has got */
	bool is_ended;  /* transport_read_line() has met the end of the connection */
};

/* Connects. The reply must be complete within timeout_s from here. path is borrowed until
 * transport_close(). Call that one in both cases. */
bool transport_open(struct transport *transport, const char *path, uint32_t timeout_s);

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

/* Removes the deadline. Waiting ends if nobody reads stdout_fd any more. */
void transport_wait_forever(struct transport *transport, int stdout_fd);

void transport_close(struct transport *transport);
