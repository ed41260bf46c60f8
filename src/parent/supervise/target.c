/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the namespaces of the guest. */
#include "parent/supervise/target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/files/pin.h"

/* "/proc/2147483647/ns/net" with its NUL. */
#define PROC_NS_PATH_SIZE 32

/* Opening a FIFO or a device may block or have effects, and the path may change between a
 * check and the open. So the file is opened with O_PATH, checked, and then opened by that
 * descriptor. Returns -1 with errno set: EINVAL if the file is not a namespace of this
 * kind. */
static int
open_namespace_file(const char *path, int kind)
{
	autofd int found_fd = open(path, O_PATH | O_CLOEXEC);
	char found_path[FDIO_PATH_SIZE];
	struct statfs fs;
	autofd int fd = -1;

	if (found_fd == -1 || fstatfs(found_fd, &fs) == -1)
		return -1;
	if (fs.f_type != NSFS_MAGIC) {
		errno = EINVAL;
		return -1;
	}
	fdio_path(found_fd, found_path);
	fd = open(found_path, O_RDONLY | O_CLOEXEC);
	if (fd != -1 && ioctl(fd, NS_GET_NSTYPE) != kind) {
		errno = EINVAL;
		return -1;
	}
	return take_fd(&fd);
}

/* Returns the real uid of the process, or -1. The owner of /proc/PID does not tell it:
 * root owns the directory of a process that is not dumpable. */
static long
uid_of_process(pid_t pid)
{
	char path[PROC_NS_PATH_SIZE];
	autofree char *line = NULL;
	size_t line_size = 0;
	long uid = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return -1;
	while (uid == -1 && getline(&line, &line_size, status) > 0)
		if (strncmp(line, "Uid:", 4) == 0)
			uid = strtol(line + 4, NULL, 10);
	fclose(status);
	return uid;
}

/* The namespace of the process cannot be opened. Explains the failure, if /proc does. */
static _Noreturn void
refuse_process(pid_t pid, const char *path, int error)
{
	char proc_path[PROC_NS_PATH_SIZE];
	long uid = uid_of_process(pid);

	snprintf(proc_path, sizeof(proc_path), "/proc/%d", pid);
	if (error == ENOENT && access("/proc/self", F_OK) == 0 &&
	    access(proc_path, F_OK) == -1)
		fatalx("there is no process %d", pid);
	errno = error;
	if (error != EACCES || uid == -1)
		fatal("open network namespace %s", path);
	if (uid == 0)
		fatalx("open network namespace %s: %s; process %d belongs to root: start "
		       "slirpd as root",
		    path, strerror(error), pid);
	if (uid != (long)getuid())
		fatalx("open network namespace %s: %s; process %d belongs to uid %ld: "
		       "start slirpd as that user",
		    path, strerror(error), pid, uid);
	fatalx("open network namespace %s: %s; process %d is not dumpable, or has "
	       "capabilities that slirpd lacks",
	    path, strerror(error), pid);
}

static int
open_namespace(const char *path, int kind, const char *kind_name)
{
	autofd int fd = open_namespace_file(path, kind);
	char shown[IPC_LABEL_SIZE];
	int error = errno;

	if (fd != -1)
		return take_fd(&fd);
	text_escape(shown, sizeof(shown), path, strlen(path));
	errno = error;
	if (error == EINVAL)
		fatalx("open %s namespace %s: not a %s namespace", kind_name, shown,
		    kind_name);
	fatal("open %s namespace %s", kind_name, shown);
}

/* own_path names the namespace of this process, in /proc. */
static bool
is_own_namespace(int ns_fd, const char *own_path)
{
	struct stat own, other;

	return stat(own_path, &own) == 0 && fstat(ns_fd, &other) == 0 &&
	    own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

void
parent_target_open(struct target *target, const struct options *options)
{
	char proc_path[PROC_NS_PATH_SIZE];
	const char *path = options->netns_path;
	autofd int userns_fd = -1;

	*target = (struct target){ .netns_fd = -1, .userns_fd = -1 };
	if (options->target == OPTIONS_TARGET_TAPFD ||
	    options->target == OPTIONS_TARGET_BESS)
		return;
	if (options->target == OPTIONS_TARGET_PID) {
		snprintf(proc_path, sizeof(proc_path), "/proc/%d/ns/net",
		    options->target_pid);
		path = proc_path;
	}
	if (options->target == OPTIONS_TARGET_PID) {
		target->netns_fd = open_namespace_file(path, CLONE_NEWNET);
		if (target->netns_fd == -1)
			refuse_process(options->target_pid, path, errno);
	} else {
		target->netns_fd = open_namespace(path, CLONE_NEWNET, "network");
	}
	/* Another user may own the directory and exchange the path. With the rights of
	 * root, slirpd would then open the host's own network. */
	if (options->create_netns && !parent_pin_made(target->netns_fd))
		fatalx("--create-netns: the path leads to another namespace by now");
	snprintf(target->netns_label, sizeof(target->netns_label), "%s", path);

	if (options->userns_path) {
		userns_fd = open_namespace(options->userns_path, CLONE_NEWUSER, "user");
		snprintf(target->userns_label, sizeof(target->userns_label), "%s",
		    options->userns_path);
	} else {
		/* EPERM: the owner is an ancestor of our own user namespace. A process
		 * cannot join an ancestor, so try without. */
		userns_fd = ioctl(target->netns_fd, NS_GET_USERNS);
		snprintf(target->userns_label, sizeof(target->userns_label),
		    "that owns %.*s", IPC_LABEL_SIZE / 2, path);
	}
	/* setns(2): a process may not join the user namespace that it is in. */
	if (userns_fd != -1 && !is_own_namespace(userns_fd, "/proc/self/ns/user"))
		target->userns_fd = take_fd(&userns_fd);
}

void
parent_target_check(const struct target *target)
{
	if (target->netns_fd != -1 &&
	    is_own_namespace(target->netns_fd, "/proc/self/ns/net"))
		fatalx("network namespace %s is the one that slirpd itself is in: make "
		       "another one, as by unshare --user --map-root-user --net",
		    target->netns_label);
}

void
parent_target_close(struct target *target)
{
	if (target->netns_fd != -1)
		close(take_fd(&target->netns_fd));
	if (target->userns_fd != -1)
		close(take_fd(&target->userns_fd));
}
