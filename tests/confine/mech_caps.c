/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities and ids: gone, and not to be had again. */
#include "mechanisms.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/caps.h"
#include "confine/namespaces.h"

/* Debian's nobody, as --runas has it. */
#define NOBODY_ID 65534

#define LOCKED_SECUREBITS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | \
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

int
print_caps(void)
{
	struct confine_caps caps;

	if (confine_caps_query(&caps) == -1)
		return 2;
	return caps.effective == 0 && caps.permitted == 0 ? 0 : 1;
}

/* What the kernel itself shows, without the library. */
static uint64_t
status_caps(const char *name)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long set = 0;
	char line[128];
	bool found = false;

	CHECK(status != NULL);
	while (!found && fgets(line, sizeof(line), status)) {
		if (strncmp(line, name, strlen(name)) == 0)
			found = sscanf(line + strlen(name), ":%llx", &set) == 1;
	}
	fclose(status);
	CHECK(found);
	return set;
}

static void
check_query(void)
{
	struct confine_caps caps;

	CHECK(confine_caps_query(&caps) == 0);
	CHECK(caps.effective == status_caps("CapEff"));
	CHECK(caps.permitted == status_caps("CapPrm"));
	CHECK(caps.inheritable == status_caps("CapInh"));
	CHECK(caps.bounding == status_caps("CapBnd"));
	CHECK(caps.ambient == status_caps("CapAmb"));
}

static void
check_empty(void)
{
	struct confine_caps caps;

	CHECK(confine_caps_query(&caps) == 0);
	CHECK(caps.effective == 0 && caps.permitted == 0 && caps.inheritable == 0);
	CHECK(caps.ambient == 0 && caps.bounding == 0);
}

IN_CHILD(test_query_is_what_proc_shows)
{
	check_query();
	CHECK(confine_caps_drop() == 0);
	check_query();
}

