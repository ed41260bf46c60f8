/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a network namespace and pins it on a file. */
#include "parent/files/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "confine/caps.h"
#include "confine/namespaces.h"
#include "parent/files/placed.h"

#define OWN_NETNS "/proc/self/ns/net"

/* The size of a path in a log line. */
#define SHOWN_SIZE 256

#define NEEDS \
	"--create-netns needs CAP_SYS_ADMIN: be root, or in a user and mount namespace of " \
	"your own, as by unshare --user --map-root-user --mount"

enum pin_step {
	PIN_STEP_NONE,
	PIN_STEP_UNSHARE,
	PIN_STEP_MOUNT,
};

/* The file of a path. */
struct identity {
	dev_t dev;
	ino_t ino;
};

/* The result of the child that made the namespace. */
struct pin_report {
	struct identity netns;
	int error; /* errno, unless PIN_STEP_NONE */
	enum pin_step step;
	const char *hint; /* a static text, at the same address in the parent; or NULL */
};

/* The state that the exit undoes. A function of atexit(3) takes no argument. */
static struct {
	int dir_fd;            /* owned; the directory, even if it is moved */
	const char *name;      /* the name in the directory, borrowed; NULL for none */
	struct identity netns; /* while it is mounted */
	struct identity file;  /* the file below the mount */
	bool is_file_ours;     /* this process made the file */
	bool is_mounted;
	pid_t owner;
} pinned;

