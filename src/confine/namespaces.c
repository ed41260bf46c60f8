/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes, joins and queries namespaces, and explains why they cannot be made. */
#include "confine/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "confine/seccomp.h"

/* One line of a uid or gid map: "inside outside count". */
#define MAP_LINE_SIZE 64

/* Fits a number in a file of /proc, and the path of a namespace there. */
#define PROC_TEXT_SIZE 32

/* The flags of unshare(2), by the names in /proc/PID/ns. */
enum {
	CLONE_FLAG_user = CLONE_NEWUSER,
	CLONE_FLAG_mnt = CLONE_NEWNS,
	CLONE_FLAG_ipc = CLONE_NEWIPC,
	CLONE_FLAG_uts = CLONE_NEWUTS,
	CLONE_FLAG_cgroup = CLONE_NEWCGROUP,
	CLONE_FLAG_net = CLONE_NEWNET,
	CLONE_FLAG_pid = CLONE_NEWPID,
};

/* True after the process has made its user namespace itself. */
static bool has_own_userns;

static int
write_file(const char *path, const char *text)
{
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t n;

	if (fd == -1)
		return -1;
	/* The kernel takes a map in one write or not at all. */
	n = write(fd, text, len);
	if (n == (ssize_t)len)
		return 0;
	if (n >= 0)
		errno = EIO;
	return -1;
}

static int
write_map(const char *path, unsigned int inside, unsigned int outside)
{
	char line[MAP_LINE_SIZE];

	snprintf(line, sizeof(line), "%u %u 1\n", inside, outside);
	return write_file(path, line);
}

/* Maps the one uid and gid of the new user namespace; `outside` holds the ids in the old
 * one. */
static int
write_maps(const struct confine_ids *inside, const struct confine_ids *outside,
    const char **step)
{
	*step = "write /proc/self/setgroups";
	if (write_file("/proc/self/setgroups", "deny") == -1)
		return -1;
	*step = "write /proc/self/uid_map";
	if (write_map("/proc/self/uid_map", inside->uid, outside->uid) == -1)
		return -1;
	*step = "write /proc/self/gid_map";
	return write_map("/proc/self/gid_map", inside->gid, outside->gid);
}

/* Root owns the files of /proc/self while the process is not dumpable. An execve(2) of a
 * program that the user cannot read has this effect. So the process is dumpable while it
 * writes the maps. */
static int
write_maps_dumpable(const struct confine_ids *inside, const struct confine_ids *outside,
    const char **step)
{
	int was_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	int result, saved_errno;

	if (was_dumpable == 1)
		return write_maps(inside, outside, step);
	*step = "prctl PR_SET_DUMPABLE";
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1)
		return -1;
	result = write_maps(inside, outside, step);
	saved_errno = errno;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	errno = saved_errno;
	return result;
}

int
confine_ns_own(int flags, const struct confine_ids *inside, const char **step)
{
	/* An unprivileged process may map only its effective ids. */
	const struct confine_ids outside = { .uid = geteuid(), .gid = getegid() };
	const char *unused_step;

	if (!step)
		step = &unused_step;
	*step = "unshare";
	if (flags == 0 || (flags & ~CONFINE_NS_FLAGS)) {
		errno = EINVAL;
		return -1;
	}
	/* In one call the kernel makes the user namespace first, and the others belong to
	 * it (user_namespaces(7)). */
	if (unshare(flags) == -1)
		return -1;
	if (!(flags & CLONE_NEWUSER))
		return 0;
	if (write_maps_dumpable(inside ? inside : &outside, &outside, step) == -1)
		return -1;
	has_own_userns = true;
	return 0;
}

int
confine_ns_bar_nested(void)
{
	if (!has_own_userns) {
		errno = EPERM;
		return -1;
	}
	return write_file("/proc/sys/user/max_user_namespaces", "0");
}