IN_CHILD(test_query_works_without_proc)
{
	struct confine_caps before, after;

	enter_own(CLONE_NEWNS);
	CHECK(confine_caps_query(&before) == 0 && before.effective != 0);
	CHECK(mount("test", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(confine_caps_query(&after) == 0);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	/* Nor does taking them need it. */
	CHECK(confine_caps_drop() == 0);
	check_empty();
}

IN_CHILD(test_nothing_works_after_drop)
{
	int own_fd;

	enter_own(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET);
	own_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	CHECK(own_fd != -1);
	/* The control: with capabilities it works. */
	CHECK(mount("test", "/tmp", "tmpfs", 0, NULL) == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(setns(own_fd, CLONE_NEWUTS) == 0);
	CHECK(sethostname("jail", 4) == 0);
	CHECK(chroot("/") == 0);
	CHECK(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP) != -1);
	CHECK(confine_caps_drop() == 0);
	check_empty();
	CHECK_FAILS(mount("test", "/tmp", "tmpfs", 0, NULL), EPERM);
	CHECK_FAILS(umount2("/tmp", MNT_DETACH), EPERM);
	CHECK_FAILS(unshare(CLONE_NEWNS), EPERM);
	CHECK_FAILS(setns(own_fd, CLONE_NEWUTS), EPERM);
	CHECK_FAILS(sethostname("other", 5), EPERM);
	CHECK_FAILS(chroot("/"), EPERM);
	CHECK_FAILS(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), EPERM);
}

IN_CHILD(test_nothing_can_be_raised_again)
{
	struct {
		struct __user_cap_header_struct header;
		struct __user_cap_data_struct data[2];
	} sets = { .header = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	enter_own(CLONE_NEWNS);
	/* The control: an inheritable capability can be made ambient. */
	CHECK(syscall(SYS_capget, &sets.header, sets.data) == 0);
	sets.data[0].inheritable = 1 << CAP_CHOWN;
	CHECK(syscall(SYS_capset, &sets.header, sets.data) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
	CHECK(confine_caps_drop() == 0);
	check_empty();
	CHECK_FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
	CHECK_FAILS(syscall(SYS_capset, &sets.header, sets.data), EPERM);
	CHECK(prctl(PR_GET_SECUREBITS) == LOCKED_SECUREBITS);
	CHECK_FAILS(prctl(PR_SET_SECUREBITS, 0), EPERM);
	CHECK_FAILS(prctl(PR_SET_KEEPCAPS, 1), EPERM);
}

IN_CHILD(test_reduce_keeps_what_is_there_and_gives_nothing)
{
	const uint64_t kept = CONFINE_CAP_BIT(CAP_KILL);
	struct confine_caps caps;

	enter_own(CLONE_NEWNS);
	CHECK(confine_caps_reduce(kept) == 0);
	CHECK(confine_caps_query(&caps) == 0);
	CHECK(caps.effective == kept && caps.permitted == kept);
	CHECK(caps.bounding == 0 && caps.inheritable == 0 && caps.ambient == 0);
	CHECK(prctl(PR_GET_SECUREBITS) == LOCKED_SECUREBITS);
	/* What is gone is not given back, and is no error: no caller has everything. */
	CHECK(confine_caps_reduce(kept | CONFINE_CAP_BIT(CAP_CHOWN)) == 0);
	CHECK(confine_caps_query(&caps) == 0);
	CHECK(caps.effective == kept && caps.permitted == kept);
	CHECK(confine_caps_drop() == 0);
	check_empty();
}

static void
empty_sets_by_hand(void)
{
	struct {
		struct __user_cap_header_struct header;
		struct __user_cap_data_struct data[2];
	} sets = { .header = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	CHECK(syscall(SYS_capset, &sets.header, sets.data) == 0);
}

static void
become_root_inside(void)
{
	const struct confine_ids root = { .uid = 0, .gid = 0 };

	CHECK(confine_ns_own(CLONE_NEWUSER, &root, NULL) == 0);
}

/* exec of this program, which then says by its status whether it has capabilities. */
static _Noreturn void
exec_print_caps(void)
{
	execl("/proc/self/exe", "test_mechanisms", "print-caps", (char *)NULL);
	check_failed(__FILE__, __LINE__, "exec");
}

static void
exec_after_empty_sets(void)
{
	become_root_inside();
	empty_sets_by_hand();
	exec_print_caps();
}

static void
exec_after_drop(void)
{
	become_root_inside();
	CHECK(confine_caps_drop() == 0);
	exec_print_caps();
}

static void
test_exec_by_uid_0_gives_nothing_back(void **state)
{
	(void)state;
	/* The control: bounding set and securebits as they were, exec gives all. */
	assert_int_equal(run_in_child(exec_after_empty_sets), 1 << 8);
	assert_int_equal(run_in_child(exec_after_drop), 0);
}

/* An ordinary user without CAP_SETPCAP: where no user namespace could be made. */
IN_CHILD(test_drop_without_setpcap)
{
	struct confine_caps before, after;

	if (setting == SETTING_PRIVILEGED)
		empty_sets_by_hand();
	CHECK(confine_caps_query(&before) == 0);
	CHECK(confine_caps_drop() == 0);
	CHECK(confine_caps_query(&after) == 0);
	CHECK(after.effective == 0 && after.permitted == 0 && after.inheritable == 0);
	CHECK(after.ambient == 0);
	if (!(before.effective & CONFINE_CAP_BIT(CAP_SETPCAP)))
		CHECK(after.bounding == before.bounding);
	else
		CHECK(after.bounding == 0);
}

IN_CHILD(test_keep_refuses_root_and_the_unprivileged)
{
	const uint64_t keep = CONFINE_CAP_BIT(CAP_NET_BIND_SERVICE);

	CHECK_FAILS(confine_caps_keep(keep, 0, NOBODY_ID), EINVAL);
	CHECK_FAILS(confine_caps_keep(keep, NOBODY_ID, 0), EINVAL);
	CHECK_FAILS(confine_caps_keep(keep, (uid_t)-1, NOBODY_ID), EINVAL);
	empty_sets_by_hand();
	CHECK_FAILS(confine_caps_keep(keep, NOBODY_ID, NOBODY_ID), EPERM);
}

static int
bind_port_80(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	CHECK(fd != -1);
	result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result;
}

/* Real root, --runas nobody. */
IN_CHILD(test_keep_one_capability_as_nobody)
{
	const uint64_t keep = CONFINE_CAP_BIT(CAP_NET_BIND_SERVICE);
	const gid_t groups[] = { 0, 4, 27 };
	struct confine_caps caps;
	uid_t uids[3];
	gid_t gids[3];

	CHECK(setgroups(3, groups) == 0);
	enter_own(CLONE_NEWNS | CLONE_NEWNET);
	CHECK(confine_caps_keep(keep, NOBODY_ID, NOBODY_ID) == 0);
	CHECK(getresuid(&uids[0], &uids[1], &uids[2]) == 0);
	CHECK(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(uids[i] == NOBODY_ID && gids[i] == NOBODY_ID);
	CHECK(getgroups(0, NULL) == 0);
	CHECK(confine_caps_query(&caps) == 0);
	CHECK(caps.effective == keep && caps.permitted == keep);
	CHECK(caps.inheritable == 0 && caps.ambient == 0 && caps.bounding == 0);
	CHECK(prctl(PR_GET_SECUREBITS) == LOCKED_SECUREBITS);
	CHECK(bind_port_80() == 0);
	CHECK_FAILS(mount("test", "/tmp", "tmpfs", 0, NULL), EPERM);
	CHECK_FAILS(setresuid(0, 0, 0), EPERM);
	CHECK_FAILS(setgroups(3, groups), EPERM);
	/* And nothing kept, which is the control for the port. */
	CHECK(confine_caps_drop() == 0);
	CHECK_FAILS(bind_port_80(), EACCES);
}

IN_CHILD(test_keep_nothing_as_nobody)
{
	enter_own(CLONE_NEWNET);
	CHECK(bind_port_80() == 0);
	CHECK(confine_caps_keep(0, NOBODY_ID, NOBODY_ID) == 0);
	check_empty();
	CHECK_FAILS(bind_port_80(), EACCES);
}

int
run_caps_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_is_what_proc_shows),
		cmocka_unit_test(test_drop_without_setpcap),
		cmocka_unit_test(test_keep_refuses_root_and_the_unprivileged),
	};
	const struct CMUnitTest tests_with_namespaces[] = {
		cmocka_unit_test(test_query_works_without_proc),
		cmocka_unit_test(test_nothing_works_after_drop),
		cmocka_unit_test(test_nothing_can_be_raised_again),
		cmocka_unit_test(test_reduce_keeps_what_is_there_and_gives_nothing),
		cmocka_unit_test(test_exec_by_uid_0_gives_nothing_back),
	};
	const struct CMUnitTest tests_of_root[] = {
		cmocka_unit_test(test_keep_one_capability_as_nobody),
		cmocka_unit_test(test_keep_nothing_as_nobody),
	};
	int n_failed = cmocka_run_group_tests_name("caps", tests, NULL, NULL);

	if (setting != SETTING_BARRED)
		n_failed += cmocka_run_group_tests_name("caps in own namespaces",
		    tests_with_namespaces, NULL, NULL);
	if (setting == SETTING_PRIVILEGED && is_real_root())
		n_failed += cmocka_run_group_tests_name("caps, real root", tests_of_root,
		    NULL, NULL);
	return n_failed;
}
