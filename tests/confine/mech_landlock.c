/* SPDX-License-Identifier: BSD-2-Clause */
/* Landlock: nothing by a path, with an exception; and its other rights by ABI. */
#include "mechanisms.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/caps.h"
#include "confine/landlock.h"
#include "confine/limits.h"
#include "confine/seccomp.h"

/* landlock_create_ruleset(2), the same on all architectures but alpha. */
#define NR_CREATE_RULESET 444

/* The ABI that each of these came with. */
#define ABI_TCP 4
#define ABI_SCOPES 6

/* A directory of the test's own, current, with a file "file" and a directory "dir" that
 * holds "file" too; removed by the test's parent. */
static char work_dir[sizeof("/tmp/slirpd-test-XXXXXX")];

static int
make_work_dir(void **state)
{
	int fd;

	(void)state;
	strcpy(work_dir, "/tmp/slirpd-test-XXXXXX");
	if (!mkdtemp(work_dir) || chdir(work_dir) == -1 || mkdir("dir", 0700) == -1)
		return -1;
	for (int i = 0; i < 2; i++) {
		fd = open(i ? "dir/file" : "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd == -1 || write(fd, "content", 7) != 7)
			return -1;
		close(fd);
	}
	return 0;
}

static int
remove_work_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", work_dir);
	return chdir("/") == 0 ? system(command) : -1;
}

/* Restricts with what every role has, and says what was reached. */
static int
restrict_with(int writable_dir_fd, unsigned int deny)
{
	int abi;

	CHECK(confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == 0);
	abi = confine_landlock_restrict(writable_dir_fd, deny);
	CHECK(abi >= 0 && abi <= confine_landlock_abi());
	CHECK(abi <= CONFINE_LANDLOCK_ABI_KNOWN);
	return abi;
}

static int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

static void
check_everything_works(void)
{
	CHECK(try_open("file", O_RDONLY) == 0);
	CHECK(try_open("file", O_WRONLY) == 0);
	CHECK(try_open("dir", O_RDONLY | O_DIRECTORY) == 0);
	CHECK(try_open("new", O_WRONLY | O_CREAT) == 0);
	CHECK(rename("new", "newer") == 0 && unlink("newer") == 0);
	CHECK(mkdir("made", 0700) == 0 && rmdir("made") == 0);
	CHECK(symlink("file", "link") == 0 && unlink("link") == 0);
	CHECK(mknod("fifo", S_IFIFO | 0600, 0) == 0 && unlink("fifo") == 0);
	CHECK(truncate("file", 7) == 0);
}

static void
check_nothing_changes(int abi)
{
	CHECK_FAILS(try_open("file", O_WRONLY), EACCES);
	CHECK_FAILS(try_open("new", O_WRONLY | O_CREAT), EACCES);
	CHECK_FAILS(rename("file", "other"), EACCES);
	CHECK_FAILS(unlink("file"), EACCES);
	CHECK_FAILS(mkdir("made", 0700), EACCES);
	CHECK_FAILS(rmdir("dir"), EACCES);
	CHECK_FAILS(symlink("file", "link"), EACCES);
	CHECK_FAILS(mknod("fifo", S_IFIFO | 0600, 0), EACCES);
	CHECK_FAILS(rename("file", "dir/file"), EACCES);
	CHECK_FAILS(link("file", "link"), EACCES);
	if (abi >= 3)
		CHECK_FAILS(truncate("file", 1), EACCES);
}

IN_CHILD(test_nothing_by_a_path)
{
	int file_fd = open("file", O_RDWR | O_CLOEXEC);
	char byte;
	int abi;

	check_everything_works();
	CHECK(file_fd != -1);
	abi = restrict_with(-1, 0);
	if (abi == 0) {
		check_everything_works();
		return;
	}
	check_nothing_changes(abi);
	CHECK_FAILS(try_open("file", O_RDONLY), EACCES);
	CHECK_FAILS(try_open("dir", O_RDONLY | O_DIRECTORY), EACCES);
	CHECK_FAILS(try_open("/dev/null", O_RDWR), EACCES);
	CHECK_FAILS(try_open("/etc/passwd", O_RDONLY), EACCES);
	CHECK_FAILS(execl("/bin/true", "true", (char *)NULL), EACCES);
	/* What was open stays open. */
	CHECK(read(file_fd, &byte, 1) == 1 && write(file_fd, &byte, 1) == 1);
}

