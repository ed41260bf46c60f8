#include "parent/nswatch.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

/* A guest can let processes end as fast as it likes, and each end of the one that is
 * watched costs a look through /proc: five a second are nothing, and soon enough. */
#define SCAN_INTERVAL_MS 200

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

static bool
is_namespace(const struct nswatch *watch, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == watch->dev && st.st_ino == watch->ino;
}

/* Takes hold of pid if it is in the namespace. */
static bool
watch_process(struct nswatch *watch, pid_t pid)
{
	char path[PROC_NS_PATH_SIZE];
	autofd int pid_fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (!is_namespace(watch, path))
		return false;
	pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* Only now can the number no longer come to mean another process. */
	if (pid_fd == -1 || !is_namespace(watch, path))
		return false;
	watch->pid_fd = take_fd(&pid_fd);
	return true;
}

static bool
watch_any_process(struct nswatch *watch)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	if (!proc)
		return false;
	while (!found && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		/* What is no number of a process comes out as 0. */

		found = pid > 0 && pid != getpid() && watch_process(watch, pid);
	}
	closedir(proc);
	return found;
}

/* Whether the namespace is mounted in our mount namespace, as ip-netns(8) does it:
 * proc_pid_mountinfo(5), the fourth field of such a line is "net:[inode]". */
static bool
watch_mounts(struct nswatch *watch)
{
	char wanted[NSFS_NAME_SIZE];
	autofree char *line = NULL;
	size_t line_size = 0;
	bool found = false;
	FILE *mounts;

	/* Opened before the table is read, so that no change falls between. */
	if (watch->mounts_fd == -1)
		watch->mounts_fd = open(MOUNT_TABLE, O_RDONLY | O_CLOEXEC);
	mounts = fopen(MOUNT_TABLE, "re");
	if (!mounts)
		return false;
	snprintf(wanted, sizeof(wanted), " net:[%lu] ", (unsigned long)watch->ino);
	while (!found && getline(&line, &line_size, mounts) != -1)
		found = strstr(line, wanted) != NULL;
	fclose(mounts);
	return found;
}

/* Finds somebody who uses the namespace. */
static bool
watch_somebody(struct nswatch *watch)
{
	return watch_any_process(watch) || watch_mounts(watch) ||
	    (watch->path && is_namespace(watch, watch->path));
}

void
parent_nswatch_begin(struct nswatch *watch, int netns_fd, pid_t first_pid,
    const char *path)
{
	struct stat st;

	if (fstat(netns_fd, &st) == -1)
		return;
	watch->dev = st.st_dev;
	watch->ino = st.st_ino;
	/* What we hold ourselves says nothing about others. */
	if (path && strncmp(path, OWN_PROC, sizeof(OWN_PROC) - 1) != 0)
		watch->path = path;
	if (first_pid == -1 || !watch_process(watch, first_pid))
		watch->scan_due = first_pid != -1;
	if (first_pid == -1)
		watch_somebody(watch);
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

int
parent_nswatch_timeout_ms(const struct nswatch *watch, uint64_t now_ms)
{
	if (!watch->scan_due)
		return -1;
	return watch->next_scan_ms > now_ms ? (int)(watch->next_scan_ms - now_ms) : 0;
}

bool
parent_nswatch_is_gone(struct nswatch *watch, bool fd_ready, uint64_t now_ms)
{
	if (fd_ready) {
		if (watch->pid_fd != -1)
			close(take_fd(&watch->pid_fd));
		watch->scan_due = true;
	}
	if (!watch->scan_due || now_ms < watch->next_scan_ms)
		return false;
	watch->scan_due = false;
	watch->next_scan_ms = now_ms + SCAN_INTERVAL_MS;
	return !watch_somebody(watch);
}
