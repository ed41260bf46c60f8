/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows the name servers of the host's resolv.conf.
 *
 * Theory of operation. inotify(7) watches each directory in which a name of the path is
 * looked up, and the file. A directory is watched before the name is looked up in it: a
 * later change then raises an event. After an event the parent waits for SETTLE_MS,
 * watches the path anew, and reads the file.
 */
#include "parent/watch/resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "parent/watch/nameservers.h"
#include "parent/watch/way.h"

/* Programs write resolv.conf in several steps within milliseconds. The file is read after
 * this time, even if changes go on. That is a tenth of the promised second, and events
 * cause ten looks a second at most. */
#define SETTLE_MS 100

/* Several times the keyword and the longest address with a scope. glibc reads at most 512
 * bytes of a line. */
#define LINE_MAX_BYTES 512

#define PIECE_BYTES 4096

/* Reading this much takes milliseconds. An endless file must not block the parent. */
#define READ_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* The interval without events: half of the promised second. */
#define LOOK_INTERVAL_MS 500

/* inotify(7) does not report a mount over a file, or a change of a network file system by
 * another machine. These are seen within this time. */
#define RECHECK_INTERVAL_MS 10000

/* A file that comes and goes changes state at each look. The limit keeps the first
 * lines. */
#define LOG_BURST 10
#define LOG_INTERVAL_MS 10000

/* Fits an event with the longest name, which inotify(7) requires. */
#define EVENTS_SIZE 4096

/* Some thousand events, more than come in SETTLE_MS; poll reports the rest. */
#define EVENT_READS_MAX 64

/* A name in the directory has changed its meaning or its permissions. */
#define DIRECTORY_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB)

/* A write through another name of the file (a hard link, a bind mount) raises no event in
 * this directory. */
#define FILE_EVENTS (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)

void
parent_resolv_init(struct resolv *resolv)
{
	*resolv = (struct resolv){
		.is_told = true,
		.inotify_fd = -1,
		.log_limit = { .burst = LOG_BURST, .interval_ms = LOG_INTERVAL_MS },
	};
}

void
parent_resolv_end(struct resolv *resolv)
{
	resolv->path = NULL;
	if (resolv->inotify_fd != -1)
		close(take_fd(&resolv->inotify_fd));
	resolv->watches.n = 0;
}

/* Opens a regular file. Returns -1 with errno set: EINVAL for anything else. */
static int
open_regular(const char *path)
{
	autofd int fd = -1;
	struct stat st;

	/* Check before open(2), which has effects on some devices, and again after it:
	 * the path may lead to another file by then. */
	if (stat(path, &st) == -1)
		return -1;
	if (S_ISREG(st.st_mode))
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	else
		errno = EINVAL;
	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return take_fd(&fd);
}

/* The buffer of the lines about servers, and the current line. */
struct servers {
	char *buf;
	size_t buf_size, len;
	char line[LINE_MAX_BYTES]; /* the line so far, cut to its size */
	size_t line_len;
};

/* Returns false if the buffer is full. */
static bool
end_line(struct servers *servers)
{
	size_t len = servers->line_len;

	servers->line_len = 0;
	if (!parent_nameservers_wants(servers->line, len))
		return true;
	if (servers->buf_size - servers->len < len + 1)
		return false;
	memcpy(servers->buf + servers->len, servers->line, len);
	servers->buf[servers->len + len] = '\n';
	servers->len += len + 1;
	return true;
}

static bool
take_bytes(struct servers *servers, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			if (!end_line(servers))
				return false;
		} else if (servers->line_len < sizeof(servers->line)) {
			servers->line[servers->line_len++] = bytes[i];
		}
	}
	return true;
}

ssize_t
parent_resolv_read(const char *path, char *buf, size_t buf_size)
{
	struct servers servers = { .buf = buf, .buf_size = buf_size };
	autofd int fd = open_regular(path);
	char piece[PIECE_BYTES];
	size_t total = 0;
	ssize_t n;

	if (fd == -1)
		return -1;
	while (total < READ_MAX_BYTES && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n == -1)
			return -1;
		total += (size_t)n;
		if (!take_bytes(&servers, piece, (size_t)n))
			return (ssize_t)servers.len;
	}
	/* The last line may lack its end. */
	(void)end_line(&servers);
	return (ssize_t)servers.len;
}

/* Logs once that events are not reliable, and why (errno). */
static void
rely_on_polling(struct resolv *resolv, const char *what)
{
	resolv->is_blind = true;
	if (resolv->said_blind)
		return;
	resolv->said_blind = true;
	log_warning("resolv: cannot watch %s by inotify: %s; looking at %s every %d ms",
	    what,
	    errno == ENOSPC ? "limit of sysctl fs.inotify.max_user_watches reached"
			    : strerror(errno),
	    resolv->path, LOOK_INTERVAL_MS);
}

/* Returns 0, or -1 with errno set. */
static int
watch(struct resolv *resolv, const char *path, uint32_t events)
{
	struct resolv_watches *watches = &resolv->watches;
	/* A path that is watched already keeps its descriptor. */
	int descriptor = inotify_add_watch(resolv->inotify_fd, path, events);

	if (descriptor == -1)
		return -1;
	watches->descriptors[watches->n++] = descriptor;
	return 0;
}