/* Files that exist may be written there, and no more. */
IN_CHILD(test_directory_whose_files_can_be_written)
{
	int dir_fd = open("dir", O_PATH | O_CLOEXEC);
	int abi;

	CHECK(dir_fd != -1);
	abi = restrict_with(dir_fd, 0);
	CHECK(fcntl(dir_fd, F_GETFD) == FD_CLOEXEC); /* borrowed */
	CHECK(try_open("dir/file", O_WRONLY) == 0);
	if (abi == 0)
		return;
	check_nothing_changes(abi);
	CHECK_FAILS(try_open("dir/file", O_RDWR), EACCES);
	CHECK_FAILS(try_open("dir/new", O_WRONLY | O_CREAT), EACCES);
	CHECK_FAILS(unlink("dir/file"), EACCES);
	CHECK_FAILS(try_open("dir/../file", O_WRONLY), EACCES);
}

IN_CHILD(test_bad_descriptor_restricts_nothing)
{
	/* No call takes so high a number. */
	const int closed_fd = 1000;

	if (confine_landlock_abi() == 0)
		return;
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == 0);
	CHECK_FAILS(confine_landlock_restrict(closed_fd, 0), EBADF);
	check_everything_works();
}

IN_CHILD(test_needs_no_new_privs)
{
	if (confine_landlock_abi() == 0)
		return;
	CHECK(confine_caps_drop() == 0);
	CHECK_FAILS(confine_landlock_restrict(-1, 0), EPERM);
	check_everything_works();
	CHECK(restrict_with(-1, 0) > 0);
}

IN_CHILD(test_mounts_are_refused)
{
	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/tmp", "tmpfs", 0, NULL) == 0);
	if (restrict_with(-1, 0) == 0)
		return;
	CHECK_FAILS(mount("test", "/tmp", "tmpfs", 0, NULL), EPERM);
	CHECK_FAILS(umount2("/tmp", MNT_DETACH), EPERM);
}

/* --- kernels without it ------------------------------------------------------------ */

/* From now on landlock_create_ruleset(2) fails with error. */
static void
refuse_rulesets(unsigned int error)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_CREATE_RULESET, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	CHECK(confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == 0);
	CHECK(confine_seccomp_install(filter, sizeof(filter) / sizeof(filter[0]), NULL) ==
	    0);
}

IN_CHILD(test_not_built_in)
{
	refuse_rulesets(ENOSYS);
	CHECK(confine_landlock_abi() == 0);
	CHECK(restrict_with(-1, CONFINE_LANDLOCK_DENY_TCP) == 0);
	check_everything_works();
}

IN_CHILD(test_switched_off_at_boot)
{
	refuse_rulesets(EOPNOTSUPP);
	CHECK(restrict_with(-1, CONFINE_LANDLOCK_DENY_TCP) == 0);
	check_everything_works();
}

IN_CHILD(test_foreign_filter_is_not_taken_for_an_old_kernel)
{
	refuse_rulesets(EPERM);
	CHECK_FAILS(confine_landlock_abi(), EPERM);
	CHECK_FAILS(confine_landlock_restrict(-1, 0), EPERM);
}

/* --- TCP ---------------------------------------------------------------------------- */

static int
try_inet(int type, bool listen_to)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = listen_to ? 0 : htons(1),
		.sin_addr.s_addr = htonl(listen_to ? INADDR_ANY : INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int result;

	CHECK(fd != -1);
	result = listen_to ? bind(fd, (struct sockaddr *)&address, sizeof(address))
			   : connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result;
}

IN_CHILD(test_tcp_stays_where_it_is_needed)
{
	restrict_with(-1,
	    CONFINE_LANDLOCK_DENY_SIGNALS | CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX);
	CHECK(try_inet(SOCK_STREAM, true) == 0);
	CHECK(try_inet(SOCK_STREAM, false) == -1);
	CHECK(errno == ECONNREFUSED || errno == ENETUNREACH);
}

IN_CHILD(test_tcp_is_denied)
{
	CHECK(try_inet(SOCK_STREAM, true) == 0);
	if (restrict_with(-1, CONFINE_LANDLOCK_DENY_TCP) < ABI_TCP)
		return;
	CHECK_FAILS(try_inet(SOCK_STREAM, true), EACCES);
	CHECK_FAILS(try_inet(SOCK_STREAM, false), EACCES);
	CHECK(try_inet(SOCK_DGRAM, true) == 0);
}

/* --- signals and abstract UNIX sockets ---------------------------------------------- */

/* A process that echoes what it reads from *fd, and ends when there is nobody to write,
 * or, as told by PR_SET_PDEATHSIG, when its parent ends. */