/* Do not follow a link: another user may own the directory and exchange the name. */
static bool
is_at_name(const struct identity *wanted)
{
	struct stat st;

	return fstatat(pinned.dir_fd, pinned.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == wanted->dev && st.st_ino == wanted->ino;
}

static void
unpin(void)
{
	char directory[FDIO_PATH_SIZE];
	char path[sizeof(directory) + PATH_MAX];

	/* A process forked from the owner has inherited this state and the exit
	 * function. */
	if (!pinned.name || getpid() != pinned.owner)
		return;
	/* Detach the mount at once, even if a process has a file open below it.
	 * umount2(2) takes a path, not a directory descriptor. */
	if (pinned.is_mounted && is_at_name(&pinned.netns)) {
		fdio_path(pinned.dir_fd, directory);
		snprintf(path, sizeof(path), "%s/%s", directory, pinned.name);
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	if (pinned.is_file_ours && is_at_name(&pinned.file))
		unlinkat(pinned.dir_fd, pinned.name, 0);
	pinned.name = NULL;
	close(take_fd(&pinned.dir_fd));
}

static _Noreturn void
fail(const char *path, const char *step, const char *hint)
{
	char shown[SHOWN_SIZE];
	int error = errno;

	text_escape(shown, sizeof(shown), path, strlen(path));
	fatalx("--create-netns: %s: %s: %s%s%s", shown, step, strerror(error),
	    hint ? "; " : "", hint ? hint : "");
}

static _Noreturn void
refuse(const char *path, const char *why)
{
	char shown[SHOWN_SIZE];

	text_escape(shown, sizeof(shown), path, strlen(path));
	fatalx("--create-netns: %s: %s", shown, why);
}

/* Opens the file on which the namespace is mounted. */
static int
open_file(const char *path)
{
	autofd int fd = openat(pinned.dir_fd, pinned.name,
	    O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	struct statfs fs;
	struct stat st;

	pinned.is_file_ours = fd != -1;
	if (fd == -1 && errno == EEXIST)
		fd = openat(pinned.dir_fd, pinned.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		fail(path, "open it", NULL);
	if (fstat(fd, &st) == -1 || fstatfs(fd, &fs) == -1)
		fail(path, "look at it", NULL);
	/* Another user may have made a link, to have the namespace mounted somewhere
	 * else. */
	if (S_ISLNK(st.st_mode))
		refuse(path, "it is a symbolic link");
	if (fs.f_type == NSFS_MAGIC)
		refuse(path, "a namespace is pinned there");
	if (!S_ISREG(st.st_mode) || st.st_size > 0)
		refuse(path, "it is not an empty file");
	pinned.file = (struct identity){ .dev = st.st_dev, .ino = st.st_ino };
	return take_fd(&fd);
}

/* Returns a hint for the user, a static text, or NULL if there is none. */
static const char *
hint_of(enum pin_step step, int error)
{
	struct confine_caps caps = { 0 };

	if (error == ENOSPC && step == PIN_STEP_MOUNT)
		return "limit of sysctl fs.mount-max reached";
	if (error == ENOSPC)
		return confine_ns_bar_str(confine_ns_bar(CLONE_NEWNET, error));
	if (error != EPERM)
		return NULL;
	/* With the capability, a seccomp filter or a security module has refused the
	 * namespace. The mount needs the capability in the user namespace that owns the
	 * mount namespace. */
	if (step == PIN_STEP_UNSHARE && confine_caps_query(&caps) == 0 &&
	    (caps.effective & CONFINE_CAP_BIT(CAP_SYS_ADMIN)))
		return NULL;
	return NEEDS;
}

/* Makes the namespace in a child. The parent stays in its own: it may not be able to
 * return to it. */
static _Noreturn void
make_in_child(int file_fd, int report_fd)
{
	struct pin_report report = { .step = PIN_STEP_UNSHARE };
	char target[FDIO_PATH_SIZE];
	struct stat st;

	/* The path of the descriptor leads to the file that was checked. */
	fdio_path(file_fd, target);
	if (unshare(CLONE_NEWNET) == 0) {
		report.step = PIN_STEP_MOUNT;
		if (stat(OWN_NETNS, &st) == 0 &&
		    mount(OWN_NETNS, target, NULL, MS_BIND, NULL) == 0) {
			report.step = PIN_STEP_NONE;
			report.netns = (struct identity){ st.st_dev, st.st_ino };
		}
	}
	if (report.step != PIN_STEP_NONE) {
		report.error = errno;
		report.hint = hint_of(report.step, errno);
	}
	_exit(write(report_fd, &report, sizeof(report)) == sizeof(report)
		? EXITCODE_OK
		: EXITCODE_FAILURE);
}

static void
mount_new_netns(const char *path, int file_fd)
{
	struct pin_report report;
	autofd int read_fd = -1, write_fd = -1;
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		fail(path, "make a pipe", NULL);
	read_fd = fds[0];
	write_fd = fds[1];
	pid = fork();
	if (pid == -1)
		fail(path, "fork", NULL);
	if (pid == 0)
		make_in_child(file_fd, write_fd);
	close(take_fd(&write_fd));
	n = read(read_fd, &report, sizeof(report));
	waitpid(pid, NULL, 0);
	if (n != sizeof(report)) {
		errno = ECHILD;
		fail(path, "make a network namespace", NULL);
	}
	errno = report.error;
	if (report.step == PIN_STEP_UNSHARE)
		fail(path, "make a network namespace", report.hint);
	if (report.step == PIN_STEP_MOUNT)
		fail(path, "mount the network namespace there", report.hint);
	pinned.netns = report.netns;
	pinned.is_mounted = true;
}

void
parent_pin_make(const char *path)
{
	autofd int file_fd = -1;

	/* Open the directory now: the current directory, and links in the path, may
	 * change until the exit. */
	pinned.dir_fd = parent_placed_open_directory(path, &pinned.name);
	if (pinned.dir_fd == -1)
		fail(path, "open its directory", NULL);
	if (atexit(unpin) != 0)
		fatal("register the clean-up of the namespace");
	pinned.owner = getpid();
	file_fd = open_file(path);
	mount_new_netns(path, file_fd);
}

bool
parent_pin_made(int netns_fd)
{
	struct stat st;

	return fstat(netns_fd, &st) == 0 && st.st_dev == pinned.netns.dev &&
	    st.st_ino == pinned.netns.ino;
}
