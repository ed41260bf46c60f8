/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Covers /etc/resolv.conf, in the process that becomes the command of `slirpd run`.
 *
 * The file has to be in some file system, so a tmpfs is mounted on /etc for a moment: a directory
 * that is there wherever there is something to cover. The file that is to be covered, and /etc, are
 * opened before. Then the new file is bound over the old one and the tmpfs is unmounted; of it the
 * new file stays.
 */
#include "parent/run/resolvconf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "parent/cmdline/network.h"
#include "parent/run/overlay.h"

#define ETC "/etc"
#define RESOLV_CONF ETC "/resolv.conf"

/* In the tmpfs. The new file is in the directory that can be the upper one of an overlay. */
#define UPPER ETC "/upper"
#define WORK ETC "/work"
#define NEW_FILE UPPER "/resolv.conf"

/* For a page for the file, and for what the command writes to an overlay, which is then its /etc:
 * more than any /etc has. */
#define TMPFS_OPTIONS "mode=0755,size=16m"

/* Two lines with an address each. */
#define CONTENT_SIZE (2 * (sizeof("nameserver \n") + INET6_ADDRSTRLEN))

static void
format_content(char content[CONTENT_SIZE], const struct options *options)
{
	struct ipc_network network;
	char addr4[INET_ADDRSTRLEN], addr6[INET6_ADDRSTRLEN];
	int len;

	network_fill(&network, options);
	inet_ntop(AF_INET, &network.nameserver_be, addr4, sizeof(addr4));
	len = snprintf(content, CONTENT_SIZE, "nameserver %s\n", addr4);
	if (!options->enable_ipv6)
		return;
	inet_ntop(AF_INET6, &network.nameserver6, addr6, sizeof(addr6));
	snprintf(content + len, CONTENT_SIZE - (size_t)len, "nameserver %s\n", addr6);
}

/* The directories and the new file, in the tmpfs. The umask, which is the command's, does not count. */
static int
make_files(const char *content)
{
	const size_t len = strlen(content);
	autofd int fd = -1;

	if (mkdir(UPPER, 0755) == -1 || chmod(UPPER, 0755) == -1 ||
	    mkdir(WORK, 0755) == -1)
		return -1;
	fd = open(NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd == -1 || fchmod(fd, 0644) == -1)
		return -1;
	return write(fd, content, len) == (ssize_t)len ? 0 : -1;
}

static int
bind_over(int file_fd)
{
	char path[FDIO_PATH_SIZE];

	fdio_path(file_fd, path);
	return mount(NEW_FILE, path, NULL, MS_BIND, NULL);
}

/* Returns the overlay, or -1 with errno set. */
static int
make_overlay(int etc_fd)
{
	char path[FDIO_PATH_SIZE];

	fdio_path(etc_fd, path);
	return overlay_make(path, UPPER, WORK);
}

static void
warn_uncovered(const char *what, int error)
{
	log_warning("there is no " RESOLV_CONF " to cover, and an overlay on " ETC
		    " can't be had: %s: %s: names can't be looked up; an empty file "
		    "there would do",
	    what, strerror(error));
}

/* Where the tmpfs is: covers the file, or, if there is none (-1), makes an overlay. */
static int
cover_from_tmpfs(const char *content, int file_fd, int etc_fd, int *overlay_fd,
    const char **step)
{
	*step = "cover " RESOLV_CONF ": make files in a tmpfs";
	if (make_files(content) == -1)
		return -1;
	*step = "cover " RESOLV_CONF ": bind mount";
	if (file_fd != -1)
		return bind_over(file_fd);
	*overlay_fd = make_overlay(etc_fd);
	if (*overlay_fd == -1)
		warn_uncovered("make it", errno);
	return 0;
}

static int
cover(const char *content, int file_fd, int etc_fd, const char **step)
{
	autofd int overlay_fd = -1;
	int result, error;

	*step = "cover " RESOLV_CONF ": mount a tmpfs on " ETC;
	if (mount("slirpd", ETC, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		TMPFS_OPTIONS) == -1)
		return -1;
	result = cover_from_tmpfs(content, file_fd, etc_fd, &overlay_fd, step);
	error = errno;
	if (umount2(ETC, MNT_DETACH) == -1) {
		*step = "cover " RESOLV_CONF ": unmount the tmpfs from " ETC;
		return -1;
	}
	if (overlay_fd != -1 && overlay_attach(overlay_fd, ETC) == -1)
		warn_uncovered("mount it", errno);
	errno = error;
	return result;
}

/* The path leads to nothing: no file, or a symbolic link without one. */
static bool
is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

int
resolvconf_cover(const struct options *options, const char **step)
{
	autofd int etc_fd = open(ETC, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autofd int file_fd = open(RESOLV_CONF, O_PATH | O_CLOEXEC);
	char content[CONTENT_SIZE];

	*step = "open " RESOLV_CONF;
	if (file_fd == -1 && !is_missing(errno))
		return -1;
	if (etc_fd == -1) {
		warn_uncovered("open " ETC, errno);
		return 0;
	}
	format_content(content, options);
	return cover(content, file_fd, etc_fd, step);
}
