/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the other programs, and refuses a program that another user could replace. */
#include "parent/supervise/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "confine/namespaces.h"

#define OWN_PROGRAM "/proc/self/exe"

/* From linux/xattr.h, which some libcs cannot include beside their own header. */
#define ACL_ATTRIBUTE "system.posix_acl_access"

/* The most directories between a file and the root (PATH_MAX). */
#define DEPTH_MAX (PATH_MAX / 2)

/* Finds the directory of the running program. Returns false without /proc. */
static bool
find_own_directory(char path[PATH_MAX])
{
	ssize_t len = readlink(OWN_PROGRAM, path, PATH_MAX - 1);

	if (len == -1)
		return false;
	path[len] = '\0';
	/* dirname(3) of glibc and musl changes the text in place. */
	dirname(path);
	return true;
}

/* The owners whose files may be executed. */
struct trust {
	uid_t own_owner; /* the owner of the running program */
	/* Root is not mapped in this user namespace, so root's files look like those of
	 * any unmapped user. */
	bool root_is_nameless;
	/* A capability of the program's file is in force. Its caller must not decide what else
	 * gets it. */
	bool is_privileged;
};

static bool
is_trusted(const struct trust *trust, uid_t uid)
{
	return uid == 0 || uid == trust->own_owner ||
	    (uid == geteuid() && !trust->is_privileged) ||
	    (trust->root_is_nameless && uid == CONFINE_NS_OVERFLOW_ID);
}

/* Whether the file may have an access control list (acl(5)). In a list the group bits of
 * the mode are the most rights of the users that it names. If it cannot be read, as
 * without /proc, assume a list. */
static bool
may_have_acl(int fd)
{
	char path[FDIO_PATH_SIZE];

	fdio_path(fd, path);
	return getxattr(path, ACL_ATTRIBUTE, NULL, 0) != -1 ||
	    (errno != ENODATA && errno != EOPNOTSUPP);
}

/* The path that is checked, or a directory above it. */
struct place {
	const char *what;
	const char *path;
	int n_above;
};

/* Writes its name without links and dots, for the user to act on. */
static void
name_place(const struct place *place, char name[PATH_MAX])
{
	if (!realpath(place->path, name))
		fatal("find the name of %s %s", place->what, place->path);
	for (int i = 0; i < place->n_above; i++)
		dirname(name);
}

static void
check_owner(const struct stat *st, const struct trust *trust, const struct place *place)
{
	char name[PATH_MAX];

	if (is_trusted(trust, st->st_uid))
		return;
	name_place(place, name);
	fatalx(
	    "%s %s belongs to uid %u: it must belong to root or to the user who starts slirpd",
	    place->what, name, st->st_uid);
}

/*
 * Whether only root or the caller writes as this group. useradd(8) makes a group with the
 * user's number for each user (USERGROUPS_ENAB), usually with a umask of 002. A later
 * member of that group may write to all files of its user anyway. Other groups are not
 * looked up: their members may be listed anywhere (nsswitch.conf(5)), and the parent
 * loads no modules (parent/cmdline/accounts.c).
 */
static bool
is_private(const struct trust *trust, gid_t gid)
{
	return gid == 0 ||
	    (gid == getegid() && gid == geteuid() && is_trusted(trust, geteuid()));
}

static void
check_mode(int fd, const struct stat *st, const struct trust *trust,
    const struct place *place)
{
	bool by_all = st->st_mode & S_IWOTH;
	bool by_group = st->st_mode & S_IWGRP;
	const char *who = by_all ? "others" : "its group";
	char name[PATH_MAX];

	/* In a sticky directory users cannot replace files of others. */
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))
		return;
	if (by_group && is_private(trust, st->st_gid)) {
		by_group = may_have_acl(fd);
		who = by_all ? who : "users that its access control list may name";
	}
	if (!by_all && !by_group)
		return;
	name_place(place, name);
	fatalx("%s %s can be written by %s (mode %04o, gid %u): chmod %s%s-w %s",
	    place->what, name, who, st->st_mode & 07777U, st->st_gid, by_group ? "g" : "",
	    by_all ? "o" : "", name);
}

/* Checks the directory and all directories above it. */
static void
check_directories(int dir_fd, const struct trust *trust, const char *path)
{
	struct place place = { .what = "directory", .path = path };
	autofd int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	struct stat below = { 0 };

	for (; place.n_above < DEPTH_MAX; place.n_above++) {
		struct stat st;
		int up_fd;

		if (fd == -1 || fstat(fd, &st) == -1)
			fatal("look at the directories above %s", path);
		/* ".." of the root is the root. */
		if (place.n_above > 0 && st.st_dev == below.st_dev &&
		    st.st_ino == below.st_ino)
			return;
		check_owner(&st, trust, &place);
		check_mode(fd, &st, trust, &place);
		below = st;
		up_fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(take_fd(&fd));
		fd = up_fd;
	}
}

static int
open_directory(const char *path, const struct trust *trust)
{
	autofd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT)
		fatalx("open program %s/%s: %s; slirpd needs its libexec directory: "
		       "install or copy all of it",
		    path, roles[IPC_ROLE_NETNS_HELPER].program, strerror(errno));
	if (fd == -1)
		/* Name the first program to be opened there. */
		fatal("open program %s/%s", path, roles[IPC_ROLE_NETNS_HELPER].program);
	check_directories(fd, trust, path);
	return take_fd(&fd);
}

static int
open_program(int dir_fd, const char *directory, const char *program,
    const struct trust *trust)
{
	char path[PATH_MAX + NAME_MAX];
	const struct place place = { .what = "program", .path = path };
	struct stat st;
	autofd int fd = openat(dir_fd, program, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	snprintf(path, sizeof(path), "%s/%s", directory, program);
	if (fd == -1 || fstat(fd, &st) == -1)
		fatal("open program %s", path);
	if (S_ISLNK(st.st_mode))
		fatalx("program %s is a symbolic link, which is not followed: put "
		       "the program itself in its place",
		    path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) {
		errno = EACCES;
		fatal("execute program %s", path);
	}
	check_owner(&st, trust, &place);
	check_mode(fd, &st, trust, &place);
	return take_fd(&fd);
}

void
parent_programs_open(int program_fds[IPC_ROLE_END])
{
	char own_directory[PATH_MAX], directory[PATH_MAX] = SLIRPD_LIBEXEC_INSTALLED;
	struct trust trust = {
		.own_owner = geteuid(),
		.root_is_nameless = !confine_ns_maps_all(),
		.is_privileged = getauxval(AT_SECURE) != 0,
	};
	autofd int dir_fd = -1;
	struct stat own;

	if (find_own_directory(own_directory)) {
		if (snprintf(directory, sizeof(directory), "%s/%s", own_directory,
			SLIRPD_LIBEXEC_FROM_BIN) >= (int)sizeof(directory))
			fatalx("path of %s is too long", own_directory);
		if (stat(OWN_PROGRAM, &own) == 0)
			trust.own_owner = own.st_uid;
		/* The path to the other programs begins there. */
		close(open_directory(own_directory, &trust));
	}
	dir_fd = open_directory(directory, &trust);
	for (size_t i = IPC_ROLE_CHILDREN; i < IPC_ROLE_END; i++)
		program_fds[i] = roles[i].program
		    ? open_program(dir_fd, directory, roles[i].program, &trust)
		    : -1;
}
