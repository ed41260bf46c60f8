/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows the name servers of the host's resolv.conf within a second, whatever changes: the
 * file, its symbolic links or their directories. No other process sees the file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/ratelimit.h"
#include "ipc/messages.h"

#define PARENT_RESOLV_PATH "/etc/resolv.conf"

/* glibc uses the first three servers. This fits a hundred lines. */
#define PARENT_RESOLV_TEXT_MAX 4096

/* Directories and the file. The path of systemd-resolved takes 7. A path that needs more
 * is polled every LOOK_INTERVAL_MS. */
#define PARENT_RESOLV_WATCHES_MAX 128

struct resolv_watches {
	int descriptors[PARENT_RESOLV_WATCHES_MAX]; /* of inotify; may repeat */
	size_t n;
};

struct resolv {
	const char *path; /* borrowed, absolute; NULL if no file is followed */
	struct ipc_nameservers nameservers; /* of the last look */
	bool is_told;                       /* the others know of `nameservers` */
	int inotify_fd;                     /* owned, -1 for none */
	struct resolv_watches watches;
	bool is_blind;       /* a change may raise no event */
	bool is_settling;    /* an event came; more may follow */
	uint64_t look_at_ms; /* CLOCK_MONOTONIC */
	int said_error;      /* of the last line: errno, 0 for none */
	bool said_blind;
	struct ratelimit log_limit;
};

/* Follows nothing yet. */
void parent_resolv_init(struct resolv *resolv);

/* Reads the name servers of the file at path for the start of the worker, before the file is
 * followed. Without a readable file there are none. */
void parent_resolv_look_ahead(struct resolv *resolv, const char *path);

/* Begins to follow the file at path (borrowed, kept, absolute). Failures are logged and tried
 * again; none is fatal. */
void parent_resolv_begin(struct resolv *resolv, const char *path, uint64_t now_ms);

/* The descriptor to poll for POLLIN, -1 for none: also while a burst of events
 * settles. */
int parent_resolv_fd(const struct resolv *resolv);

/* The time when parent_resolv_handle() must be called again; DEADLINE_NONE: never. */
uint64_t parent_resolv_due_ms(const struct resolv *resolv);

/* Call it when the descriptor is ready or the time is over; harmless otherwise. Returns
 * true if `nameservers` has changed. If is_told is false afterwards, the caller sends them to
 * the others, and notes success in is_told. */
bool parent_resolv_handle(struct resolv *resolv, bool fd_ready, uint64_t now_ms);

void parent_resolv_end(struct resolv *resolv);

/* Reads the lines about servers (nameservers.h) from the file at path, through symbolic links.
 * Writes to buf the first lines that fit, each with its newline, without a NUL at the
 * end. Returns the number of bytes, or -1 with errno set: EINVAL if the file is not a
 * regular file. */
ssize_t parent_resolv_read(const char *path, char *buf, size_t buf_size);
