#include "parent/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/fdtable.h"

const struct role roles[ROLE_N] = {
	[ROLE_NETNS_HELPER] = {
		.id = IPC_ROLE_NETNS_HELPER,
		.name = "netns-helper",
		.program = "slirpd-netns-helper",
		.n_fds = IPC_CHILD_FD_PARENT + 1,
		.stages = 1U << IPC_STAGE_descriptors | 1U << IPC_STAGE_limits |
		    1U << IPC_STAGE_seccomp,
	},
	[ROLE_SLIRP_WORKER] = {
		.id = IPC_ROLE_SLIRP_WORKER,
		.name = "slirp-worker",
		.program = "slirpd-slirp-worker",
		.n_fds = IPC_CHILD_FD_PEER + 1,
		.stages = (1U << IPC_STAGE_N) - 1,
	},
	[ROLE_SPAWNER] = {
		.id = IPC_ROLE_SPAWNER,
		.name = "spawner",
		.n_fds = IPC_CHILD_FD_PARENT + 1,
		.stages = 1U << IPC_STAGE_descriptors | 1U << IPC_STAGE_limits |
		    1U << IPC_STAGE_seccomp,
	},
	[ROLE_API] = {
		.id = IPC_ROLE_API,
		.name = "api",
		.program = "slirpd-api",
		.n_fds = IPC_CHILD_FD_LISTEN + 1,
		.stages = (1U << IPC_STAGE_N) - 1,
	},
};

/* The directory of the other programs. */
static void
find_libexec(char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len == -1) {
		snprintf(path, PATH_MAX, "%s", SLIRPD_LIBEXEC_INSTALLED);
		return;
	}
	self[len] = '\0';
	if (snprintf(path, PATH_MAX, "%s/%s", dirname(self), SLIRPD_LIBEXEC_FROM_BIN) >=
	    PATH_MAX)
		fatalx("path of %s is too long", self);
}

static int
open_program(const char *directory, const char *program)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", directory, program) >=
	    (int)sizeof(path))
		fatalx("path of %s is too long", program);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		fatal("open program %s", path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) {
		errno = EACCES;
		fatal("execute program %s", path);
	}
	return fd;
}

void
roles_open_programs(int program_fds[ROLE_N])
{
	char directory[PATH_MAX];

	find_libexec(directory);
	for (size_t i = 0; i < ROLE_N; i++)
		program_fds[i] =
		    roles[i].program ? open_program(directory, roles[i].program) : -1;
}
