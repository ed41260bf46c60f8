/* SPDX-License-Identifier: BSD-2-Clause */
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

/* Of a path in a line of the log. */
#define SHOWN_SIZE 256

#define NEEDS \
	"--create-netns needs CAP_SYS_ADMIN: be root, or in a user and mount namespace of " \
	"your own, as by unshare --user --map-root-user --mount"

enum pin_step {
	PIN_STEP_NONE,
	PIN_STEP_UNSHARE,
	PIN_STEP_MOUNT,
};

/* What a path leads to. */
struct identity {
	dev_t dev;
	ino_t ino;
};

/* How it went in the child that made the namespace. */
struct pin_report {
	struct identity netns;
	int error; /* errno, unless PIN_STEP_NONE */
	enum pin_step step;
	const char *hint; /* a static text, which fork(2) leaves where it is; or NULL */
};

/* What the exit has to undo. A function of atexit(3) has no room for a context. */
static struct {
	int dir_fd;            /* owned; of the directory, wherever it is moved to */
	const char *name;      /* in it, borrowed; NULL: nothing */
	struct identity netns; /* while it is mounted */
	struct identity file;  /* below it */
	bool is_file_ours;     /* it was made here */
	bool is_mounted;
	pid_t owner;
} pinned;

/* Not through a link: another user may own the directory, and exchange the name. */
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

	/* A process forked from the owner has inherited this too. */
	if (!pinned.name || getpid() != pinned.owner)
		return;
	/* At once, whoever still has a file open below it. No call unmounts relative to a
	 * directory. */
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

/* Opens what is to be mounted on. */
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
	/* Another user may have made it, to have this mounted somewhere else. */
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		fail(path, "use it: it is a symbolic link", NULL);
	}
	if (fs.f_type == NSFS_MAGIC) {
		errno = EBUSY;
		fail(path, "use it: a namespace is pinned there", NULL);
	}
	if (!S_ISREG(st.st_mode) || st.st_size > 0) {
		errno = EEXIST;
		fail(path, "use it: it is no empty file", NULL);
	}
	pinned.file = (struct identity){ .dev = st.st_dev, .ino = st.st_ino };
	return take_fd(&fd);
}

/* What would help: a static text, or NULL if that can't be told. */
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
	/* With the capability, a filter or a security module refuses the namespace. The mount
	 * needs it in the user namespace that the mount namespace belongs to. */
	if (step == PIN_STEP_UNSHARE && confine_caps_query(&caps) == 0 &&
	    (caps.effective & CONFINE_CAP_BIT(CAP_SYS_ADMIN)))
		return NULL;
	return NEEDS;
}

/* The namespace is made in a child: our own stays what it is, and there may be no way
 * back to it from another one. */
static _Noreturn void
make_in_child(int file_fd, int report_fd)
{
	struct pin_report report = { .step = PIN_STEP_UNSHARE };
	char target[FDIO_PATH_SIZE];
	struct stat st;

	/* By the descriptor, so that it is the file that was looked at. */
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

	/* The current directory, and links on the way, may change until the exit. */
	pinned.dir_fd = parent_placed_open_directory(path, &pinned.name);
	if (pinned.dir_fd == -1)
		fail(path, "open its directory", NULL);
	if (atexit(unpin) != 0)
		fatal("register what the exit has to unpin");
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
