/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices the end of the last user of the guest's network namespace. */
#include "parent/watch/nswatch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"

/* The least time between two scans of /proc. A guest can end processes as fast as it
 * likes, and each end of the watched process causes a scan. */
#define SCAN_INTERVAL_MS 200

/* The time between scans when a user is seen whose end raises no event. It is short
 * enough for an end, and long enough for an idle machine. */
#define UNHELD_INTERVAL_MS 2000

/* "/proc/2147483647/ns/net" with its NUL. */
#define PROC_NS_PATH_SIZE 32

#define OWN_PROC "/proc/self/"

#define MOUNT_TABLE "/proc/self/mountinfo"

/* "net:[18446744073709551615]" with its NUL. */
#define NSFS_NAME_SIZE 32

void
parent_nswatch_init(struct nswatch *watch)
{
	*watch = (struct nswatch){ .pid_fd = -1, .mounts_fd = -1 };
}

void
parent_nswatch_end(struct nswatch *watch)
{
	if (watch->pid_fd != -1)
		close(take_fd(&watch->pid_fd));
	if (watch->mounts_fd != -1)
		close(take_fd(&watch->mounts_fd));
	watch->scan_due = false;
}

/* A step of the scan has failed, with errno set. After a shortage, a scan that sees
 * nobody proves nothing. */
static void
note_failure(struct nswatch *watch)
{
	if (fdio_is_shortage(errno))
		watch->was_short = true;
}

static bool
is_namespace(struct nswatch *watch, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return st.st_dev == watch->dev && st.st_ino == watch->ino;
	note_failure(watch);
	return false;
}

/* The result of a search for a user of the namespace. */
enum presence {
	PRESENCE_NONE,
	PRESENCE_SEEN, /* a user whose end raises no event: scan again later */
	PRESENCE_HELD, /* a user whose end raises an event */
};

/* Watches the process if it is in the namespace. */
static enum presence
watch_process(struct nswatch *watch, pid_t pid)
{
	char path[PROC_NS_PATH_SIZE];
	autofd int pid_fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (!is_namespace(watch, path))
		return PRESENCE_NONE;
	pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* Check again: from pidfd_open() on, the PID cannot come to mean another
	 * process. */
	if (!is_namespace(watch, path))
		return PRESENCE_NONE;
	/* /proc may belong to another PID namespace, with other PIDs. */
	if (pid_fd == -1)
		return PRESENCE_SEEN;
	watch->pid_fd = take_fd(&pid_fd);
	return PRESENCE_HELD;
}

static enum presence
watch_any_process(struct nswatch *watch, pid_t helper_pid)
{
	DIR *proc = opendir("/proc");
	enum presence found = PRESENCE_NONE;
	struct dirent *entry;

	if (!proc) {
		note_failure(watch);
		return PRESENCE_NONE;
	}
	for (errno = 0; found != PRESENCE_HELD && (entry = readdir(proc)); errno = 0) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		enum presence one = PRESENCE_NONE;

		/* strtol() returns 0 for a name that is not a PID. */
		if (pid > 0 && pid != getpid() && pid != helper_pid)
			one = watch_process(watch, pid);
		if (one > found)
			found = one;
	}
	if (!entry)
		note_failure(watch);
	closedir(proc);
	return found;
}

/* Looks for the namespace in the mounts of our mount namespace, as ip-netns(8) makes
 * them. The fourth field of such a line is "net:[inode]" (proc_pid_mountinfo(5)). */
static enum presence
watch_mounts(struct nswatch *watch)
{
	char wanted[NSFS_NAME_SIZE];
	autofree char *line = NULL;
	size_t line_size = 0;
	bool found = false;
	FILE *mounts;

	/* Open the watch before the table is read: then no change is missed. */
	if (watch->mounts_fd == -1)
		watch->mounts_fd = open(MOUNT_TABLE, O_RDONLY | O_CLOEXEC);
	mounts = fopen(MOUNT_TABLE, "re");
	if (!mounts) {
		note_failure(watch);
		return PRESENCE_NONE;
	}
	snprintf(wanted, sizeof(wanted), " net:[%lu] ", (unsigned long)watch->ino);
	for (errno = 0; !found && getline(&line, &line_size, mounts) != -1; errno = 0)
		found = strstr(line, wanted) != NULL;
	if (!found)
		note_failure(watch);
	fclose(mounts);
	if (!found)
		return PRESENCE_NONE;
	return watch->mounts_fd != -1 ? PRESENCE_HELD : PRESENCE_SEEN;
}