static pid_t
start_sibling(int *fd)
{
	int pair[2];
	char byte = 0;
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	CHECK(pid != -1);
	if (pid == 0) {
		close(pair[0]);
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		do {
			CHECK(write(pair[1], &byte, 1) == 1);
		} while (read(pair[1], &byte, 1) == 1);
		_exit(0);
	}
	close(pair[1]);
	CHECK(read(pair[0], &byte, 1) == 1);
	*fd = pair[0];
	return pid;
}

IN_CHILD(test_signals_stay_inside)
{
	int fd, abi;
	pid_t pid = start_sibling(&fd);

	CHECK(kill(pid, 0) == 0);
	abi = restrict_with(-1, CONFINE_LANDLOCK_DENY_SIGNALS);
	CHECK(kill(getpid(), 0) == 0);
	if (abi >= ABI_SCOPES)
		CHECK_FAILS(kill(pid, SIGKILL), EPERM);
	else
		CHECK(kill(pid, SIGKILL) == 0);
}

IN_CHILD(test_signals_stay_where_they_are_needed)
{
	int fd;
	pid_t pid = start_sibling(&fd);

	restrict_with(-1,
	    CONFINE_LANDLOCK_DENY_TCP | CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

/* Whether a process that asked for it is killed when its parent ends, which has denied
 * itself what `deny` says after it was started. */
static bool
dies_with_parent(unsigned int deny)
{
	char byte = 0;
	int pair[2], status;
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	CHECK(pid != -1);
	if (pid == 0) {
		int fd;

		close(pair[0]);
		start_sibling(&fd);
		/* The sibling's end goes to the test, which then alone keeps it alive. */
		send_fd(pair[1], fd);
		restrict_with(-1, deny);
		_exit(0);
	}
	close(pair[1]);
	int fd = receive_fd(pair[0]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* The signal was sent before its parent could be waited for. */
	bool is_alive = send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && read(fd, &byte, 1) == 1;
	close(fd);
	close(pair[0]);
	return !is_alive;
}

/* What the header warns of. */
IN_CHILD(test_death_signal_is_a_signal)
{
	CHECK(dies_with_parent(CONFINE_LANDLOCK_DENY_TCP));
	if (confine_landlock_abi() >= ABI_SCOPES)
		CHECK(!dies_with_parent(CONFINE_LANDLOCK_DENY_SIGNALS));
}

static int
try_abstract(const struct sockaddr_un *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	CHECK(fd != -1);
	result = connect(fd, (const struct sockaddr *)address, len);
	close(fd);
	return result;
}

IN_CHILD(test_abstract_sockets_stay_inside)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa_family_t); /* the kernel chooses a name */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd != -1 && bind(fd, (struct sockaddr *)&address, len) == 0);
	len = sizeof(address);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	CHECK(listen(fd, 4) == 0);
	CHECK(try_abstract(&address, len) == 0);
	if (restrict_with(-1, CONFINE_LANDLOCK_DENY_TCP | CONFINE_LANDLOCK_DENY_SIGNALS) >
	    0)
		CHECK(try_abstract(&address, len) == 0);
	if (restrict_with(-1, CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX) >= ABI_SCOPES)
		CHECK_FAILS(try_abstract(&address, len), EPERM);
}

int
run_landlock_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_by_a_path),
		cmocka_unit_test(test_directory_whose_files_can_be_written),
		cmocka_unit_test(test_bad_descriptor_restricts_nothing),
		cmocka_unit_test(test_needs_no_new_privs),
		cmocka_unit_test(test_not_built_in),
		cmocka_unit_test(test_switched_off_at_boot),
		cmocka_unit_test(test_foreign_filter_is_not_taken_for_an_old_kernel),
		cmocka_unit_test(test_tcp_stays_where_it_is_needed),
		cmocka_unit_test(test_tcp_is_denied),
		cmocka_unit_test(test_signals_stay_inside),
		cmocka_unit_test(test_signals_stay_where_they_are_needed),
		cmocka_unit_test(test_death_signal_is_a_signal),
		cmocka_unit_test(test_abstract_sockets_stay_inside),
	};
	const struct CMUnitTest tests_with_namespaces[] = {
		cmocka_unit_test(test_mounts_are_refused),
	};
	int n_failed = cmocka_run_group_tests_name("landlock", tests, make_work_dir,
	    remove_work_dir);

	if (setting != SETTING_BARRED)
		n_failed += cmocka_run_group_tests_name("landlock in own namespaces",
		    tests_with_namespaces, NULL, NULL);
	return n_failed;
}
