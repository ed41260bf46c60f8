#include "parent/apisock.h"

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
#include "base/log.h"
#include "base/text.h"

/* What Linux allows since 5.4 where nobody changed net.core.somaxconn: a burst of clients
 * waits, and so do those that come while an api is started again. */
#define BACKLOG 4096

/* ".slirpd-2147483647-99" with its NUL. */
#define TEMPORARY_NAME_SIZE 32

/* Names that are tried: one may be left of a process that was killed, in another PID
 * namespace. */
#define N_TEMPORARY_NAMES 100

/* Of a path in a line of the log. */
#define SHOWN_SIZE 256

/* What the exit has to remove. A function of atexit(3) has no room for a context. */
static struct {
	const char *name; /* in dir_fd; NULL: nothing */
	int dir_fd;
	dev_t dev;
	ino_t ino; /* not given to another file while the socket is open */
	pid_t owner;
} made;

void
parent_apisock_remove(void)
{
	struct stat st;

	/* A process forked from the owner has inherited this too. */
	if (made.name && getpid() == made.owner &&
	    fstatat(made.dir_fd, made.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == made.dev && st.st_ino == made.ino)
		unlinkat(made.dir_fd, made.name, 0);
	made.name = NULL;
}

static _Noreturn void
fail(const char *path, const char *step)
{
	char shown[SHOWN_SIZE];
	int error = errno;

	text_escape(shown, sizeof(shown), path, strlen(path));
	errno = error;
	fatal("API socket %s: %s", shown, step);
}

/* Opens the directory of path, and sets *name to what path calls the file in it. */
static int
open_directory(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)] = ".";

	*name = slash ? slash + 1 : path;
	if (slash == path)
		snprintf(directory, sizeof(directory), "/");
	else if (slash)
		snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Binds to the first name that is free, in the current directory, and keeps it in `name`. */
static int
bind_here(int socket_fd, char name[TEMPORARY_NAME_SIZE])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	for (int i = 0; i < N_TEMPORARY_NAMES; i++) {
		snprintf(name, TEMPORARY_NAME_SIZE, ".slirpd-%d-%d", getpid(), i);
		memcpy(address.sun_path, name, TEMPORARY_NAME_SIZE);
		if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

/* A path of 107 bytes leaves no room for a longer name, and no call binds relative to a
 * directory; so the directory is the current one for a moment. */
static int
bind_in(int dir_fd, int socket_fd, char name[TEMPORARY_NAME_SIZE])
{
	autofd int old_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t umask_of_caller;
	int result, error;

	if (fchdir(dir_fd) == -1)
		return -1;
	/* The first where a default ACL takes the umask's place, the second elsewhere. */
	umask_of_caller = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	result = fchmod(socket_fd, S_IRUSR | S_IWUSR);
	if (result == 0)
		result = bind_here(socket_fd, name);
	error = errno;
	umask(umask_of_caller);
	/* Where there is no way back, nothing relative to it could be opened either. */
	if ((old_fd == -1 || fchdir(old_fd) == -1) && chdir("/") == -1 && result == 0)
		return -1;
	errno = error;
	return result;
}

/* Returns 0, or -1 with errno set and *step telling what was tried. */
static int
listen_and_rename(int socket_fd, int dir_fd, const char *temporary, const char *name,
    const char **step)
{
	struct stat st;

	*step = "listen";
	if (listen(socket_fd, BACKLOG) == -1)
		return -1;
	*step = "replace what is there";
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	if (fstatat(dir_fd, temporary, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    renameat(dir_fd, temporary, dir_fd, name) == -1)
		return -1;
	made.dev = st.st_dev;
	made.ino = st.st_ino;
	return 0;
}

int
parent_apisock_listen(const char *path)
{
	autofd int socket_fd = -1;
	autofd int dir_fd = -1;
	char temporary[TEMPORARY_NAME_SIZE];
	const char *step = "register its removal";
	const char *name;

	dir_fd = open_directory(path, &name);
	if (dir_fd == -1)
		fail(path, "open its directory");
	socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (socket_fd == -1)
		fail(path, "make a socket");
	if (bind_in(dir_fd, socket_fd, temporary) == -1)
		fail(path, "make a socket in its directory");
	if (atexit(parent_apisock_remove) != 0 ||
	    listen_and_rename(socket_fd, dir_fd, temporary, name, &step) == -1) {
		int error = errno;

		unlinkat(dir_fd, temporary, 0);
		errno = error;
		fail(path, step);
	}
	made.name = name;
	made.dir_fd = take_fd(&dir_fd);
	made.owner = getpid();
	return take_fd(&socket_fd);
}