int
confine_ns_join_user(int userns_fd)
{
	if (setns(userns_fd, CLONE_NEWUSER) == -1)
		return -1;
	has_own_userns = false;
	if (geteuid() != CONFINE_NS_OVERFLOW_ID)
		return 0;
	/* EINVAL: the namespace does not map 0. Set the gid first: setresuid() may drop
	 * CAP_SETGID, depending on the securebits. */
	if (setresgid(0, 0, 0) == -1 && errno != EINVAL)
		return -1;
	if (setresuid(0, 0, 0) == -1 && errno != EINVAL)
		return -1;
	return 0;
}

bool
confine_ns_maps_all(void)
{
	char line[MAP_LINE_SIZE] = "";
	unsigned long inside, outside, count;
	char *rest;
	FILE *map = fopen("/proc/self/uid_map", "re");

	if (!map)
		return false;
	if (!fgets(line, sizeof(line), map))
		line[0] = '\0';
	fclose(map);
	inside = strtoul(line, &rest, 10);
	outside = strtoul(rest, &rest, 10);
	count = strtoul(rest, &rest, 10);
	return inside == 0 && outside == 0 && count == UINT32_MAX;
}

/* Reads the inode of /proc/self/ns/<name>, which identifies the namespace. */
static int
read_ns_id(const char *name, uint64_t *id)
{
	char path[PROC_TEXT_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	*id = 0;
	if (stat(path, &st) == 0) {
		*id = st.st_ino;
		return 0;
	}
	/* If the directory exists without the name, the kernel lacks this kind of
	 * namespace. */
	return errno == ENOENT && access("/proc/self/ns", F_OK) == 0 ? 0 : -1;
}

int
confine_ns_query(struct ipc_namespaces *ids)
{
	const struct {
		const char *name;
		uint64_t *id;
	} kinds[] = {
#define KIND(name) { #name, &ids->name },
		IPC_NAMESPACES(KIND)
#undef KIND
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (read_ns_id(kinds[i].name, kinds[i].id) == -1) {
			int saved_errno = errno;

			*ids = (struct ipc_namespaces){ 0 };
			errno = saved_errno;
			return -1;
		}
	}
	return 0;
}

/* Whether the file of /proc exists and holds the number `value`. */
static bool
proc_number_is(const char *path, long value)
{
	char text[PROC_TEXT_SIZE];
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strtol(text, NULL, 10) == value;
}

/* Whether the root of the process is not the top of a mount. mountinfo lists the mounts
 * below the root; in a chroot none of them is at "/" (proc_pid_mountinfo(5)). */
static bool
is_chrooted(void)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	autofree char *line = NULL;
	size_t line_size = 0;
	bool found_root = false;

	if (!mounts)
		return false;
	while (!found_root && getline(&line, &line_size, mounts) > 0) {
		const char *field = line;

		/* id, parent id, device, root within the file system, mount point */
		for (int skipped = 0; field && skipped < 4; skipped++) {
			field = strchr(field, ' ');
			field = field ? field + 1 : NULL;
		}
		found_root = field && strncmp(field, "/ ", 2) == 0;
	}
	fclose(mounts);
	return !found_root;
}

/* Whether the user namespace has no uid map: unshare(2) succeeded, and the write
 * failed. */
static bool
lacks_map(void)
{
	char byte;
	autofd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);

	return fd != -1 && read(fd, &byte, 1) == 0;
}

/* Finds the reason for EPERM or EACCES. */
static enum confine_ns_bar
bar_of_denial(void)
{
	if (proc_number_is("/proc/sys/kernel/unprivileged_userns_clone", 0))
		return CONFINE_NS_BAR_SYSCTL;
	if (proc_number_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1))
		return CONFINE_NS_BAR_APPARMOR;
	/* The kernel refuses a map of the process's own ids for one reason only. */
	if (lacks_map())
		return CONFINE_NS_BAR_ROOT_MAP;
	if (is_chrooted())
		return CONFINE_NS_BAR_CHROOT;
	if (confine_seccomp_query() == SECCOMP_MODE_FILTER)
		return CONFINE_NS_BAR_FILTER;
	return CONFINE_NS_BAR_OTHER;
}

