/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the directory of the control sockets of a user. */
#include "base/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

#define VARIABLE "XDG_RUNTIME_DIR"

int
rundir_path(char path[RUNDIR_PATH_SIZE])
{
	const char *parent = getenv(VARIABLE);
	int n;

	/* XDG Base Directory Specification: relative paths are invalid. */
	if (parent == NULL || parent[0] != '/') {
		errno = ENOENT;
		return -1;
	}
	n = snprintf(path, RUNDIR_PATH_SIZE, "%s/slirpd", parent);
	if (n >= RUNDIR_PATH_SIZE) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
rundir_open(bool may_make, char path[RUNDIR_PATH_SIZE])
{
	const char *parent = getenv(VARIABLE);
	autofd int fd = -1;
	struct stat st;

	/* rundir_path() sets errno if there is no parent. */
	if (rundir_path(path) == -1 || parent == NULL)
		return -1;
	/* A program of root that has kept another user's environment must not make a
	 * directory there: the user's own slirpd could not use it. */
	if (stat(parent, &st) == -1)
		return -1;
	if (st.st_uid != geteuid()) {
		errno = EPERM;
		return -1;
	}
	if (may_make && mkdir(path, S_IRWXU) == -1 && errno != EEXIST)
		return -1;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		return -1;
	}
	return take_fd(&fd);
}

bool
rundir_is_served(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autofd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || strlen(path) >= sizeof(address.sun_path))
		return false;
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	/* unix(7): EPROTOTYPE says that a socket of another type is there. Without a
	 * process it is ECONNREFUSED. */
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 &&
	    errno == EPROTOTYPE;
}
