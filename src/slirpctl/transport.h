/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to the control socket, with a deadline. Functions that return bool have
 * logged the reason, with the socket's path, when they return false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transport {
	const char *path; /* borrowed */
	int fd;
	int stdout_fd;        /* -1: not watched */
	uint32_t timeout_s;   /* what deadline_ms was made of */
	uint64_t deadline_ms; /* of CLOCK_MONOTONIC; 0: none */
	char *buf;            /* what has come and was not taken yet */
	size_t buf_len;
	size_t buf_size;
	size_t n_taken; /* bytes of buf that were handed out already */
};

/* Connects. From here to the last byte of the reply it may take timeout_s. path is
 * borrowed until transport_close(), which is to be called in both cases. */
bool transport_open(struct transport *transport, const char *path, uint32_t timeout_s);

/* A daemon that closes while it is being sent to has answered already, or has not: the
 * next read tells. */
bool transport_send(struct transport *transport, const char *bytes, size_t len);

/* Tells the daemon that nothing more will be sent. */
void transport_finish(struct transport *transport);

/* Everything up to end-of-file; it belongs to transport. */
bool transport_read_all(struct transport *transport, const char **bytes, size_t *len);

/* One line without its newline, which belongs to transport until the next call. What
 * stands before the end of the connection is a line too; an end with nothing before it is
 * a failure. */
bool transport_read_line(struct transport *transport, const char **bytes, size_t *len);

/* Waits without a deadline from now on, but no longer than somebody reads stdout_fd. */
void transport_wait_forever(struct transport *transport, int stdout_fd);

void transport_close(struct transport *transport);
