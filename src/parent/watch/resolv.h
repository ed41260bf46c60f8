/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS in the jail: the worker's root holds a copy of the host's resolv.conf, and the
 * parent, which still sees the file, keeps the copy current within a second, whatever
 * is done to the file, its symbolic links or their directories. The worker has handed
 * over a descriptor for the copy; nothing here knows a path in its root.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ratelimit.h"

#define PARENT_RESOLV_PATH "/etc/resolv.conf"

/* glibc uses the first three servers, and libslirp the first of each family: room for a hundred
 * lines. */
#define PARENT_RESOLV_TEXT_MAX 4096

/* Directories and the file itself. systemd-resolved's takes 7; a way of more than this
 * is looked at by the clock. */
#define PARENT_RESOLV_WATCHES_MAX 128

struct resolv_watches {
	int descriptors[PARENT_RESOLV_WATCHES_MAX]; /* inotify's; one may be in twice */
	size_t n;
};

/* What is worth a line in the log when it changes. All zero is health. */
struct resolv_state {
	int read_error; /* errno */
	int copy_error; /* errno */
};

struct resolv {
	const char *path; /* borrowed, absolute; NULL while nothing is followed */
	int copy_fd;      /* owned, -1 for none */
	int inotify_fd;   /* owned, -1 for none */
	struct resolv_watches watches;
	bool is_blind;       /* a change may raise no event */
	bool is_settling;    /* there was an event; the rest of the burst may come */
	uint64_t look_at_ms; /* CLOCK_MONOTONIC */
	char text[PARENT_RESOLV_TEXT_MAX]; /* what is in the copy, once is_copied */
	size_t text_len;
	bool is_copied;
	int64_t copy_mtime_s; /* the last that the copy was given */
	struct resolv_state said;
	bool said_blind;
	struct ratelimit log_limit;
};

/* Follows nothing yet. */
void parent_resolv_init(struct resolv *resolv);

/*
 * Begins to follow the file, and fills the copy before it returns. path is absolute,
 * borrowed, and kept. adopt_copy_fd is open for writing, without O_APPEND, and belongs
 * to a file that nobody else writes and whose owner is the caller (utimensat(2)).
 * Whatever fails is logged and tried again; nothing is fatal.
 */
void parent_resolv_begin(struct resolv *resolv, const char *path, int adopt_copy_fd,
    uint64_t now_ms);

/* What to poll for input, -1 for nothing: also while a burst settles. */
int parent_resolv_fd(const struct resolv *resolv);

/* Milliseconds from now_ms until parent_resolv_handle() must be called again, or -1. */
int parent_resolv_timeout_ms(const struct resolv *resolv, uint64_t now_ms);

/* To be called when the descriptor is ready or the time is over; harmless else. True if
 * the copy was renewed. */
bool parent_resolv_handle(struct resolv *resolv, bool fd_ready, uint64_t now_ms);

void parent_resolv_end(struct resolv *resolv);

/*
 * Reads from the file at path, through symbolic links, the lines that name a server, the first
 * ones that fit into buf, each with its newline and without a NUL at the end. However long the
 * rest of the file is. Returns the number of bytes, or -1 with errno set: EINVAL for anything
 * but a regular file.
 */
ssize_t parent_resolv_read(const char *path, char *buf, size_t buf_size);

/*
 * Replaces what is in the file of to_fd (borrowed) by text, and sets its modification
 * time to a second that it never had before. libslirp 4.7 (get_dns_addr_cached() in its
 * slirp.c) takes a file whose size and whole second of modification are the same for
 * unchanged: so a look in the middle of this is followed by another, and two changes
 * in one second are two. *mtime_s is 0 before the first copy and then belongs to this
 * function. Returns 0, or -1 with errno set.
 */
int parent_resolv_copy(int to_fd, const char *text, size_t text_len, int64_t *mtime_s);
