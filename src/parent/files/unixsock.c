/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the listening sockets of --api-socket and --target-type=bess. */
#include "parent/files/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

/* The default of net.core.somaxconn since Linux 5.4. A burst of clients waits in the
 * backlog, and so do clients that connect while the api is started again. */
#define BACKLOG 4096

static const struct {
	const char *what;
	int type;
} kinds[PLACED_N] = {
	[PLACED_API_SOCKET] = { "API socket", SOCK_STREAM },
	[PLACED_BESS_SOCKET] = { "bess socket", SOCK_SEQPACKET },
};

/* Binds to the first free name in the current directory, and writes it to `name`. */
static int
bind_here(int socket_fd, char name[PLACED_TEMPORARY_SIZE])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	for (int i = 0; i < PLACED_N_TEMPORARY; i++) {
		parent_placed_temporary(name, i);
		memcpy(address.sun_path, name, PLACED_TEMPORARY_SIZE);
		if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

/* Binds in the directory, by making it the current one. A path of 107 bytes has no space
 * for a longer name, and bind(2) takes no directory descriptor. */
static int
bind_in(int dir_fd, int socket_fd, char name[PLACED_TEMPORARY_SIZE])
{
	autofd int old_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t umask_of_caller;
	int result, error;

	if (fchdir(dir_fd) == -1)
		return -1;
	/* The umask sets the mode, unless the directory has a default ACL. fchmod() sets
	 * it then. */
	umask_of_caller = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	result = fchmod(socket_fd, S_IRUSR | S_IWUSR);
	if (result == 0)
		result = bind_here(socket_fd, name);
	error = errno;
	umask(umask_of_caller);
	/* If fchdir() fails, relative paths could not be opened before either. */
	if ((old_fd == -1 || fchdir(old_fd) == -1) && chdir("/") == -1 && result == 0)
		return -1;
	errno = error;
	return result;
}

int
parent_unixsock_listen(enum placed_file file, const char *path)
{
	const char *what = kinds[file].what;
	autofd int socket_fd = -1;
	autofd int dir_fd = -1;
	char temporary[PLACED_TEMPORARY_SIZE];
	const char *step;
	const char *name;

	dir_fd = parent_placed_open_directory(path, &name);
	if (dir_fd == -1)
		fatal_path(what, path, "open its directory");
	socket_fd = socket(AF_UNIX, kinds[file].type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (socket_fd == -1)
		fatal_path(what, path, "make a socket");
	if (bind_in(dir_fd, socket_fd, temporary) == -1)
		fatal_path(what, path, "make a socket in its directory");
	if (listen(socket_fd, BACKLOG) == -1) {
		int error = errno;

		unlinkat(dir_fd, temporary, 0);
		errno = error;
		fatal_path(what, path, "listen");
	}
	if (parent_placed_rename(file, take_fd(&dir_fd), temporary, name, S_IFSOCK,
		&step) == -1)
		fatal_path(what, path, step);
	return take_fd(&socket_fd);
}
