/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports the state of slirpd to a service manager. */
#include "parent/output/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"

/* The time to wait for a full queue. A manager's queue is full for a short time while it
 * starts many services, at boot. The end of slirpd must not wait long. */
#define ROOM_TIMEOUT_MS 300

static int notify_fd = -1;

/* Of the service manager's watchdog; 0: there is none. */
static uint64_t alive_interval_ms;
static uint64_t alive_at_ms;

/* Converts a path or an abstract name (unix(7)). Returns the length of the address, or 0
 * if text is neither. */
static socklen_t
address_of(const char *text, struct sockaddr_un *address)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2 ||
	    len >= sizeof(address->sun_path))
		return 0;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, text, len);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* The manager expects a sign of life in WATCHDOG_USEC of the process WATCHDOG_PID, so it gets two
 * (sd_watchdog_enabled(3)). */
static void
find_watchdog(void)
{
	const char *period = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (period && (!pid || strtol(pid, NULL, 10) == getpid()))
		alive_interval_ms = strtoull(period, NULL, 10) / 2 / CLOCK_US_PER_MS;
}

uint64_t
parent_notify_due_ms(void)
{
	return alive_interval_ms ? alive_at_ms : DEADLINE_NONE;
}

void
parent_notify_alive(uint64_t now_ms)
{
	if (now_ms < parent_notify_due_ms())
		return;
	alive_at_ms = now_ms + alive_interval_ms;
	parent_notify("WATCHDOG=1");
}

void
parent_notify_open(void)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	autofd int fd = -1;
	socklen_t len;

	if (!text)
		return;
	len = address_of(text, &address);
	if (len == 0) {
		log_warning("NOTIFY_SOCKET is neither a path nor an abstract name: the "
			    "service manager is told nothing");
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&address, len) == -1) {
		log_warning("connect to NOTIFY_SOCKET: %s: the service manager is told "
			    "nothing",
		    strerror(errno));
		return;
	}
	notify_fd = take_fd(&fd);
	find_watchdog();
}

void
parent_notify(const char *text)
{
	static bool has_failed;
	struct pollfd room = { .fd = notify_fd, .events = POLLOUT };
	size_t len = strlen(text);
	ssize_t n;

	if (notify_fd == -1)
		return;
	n = send(notify_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1 && errno == EAGAIN && poll(&room, 1, ROOM_TIMEOUT_MS) == 1)
		n = send(notify_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* A manager that does not read is no reason to fill the log. */
	if (n == -1 && !has_failed)
		log_warning("tell the service manager: %s", strerror(errno));
	has_failed = n == -1;
}
