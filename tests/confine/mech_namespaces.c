/* SPDX-License-Identifier: BSD-2-Clause */
/* Own namespaces: made, told apart, not possible, joined. */
#include "mechanisms.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/namespaces.h"

/* More than the kernel nests (user_namespaces(7)). */
#define TOO_MANY_LEVELS 40

/* Nobody's id in the namespaces of the tests. */
#define OTHER_ID 61112

/* The kernel's own form of the call. */
struct cap_sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

static void
drop_one_cap(unsigned int cap)
{
	struct cap_sets sets = { .header = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	CHECK(syscall(SYS_capget, &sets.header, sets.data) == 0);
	sets.data[cap / 32].effective &= ~(1U << (cap % 32));
	sets.data[cap / 32].permitted &= ~(1U << (cap % 32));
	CHECK(syscall(SYS_capset, &sets.header, sets.data) == 0);
}

static void
read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	CHECK(file != NULL);
	CHECK(fgets(text, (int)size, file) != NULL);
	fclose(file);
}

IN_CHILD(test_every_namespace_is_new)
{
	struct ipc_namespaces before, after;

	CHECK(confine_ns_query(&before) == 0);
	CHECK(confine_ns_query(&after) == 0);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	enter_own(CONFINE_NS_FLAGS & ~CLONE_NEWUSER);
	CHECK(confine_ns_query(&after) == 0);
	CHECK((before.user != after.user) == (setting == SETTING_OWN_USERNS));
	CHECK(before.mnt != after.mnt && before.ipc != after.ipc);
	CHECK(before.uts != after.uts && before.cgroup != after.cgroup);
	CHECK(before.net != after.net && before.pid == after.pid);
}

IN_CHILD(test_single_flag_leaves_the_others)
{
	struct ipc_namespaces before, after;

	CHECK(confine_ns_query(&before) == 0);
	enter_own(CLONE_NEWUTS);
	CHECK(confine_ns_query(&after) == 0);
	CHECK(before.uts != after.uts && before.mnt == after.mnt);
	CHECK(before.net == after.net && before.ipc == after.ipc);
}

IN_CHILD(test_ids_stay_and_are_the_only_ones)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	unsigned int inside, outside, count;
	char line[64];

	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0);
	CHECK(geteuid() == uid && getegid() == gid);
	read_line("/proc/self/uid_map", line, sizeof(line));
	CHECK(sscanf(line, "%u %u %u", &inside, &outside, &count) == 3);
	CHECK(inside == uid && count == 1);
	read_line("/proc/self/gid_map", line, sizeof(line));
	CHECK(sscanf(line, "%u %u %u", &inside, &outside, &count) == 3);
	CHECK(inside == gid && count == 1);
	read_line("/proc/self/setgroups", line, sizeof(line));
	CHECK(strcmp(line, "deny\n") == 0);
	CHECK_FAILS(setresuid(OTHER_ID, OTHER_ID, OTHER_ID), EINVAL);
}

IN_CHILD(test_ids_can_be_renamed)
{
	const struct confine_ids inside = { .uid = OTHER_ID, .gid = OTHER_ID + 1 };

	CHECK(confine_ns_own(CLONE_NEWUSER, &inside, NULL) == 0);
	CHECK(getuid() == OTHER_ID && getgid() == OTHER_ID + 1);
}

IN_CHILD(test_unknown_flags_are_refused)
{
	struct ipc_namespaces before, after;

	CHECK(confine_ns_query(&before) == 0);
	CHECK_FAILS(confine_ns_own(CLONE_NEWPID | CLONE_NEWUSER, NULL, NULL), EINVAL);
	CHECK_FAILS(confine_ns_own(0, NULL, NULL), EINVAL);
	CHECK(confine_ns_query(&after) == 0);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
}

IN_CHILD(test_process_that_is_not_dumpable)
{
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	/* The control: where the files are root's, an ordinary user can't write to them. */
	if (geteuid() != 0)
		CHECK_FAILS(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC), EACCES);
	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void *
wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

IN_CHILD(test_second_thread_is_refused)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
	CHECK_FAILS(confine_ns_own(CLONE_NEWUSER, NULL, NULL), EINVAL);
	CHECK(confine_ns_bar(CLONE_NEWUSER, EINVAL) == CONFINE_NS_BAR_OTHER);
}

IN_CHILD(test_no_nested_one_after_it_is_barred)
{
	/* Not its own: everybody's, which a test does not risk on a machine. */
	if (!is_real_root())
		CHECK_FAILS(confine_ns_bar_nested(), EPERM);
	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0);
	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0); /* the control */
	CHECK(confine_ns_bar_nested() == 0);
	CHECK_FAILS(confine_ns_own(CLONE_NEWUSER, NULL, NULL), ENOSPC);
	CHECK(confine_ns_bar(CLONE_NEWUSER, ENOSPC) == CONFINE_NS_BAR_ZERO_user);
}

