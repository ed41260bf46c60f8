/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the link by which slirpctl finds the control socket. */
#include "parent/files/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/rundir.h"
#include "parent/files/placed.h"

/* "/2147483647-9.sock" */
#define NAME_SIZE 20

/* Names to try. PIDs repeat in other PID namespaces, as those of containers that share
 * $XDG_RUNTIME_DIR. */
#define N_NAMES 10

static const char what[] = "API socket: the link in $XDG_RUNTIME_DIR/slirpd";

const char *
parent_instance_path(void)
{
	static char path[RUNDIR_PATH_SIZE + NAME_SIZE];
	char directory[RUNDIR_PATH_SIZE];

	if (rundir_path(directory) == -1)
		return NULL;
	snprintf(path, sizeof(path), "%s/%d" RUNDIR_SUFFIX, directory, getpid());
	return path;
}

static bool
is_in_directory(const char *socket_path)
{
	char directory[RUNDIR_PATH_SIZE];
	size_t len;

	if (rundir_path(directory) == -1)
		return false;
	len = strlen(directory);
	return strncmp(socket_path, directory, len) == 0 && socket_path[len] == '/' &&
	    strchr(socket_path + len + 1, '/') == NULL;
}

void
parent_instance_prepare(const char *socket_path)
{
	char directory[RUNDIR_PATH_SIZE];
	autofd int dir_fd = -1;
	const char *name;

	if (!is_in_directory(socket_path))
		return;
	dir_fd = rundir_open(true, directory);
	if (dir_fd == -1)
		fatal_path("API socket", socket_path, "open its directory");
	name = strrchr(socket_path, '/') + 1;
	if (rundir_is_served(socket_path))
		fatalx("API socket %s: another slirpd listens on it", socket_path);
	/* An earlier process with this PID has left a link or a socket. */
	if (unlinkat(dir_fd, name, 0) == -1 && errno != ENOENT)
		fatal_path("API socket", socket_path, "remove an old one");
}

/* Whether the process whose PID begins the name has ended. */
static bool
is_of_dead_process(const char *name)
{
	char path[32];
	char *end;
	unsigned long pid = strtoul(name, &end, 10);

	if (end == name || (*end != '-' && strcmp(end, RUNDIR_SUFFIX) != 0))
		return false;
	snprintf(path, sizeof(path), "/proc/%lu", pid);
	return access(path, F_OK) == -1 && errno == ENOENT;
}

/* Removes the names that a slirpd has left which was killed: some engines end it by SIGKILL, and
 * nobody else would remove them. A failure does no harm. */
static void
remove_stale_names(int dir_fd, const char *directory, const char *target)
{
	int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = list_fd == -1 ? NULL : fdopendir(list_fd);
	const struct dirent *entry;

	if (!list) {
		if (list_fd != -1)
			close(list_fd);
		return;
	}
	while ((entry = readdir(list))) {
		char path[RUNDIR_PATH_SIZE + NAME_MAX + 2], old_target[PATH_MAX];
		ssize_t len;

		if (!is_of_dead_process(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		len =
		    readlinkat(dir_fd, entry->d_name, old_target, sizeof(old_target) - 1);
		old_target[len > 0 ? len : 0] = '\0';
		/* The old socket may have the path that is this process's now. */
		if (strcmp(old_target, target) == 0 || !rundir_is_served(path))
			(void)unlinkat(dir_fd, entry->d_name, 0);
	}
	closedir(list);
}

/* Makes the path absolute: the reader has another current directory. */
static int
target_of(const char *socket_path, char target[PATH_MAX])
{
	int n;

	if (socket_path[0] == '/') {
		n = snprintf(target, PATH_MAX, "%s", socket_path);
	} else {
		if (getcwd(target, PATH_MAX) == NULL)
			return -1;
		n = (int)strlen(target);
		n += snprintf(target + n, (size_t)(PATH_MAX - n), "/%s", socket_path);
	}
	if (n < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* Makes the link under the first name that is free, or that a slirpd has left behind. */
static int
make_link(int dir_fd, const char *directory, const char *target, char name[NAME_SIZE])
{
	char path[RUNDIR_PATH_SIZE + NAME_SIZE];

	for (int i = 0; i < N_NAMES; i++) {
		if (i == 0)
			snprintf(name, NAME_SIZE, "%d" RUNDIR_SUFFIX, getpid());
		else
			snprintf(name, NAME_SIZE, "%d-%d" RUNDIR_SUFFIX, getpid(), i);
		if (symlinkat(target, dir_fd, name) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
		snprintf(path, sizeof(path), "%s/%s", directory, name);
		if (rundir_is_served(path))
			continue;
		if (unlinkat(dir_fd, name, 0) == -1)
			return -1;
		return symlinkat(target, dir_fd, name);
	}
	errno = EEXIST;
	return -1;
}

void
parent_instance_link(const char *socket_path)
{
	static char name[NAME_SIZE];
	char directory[RUNDIR_PATH_SIZE], target[PATH_MAX];
	autofd int dir_fd = -1;
	bool has_target;

	if (is_in_directory(socket_path))
		return;
	dir_fd = rundir_open(true, directory);
	if (dir_fd == -1) {
		/* No session of this user: usual for a system service, or under sudo. */
		if (errno != ENOENT && errno != EPERM)
			log_warning("%s: %s; slirpctl ps will not show this slirpd", what,
			    strerror(errno));
		return;
	}
	has_target = target_of(socket_path, target) == 0;
	if (has_target)
		remove_stale_names(dir_fd, directory, target);
	if (!has_target || make_link(dir_fd, directory, target, name) == -1 ||
	    parent_placed_keep(PLACED_API_LINK, dir_fd, name) == -1) {
		log_warning("%s: %s; slirpctl ps will not show this slirpd", what,
		    strerror(errno));
		return;
	}
	take_fd(&dir_fd);
}