/* Finds a user of the namespace other than helper_pid (0 for none). */
static enum presence
watch_somebody(struct nswatch *watch, pid_t helper_pid)
{
	enum presence found;

	watch->was_short = false;
	found = watch_any_process(watch, helper_pid);
	if (found == PRESENCE_NONE)
		found = watch_mounts(watch);
	if (found == PRESENCE_NONE && watch->path && is_namespace(watch, watch->path))
		found = PRESENCE_SEEN;
	if (found == PRESENCE_NONE && watch->was_short)
		found = PRESENCE_SEEN;
	return found;
}

/* Plans the next scan for when it can find something new. */
static void
plan_scan(struct nswatch *watch, enum presence found, uint64_t now_ms)
{
	watch->scan_due = found == PRESENCE_SEEN;
	watch->next_scan_ms =
	    now_ms + (watch->scan_due ? UNHELD_INTERVAL_MS : SCAN_INTERVAL_MS);
}

void
parent_nswatch_begin(struct nswatch *watch, int netns_fd, pid_t first_pid,
    pid_t helper_pid, const char *path, uint64_t now_ms)
{
	enum presence found = PRESENCE_NONE;
	struct stat st;

	/* The caller holds the namespace by a descriptor, whose end raises no event. A
	 * process in the namespace may leave before the caller does, so watching it would
	 * end slirpd too early. */
	if (path && strncmp(path, OWN_PROC, sizeof(OWN_PROC) - 1) == 0)
		return;
	if (fstat(netns_fd, &st) == -1)
		return;
	watch->dev = st.st_dev;
	watch->ino = st.st_ino;
	watch->path = path;
	if (first_pid != -1)
		found = watch_process(watch, first_pid);
	if (found != PRESENCE_HELD)
		found = watch_somebody(watch, helper_pid);
	plan_scan(watch, found, now_ms);
	/* first_pid may have ended just now: scan once more. Without it, a user that was
	 * not seen at the start cannot be seen to end, for example a descriptor. */
	if (found == PRESENCE_NONE && first_pid != -1)
		watch->scan_due = true;
	else if (found == PRESENCE_NONE)
		parent_nswatch_end(watch);
}

int
parent_nswatch_fd(const struct nswatch *watch, short *events)
{
	if (watch->pid_fd != -1) {
		*events = POLLIN;
		return watch->pid_fd;
	}
	/* proc_pid_mountinfo(5): a change of the mount table is POLLERR and POLLPRI. */
	*events = POLLPRI;
	return watch->mounts_fd;
}

uint64_t
parent_nswatch_due_ms(const struct nswatch *watch)
{
	return watch->scan_due ? watch->next_scan_ms : DEADLINE_NONE;
}

bool
parent_nswatch_is_gone(struct nswatch *watch, bool fd_ready, uint64_t now_ms)
{
	if (watch->pid_fd == -1 && watch->mounts_fd == -1 && !watch->scan_due)
		return false;
	if (fd_ready) {
		if (watch->pid_fd != -1)
			close(take_fd(&watch->pid_fd));
		watch->scan_due = true;
	}
	if (!watch->scan_due || now_ms < watch->next_scan_ms)
		return false;
	enum presence found = watch_somebody(watch, 0);
	bool was_empty = watch->is_empty;

	plan_scan(watch, found, now_ms);
	/* During the scan, a process may pass the namespace to a child with a lower PID
	 * and end. That takes a wrap of the PIDs, so a second scan a moment later
	 * decides. */
	watch->is_empty = found == PRESENCE_NONE;
	if (!watch->is_empty || was_empty)
		return watch->is_empty;
	watch->scan_due = true;
	return false;
}