IN_CHILD(test_nesting_has_an_end)
{
	const char *step = NULL;
	int level = 0;

	while (level < TOO_MANY_LEVELS && confine_ns_own(CLONE_NEWUSER, NULL, &step) == 0)
		level++;
	CHECK(errno == ENOSPC && level < TOO_MANY_LEVELS && level > 0);
	CHECK(strcmp(step, "unshare") == 0);
	CHECK(confine_ns_bar(CLONE_NEWUSER, errno) == CONFINE_NS_BAR_LIMIT_user);
}

static void
set_limit(const char *kind, const char *limit)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kind);
	fd = open(path, O_WRONLY);
	CHECK(fd != -1 && write(fd, limit, strlen(limit)) == (ssize_t)strlen(limit));
	close(fd);
}

/* Not only that of user namespaces: the kernel says ENOSPC of all. */
IN_CHILD(test_kind_that_is_used_up_is_named)
{
	const int flags = CONFINE_NS_FLAGS;
	const struct {
		const char *kind;
		enum confine_ns_bar zero, limit;
	} kinds[] = {
		{ "mnt", CONFINE_NS_BAR_ZERO_mnt, CONFINE_NS_BAR_LIMIT_mnt },
		{ "ipc", CONFINE_NS_BAR_ZERO_ipc, CONFINE_NS_BAR_LIMIT_ipc },
		{ "uts", CONFINE_NS_BAR_ZERO_uts, CONFINE_NS_BAR_LIMIT_uts },
		{ "cgroup", CONFINE_NS_BAR_ZERO_cgroup, CONFINE_NS_BAR_LIMIT_cgroup },
		{ "net", CONFINE_NS_BAR_ZERO_net, CONFINE_NS_BAR_LIMIT_net },
	};

	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char sysctl[64];

		set_limit(kinds[i].kind, "0");
		CHECK_FAILS(unshare(flags), ENOSPC);
		CHECK(confine_ns_bar(flags, ENOSPC) == kinds[i].zero);
		snprintf(sysctl, sizeof(sysctl), "user.max_%s_namespaces=0",
		    kinds[i].kind);
		CHECK(strstr(confine_ns_bar_str(kinds[i].zero), sysctl));
		set_limit(kinds[i].kind, "1000");
	}
	/* Of an outer user namespace: the own sysctl says nothing. */
	set_limit("net", "0");
	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0);
	CHECK_FAILS(unshare(flags), ENOSPC);
	CHECK(confine_ns_bar(flags, ENOSPC) == CONFINE_NS_BAR_LIMIT_net);
	CHECK(strstr(confine_ns_bar_str(CONFINE_NS_BAR_LIMIT_net),
	    "limit of user.max_net_namespaces"));
}