static const struct {
	int flag;
	enum confine_ns_bar zero, limit;
	const char *sysctl; /* its file */
} kinds[] = {
/* In the order of IPC_NAMESPACES; a user namespace comes first for the kernel too. */
#define KIND(name) \
	{ CLONE_FLAG_##name, CONFINE_NS_BAR_ZERO_##name, CONFINE_NS_BAR_LIMIT_##name, \
		"/proc/sys/user/max_" #name "_namespaces" },
	IPC_NAMESPACES(KIND)
#undef KIND
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Makes each kind in `flags` alone. Returns the index of the first kind that has reached
 * its limit, or N_KINDS. */
static size_t
find_used_up(int flags)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if ((flags & kinds[i].flag) && unshare(kinds[i].flag) == -1 &&
		    (errno == ENOSPC || errno == EUSERS))
			return i;
	return N_KINDS;
}

static enum confine_ns_bar
bar_of_limit(int flags)
{
	int wait_status;
	pid_t pid = fork();
	size_t i;

	if (pid == 0)
		_exit((int)find_used_up(flags));
	if (pid == -1 || waitpid(pid, &wait_status, 0) == -1 || !WIFEXITED(wait_status))
		return CONFINE_NS_BAR_OTHER;
	i = (size_t)WEXITSTATUS(wait_status);
	/* Another process has freed a namespace in the meantime. */
	if (i >= N_KINDS)
		return CONFINE_NS_BAR_OTHER;
	return proc_number_is(kinds[i].sysctl, 0) ? kinds[i].zero : kinds[i].limit;
}

static enum confine_ns_bar
bar_of(int flags, int error)
{
	switch (error) {
	case ENOSPC:
	case EUSERS: /* the same before Linux 4.9 */
		return bar_of_limit(flags);
	case EPERM:
	case EACCES:
		return bar_of_denial();
	case ENOENT:
	case EROFS:
		return CONFINE_NS_BAR_PROC;
	case EINVAL:
	case ENOSYS:
		return access("/proc/self/ns", F_OK) == 0 &&
			access("/proc/self/ns/user", F_OK) == -1
		    ? CONFINE_NS_BAR_KERNEL
		    : CONFINE_NS_BAR_OTHER;
	default:
		return CONFINE_NS_BAR_OTHER;
	}
}

enum confine_ns_bar
confine_ns_bar(int flags, int error)
{
	int saved_errno = errno;
	enum confine_ns_bar bar = bar_of(flags, error);

	errno = saved_errno;
	return bar;
}

const char *
confine_ns_bar_str(enum confine_ns_bar bar)
{
	switch (bar) {
#define LIMIT_STR(name) \
	case CONFINE_NS_BAR_ZERO_##name: \
		return "switched off by sysctl user.max_" #name "_namespaces=0"; \
	case CONFINE_NS_BAR_LIMIT_##name: \
		return "limit of user.max_" #name \
		       "_namespaces reached, here or in an outer " \
		       "user namespace, or limit of nesting";
		IPC_NAMESPACES(LIMIT_STR)
#undef LIMIT_STR
	case CONFINE_NS_BAR_SYSCTL:
		return "switched off by sysctl kernel.unprivileged_userns_clone=0";
	case CONFINE_NS_BAR_APPARMOR:
		return "restricted by sysctl "
		       "kernel.apparmor_restrict_unprivileged_userns=1";
	case CONFINE_NS_BAR_CHROOT:
		return "not possible in a chroot";
	case CONFINE_NS_BAR_ROOT_MAP:
		return "uid 0 without CAP_SETFCAP can't be mapped";
	case CONFINE_NS_BAR_FILTER:
		return "refused, probably by the caller's seccomp filter";
	case CONFINE_NS_BAR_PROC:
		return "no writable /proc/self/uid_map";
	case CONFINE_NS_BAR_KERNEL:
		return "not in this kernel";
	case CONFINE_NS_BAR_OTHER:
		break;
	}
	return "refused for a reason that /proc does not show";
}