/* Watches each directory of the path, and the file. */
static void
watch_path(struct resolv *resolv)
{
	struct way way = { .at = "/", .at_len = 1 };
	enum way_step step = WAY_DIRECTORY;

	snprintf(way.rest, sizeof(way.rest), "%s", resolv->path);
	/* Keep one watch for the file. */
	for (int n = 1; n < PARENT_RESOLV_WATCHES_MAX && step == WAY_DIRECTORY; n++) {
		if (watch(resolv, way.at, DIRECTORY_EVENTS) == -1) {
			/* The directory is missing. The directory above raises an event
			 * when it is made. */
			if (errno == ENOENT || errno == ENOTDIR)
				return;
			rely_on_polling(resolv, way.at);
		}
		step = parent_way_step(&way);
	}
	if (step == WAY_DIRECTORY) {
		errno = ENAMETOOLONG;
		step = WAY_LOST;
	}
	/* EACCES: a file that cannot be read cannot be watched. The directory raises an
	 * event when its mode changes. */
	if (step == WAY_FILE && watch(resolv, way.at, FILE_EVENTS) == -1 &&
	    errno != ENOENT && errno != EACCES)
		step = WAY_LOST;
	if (step == WAY_LOST)
		rely_on_polling(resolv, way.at);
}

static bool
is_watched(const struct resolv_watches *watches, int descriptor)
{
	for (size_t i = 0; i < watches->n; i++)
		if (watches->descriptors[i] == descriptor)
			return true;
	return false;
}

/* Watches the directories and the file of the path as they are now, and nothing else. */
static void
watch_again(struct resolv *resolv)
{
	struct resolv_watches before = resolv->watches;

	resolv->watches.n = 0;
	resolv->is_blind = false;
	if (resolv->inotify_fd == -1)
		resolv->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (resolv->inotify_fd == -1) {
		rely_on_polling(resolv, resolv->path);
		return;
	}
	watch_path(resolv);
	/* This fails for a watch that the kernel has removed with its file. */
	for (size_t i = 0; i < before.n; i++)
		if (!is_watched(&resolv->watches, before.descriptors[i]))
			inotify_rm_watch(resolv->inotify_fd, before.descriptors[i]);
}

static void
say_error(struct resolv *resolv, int error, uint64_t now_ms)
{
	if (error == resolv->said_error || !ratelimit_allow(&resolv->log_limit, now_ms))
		return;
	resolv->said_error = error;
	if (error == EINVAL)
		log_warning("resolv: %s is not a regular file; there are no name servers "
			    "until it is",
		    resolv->path);
	else if (error)
		log_warning("resolv: cannot read %s: %s; trying again when it changes",
		    resolv->path, strerror(error));
	else
		log_info("resolv: %s is read again", resolv->path);
}

/* Whether the error is not about the file. */
static bool
is_temporary(int error)
{
	return fdio_is_shortage(error) || error == EINTR;
}

void
parent_resolv_look_ahead(struct resolv *resolv, const char *path)
{
	char text[PARENT_RESOLV_TEXT_MAX];
	ssize_t n = parent_resolv_read(path, text, sizeof(text));

	parent_nameservers_parse(text, n == -1 ? 0 : (size_t)n, &resolv->nameservers);
}

/* Returns true if they have changed. */
static bool
update_nameservers(struct resolv *resolv, const char *text, size_t len)
{
	struct ipc_nameservers found;

	parent_nameservers_parse(text, len, &found);
	if (memcmp(&found, &resolv->nameservers, sizeof(found)) == 0)
		return false;
	resolv->nameservers = found;
	resolv->is_told = false;
	return true;
}

/* Whether a server is reached through an interface of the host, which may go and come again
 * with another index. */
static bool
depends_on_interface(const struct ipc_nameservers *nameservers)
{
	for (size_t i = 0; i < nameservers->n; i++)
		if (inaddr_is_link_local6(&nameservers->servers[i].addr))
			return true;
	return false;
}

/* Returns true if the name servers have changed. */
static bool
look(struct resolv *resolv, uint64_t now_ms)
{
	char text[PARENT_RESOLV_TEXT_MAX];
	bool have_changed = false;
	int error = 0;
	bool soon;
	ssize_t n;

	/* Watch before the file is read: a later change then raises an event. */
	watch_again(resolv);
	n = parent_resolv_read(resolv->path, text, sizeof(text));
	if (n == -1)
		error = errno;
	if (!is_temporary(error))
		have_changed = update_nameservers(resolv, text, n == -1 ? 0 : (size_t)n);
	say_error(resolv, error, now_ms);
	/* If another's queue is full, it is told again after the next look. */
	soon = resolv->is_blind || is_temporary(error) || !resolv->is_told ||
	    depends_on_interface(&resolv->nameservers);
	resolv->look_at_ms = now_ms + (soon ? LOOK_INTERVAL_MS : RECHECK_INTERVAL_MS);
	return have_changed;
}

void
parent_resolv_begin(struct resolv *resolv, const char *path, uint64_t now_ms)
{
	parent_resolv_end(resolv);
	resolv->path = path;
	resolv->is_settling = false;
	(void)look(resolv, now_ms);
}

int
parent_resolv_fd(const struct resolv *resolv)
{
	return resolv->is_settling ? -1 : resolv->inotify_fd;
}

uint64_t
parent_resolv_due_ms(const struct resolv *resolv)
{
	return resolv->path ? resolv->look_at_ms : DEADLINE_NONE;
}

static void
drop_events(const struct resolv *resolv)
{
	char events[EVENTS_SIZE];

	for (int i = 0; i < EVENT_READS_MAX; i++)
		if (read(resolv->inotify_fd, events, sizeof(events)) <= 0)
			return;
}

bool
parent_resolv_handle(struct resolv *resolv, bool fd_ready, uint64_t now_ms)
{
	if (!resolv->path)
		return false;
	if (fd_ready) {
		resolv->is_settling = true;
		resolv->look_at_ms =
		    deadline_earlier(resolv->look_at_ms, now_ms + SETTLE_MS);
	}
	if (now_ms < resolv->look_at_ms)
		return false;
	resolv->is_settling = false;
	if (resolv->inotify_fd != -1)
		drop_events(resolv);
	return look(resolv, now_ms);
}