IN_CHILD(test_chroot_is_diagnosed)
{
	char dir[] = "/tmp/slirpd-test-XXXXXX";
	char proc[sizeof(dir) + 8];
	const char *step = NULL;

	CHECK(confine_ns_own(CLONE_NEWUSER | CLONE_NEWNS, NULL, NULL) == 0);
	CHECK(mount("test", "/tmp", "tmpfs", 0, NULL) == 0);
	CHECK(mkdtemp(dir) != NULL);
	snprintf(proc, sizeof(proc), "%s/proc", dir);
	CHECK(mkdir(proc, 0755) == 0);
	CHECK(mount("/proc", proc, NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(chroot(dir) == 0 && chdir("/") == 0);
	CHECK_FAILS(confine_ns_own(CLONE_NEWUSER, NULL, &step), EPERM);
	CHECK(strcmp(step, "unshare") == 0);
	CHECK(confine_ns_bar(CLONE_NEWUSER, EPERM) == CONFINE_NS_BAR_CHROOT);
	CHECK(errno == EPERM);
}

IN_CHILD(test_uid_0_without_setfcap_is_diagnosed)
{
	const struct confine_ids root = { .uid = 0, .gid = 0 };
	const char *step = NULL;

	CHECK(confine_ns_own(CLONE_NEWUSER, &root, NULL) == 0);
	drop_one_cap(CAP_SETFCAP);
	CHECK_FAILS(confine_ns_own(CLONE_NEWUSER, NULL, &step), EPERM);
	CHECK(strcmp(step, "write /proc/self/uid_map") == 0);
	CHECK(confine_ns_bar(CLONE_NEWUSER, EPERM) == CONFINE_NS_BAR_ROOT_MAP);
}

IN_CHILD(test_missing_proc_is_diagnosed)
{
	const char *step = NULL;

	CHECK(confine_ns_own(CLONE_NEWUSER | CLONE_NEWNS, NULL, NULL) == 0);
	CHECK(mount("test", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK_FAILS(confine_ns_own(CLONE_NEWUSER, NULL, &step), ENOENT);
	CHECK(strcmp(step, "write /proc/self/setgroups") == 0);
	CHECK(confine_ns_bar(CLONE_NEWUSER, ENOENT) == CONFINE_NS_BAR_PROC);
}

/* Starts a process in a user namespace of its own, where it is uid 0; after a change to
 * `id`, unless that is 0. Returns its pid and the namespace. */
static pid_t
start_container(uid_t id, int *userns_fd)
{
	const struct confine_ids root = { .uid = 0, .gid = 0 };
	char path[32], byte = 0;
	int ready[2];
	pid_t pid;

	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid != -1);
	if (pid == 0) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		if (id != 0) {
			CHECK(setresgid(id, id, id) == 0);
			CHECK(setresuid(id, id, id) == 0);
			CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		}
		CHECK(confine_ns_own(CLONE_NEWUSER, &root, NULL) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		CHECK(write(ready[1], &byte, 1) == 1);
		wait_for_ever(NULL);
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	*userns_fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(*userns_fd != -1);
	return pid;
}

static void
stop_container(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* What a process can do that has joined a user namespace: everything, below itself. */
static void
check_capable(void)
{
	CHECK(confine_ns_own(CLONE_NEWNS | CLONE_NEWUTS, NULL, NULL) == 0);
	CHECK(sethostname("jail", 4) == 0);
	CHECK(mount("test", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/proc/made", 0700) == 0);
}

IN_CHILD(test_user_namespace_of_the_same_user_is_joined)
{
	int userns_fd;
	pid_t pid;

	/* From one of its own, which it then is not in any more. */
	CHECK(confine_ns_own(CLONE_NEWUSER, NULL, NULL) == 0);
	pid = start_container(0, &userns_fd);
	CHECK(confine_ns_join_user(userns_fd) == 0);
	CHECK(getuid() == 0);
	CHECK_FAILS(confine_ns_join_user(userns_fd), EINVAL);
	CHECK_FAILS(confine_ns_bar_nested(), EPERM);
	check_capable();
	stop_container(pid);
}

/* Real root's uid has no name in the namespace of somebody else. */
IN_CHILD(test_user_namespace_of_another_user_is_joined)
{
	int userns_fd;
	pid_t pid = start_container(OTHER_ID, &userns_fd);

	CHECK(confine_ns_join_user(userns_fd) == 0);
	CHECK(getuid() == 0 && getgid() == 0);
	check_capable();
	stop_container(pid);
}

int
run_namespaces_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_namespace_is_new),
		cmocka_unit_test(test_single_flag_leaves_the_others),
		cmocka_unit_test(test_ids_stay_and_are_the_only_ones),
		cmocka_unit_test(test_ids_can_be_renamed),
		cmocka_unit_test(test_unknown_flags_are_refused),
		cmocka_unit_test(test_process_that_is_not_dumpable),
		cmocka_unit_test(test_second_thread_is_refused),
		cmocka_unit_test(test_no_nested_one_after_it_is_barred),
		cmocka_unit_test(test_nesting_has_an_end),
		cmocka_unit_test(test_kind_that_is_used_up_is_named),
		cmocka_unit_test(test_chroot_is_diagnosed),
		cmocka_unit_test(test_uid_0_without_setfcap_is_diagnosed),
		cmocka_unit_test(test_missing_proc_is_diagnosed),
		cmocka_unit_test(test_user_namespace_of_the_same_user_is_joined),
	};
	const struct CMUnitTest tests_of_root[] = {
		cmocka_unit_test(test_user_namespace_of_another_user_is_joined),
	};
	int n_failed = cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);

	if (is_real_root())
		n_failed += cmocka_run_group_tests_name("namespaces, real root",
		    tests_of_root, NULL, NULL);
	return n_failed;
}

/* --- where they are barred ---------------------------------------------------------- */

IN_CHILD(test_barred_is_told_and_changes_nothing)
{
	struct ipc_namespaces before, after;
	const char *step = NULL;
	uid_t uid = geteuid();

	CHECK(confine_ns_query(&before) == 0);
	CHECK_FAILS(confine_ns_own(CLONE_NEWUSER | CLONE_NEWNS, NULL, &step),
	    barred_errno);
	CHECK(strcmp(step, "unshare") == 0);
	errno = 0;
	printf("%s\n", confine_ns_bar_str(confine_ns_bar(CLONE_NEWUSER, barred_errno)));
	fflush(stdout);
	CHECK(strstr(confine_ns_bar_str(confine_ns_bar(CLONE_NEWUSER, barred_errno)),
	    barred_why));
	CHECK(errno == 0);
	CHECK(confine_ns_query(&after) == 0);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0 && geteuid() == uid);
}

int
run_barred_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_barred_is_told_and_changes_nothing),
	};

	return cmocka_run_group_tests_name("barred", tests, NULL, NULL);
}
