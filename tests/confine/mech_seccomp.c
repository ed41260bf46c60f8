/* SPDX-License-Identifier: BSD-2-Clause */
/* The installing of a filter; what is in one is not this library's matter. */
#include "mechanisms.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/caps.h"
#include "confine/limits.h"
#include "confine/seccomp.h"

/* The low half of an argument, which is where these arguments have their bits. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARG_LOW(n) (uint32_t) offsetof(struct seccomp_data, args[n])
#else
#define ARG_LOW(n) (uint32_t)(offsetof(struct seccomp_data, args[n]) + 4)
#endif

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define SKIP_UNLESS(value, n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (n))
#define SKIP_IF_SET(bits, n) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), (n), 0)
#define SKIP_UNLESS_SET(bits, n) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), 0, (n))

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* uname(2) is refused with EXDEV, which it never gives itself. */
static const struct sock_filter refuse_uname[] = {
	LOAD(offsetof(struct seccomp_data, nr)),
	SKIP_UNLESS(SYS_uname, 1),
	RETURN(SECCOMP_RET_ERRNO | EXDEV),
	RETURN(SECCOMP_RET_ALLOW),
};

static const struct sock_filter kill_at_uname[] = {
	LOAD(offsetof(struct seccomp_data, nr)),
	SKIP_UNLESS(SYS_uname, 1),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	RETURN(SECCOMP_RET_ALLOW),
};

/* A kernel before 4.14: seccomp(2) knows no SECCOMP_FILTER_FLAG_LOG. */
static const struct sock_filter refuse_log_flag[] = {
	LOAD(offsetof(struct seccomp_data, nr)),
	SKIP_UNLESS(SYS_seccomp, 3),
	LOAD(ARG_LOW(1)),
	SKIP_UNLESS_SET(SECCOMP_FILTER_FLAG_LOG, 1),
	RETURN(SECCOMP_RET_ERRNO | EINVAL),
	RETURN(SECCOMP_RET_ALLOW),
};

/* Only with that flag. */
static const struct sock_filter demand_log_flag[] = {
	LOAD(offsetof(struct seccomp_data, nr)),
	SKIP_UNLESS(SYS_seccomp, 3),
	LOAD(ARG_LOW(1)),
	SKIP_IF_SET(SECCOMP_FILTER_FLAG_LOG, 1),
	RETURN(SECCOMP_RET_ERRNO | EPERM),
	RETURN(SECCOMP_RET_ALLOW),
};

static void
set_no_new_privs(void)
{
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == 0);
}

IN_CHILD(test_filter_refuses)
{
	struct utsname name;
	int n_before = confine_seccomp_query();

	/* A container manager may have put one there already. */
	CHECK(n_before == SECCOMP_MODE_DISABLED || n_before == SECCOMP_MODE_FILTER);
	CHECK(uname(&name) == 0);
	set_no_new_privs();
	CHECK(confine_seccomp_install(refuse_uname, LEN(refuse_uname), NULL) == 0);
	CHECK(confine_seccomp_query() == SECCOMP_MODE_FILTER);
	CHECK_FAILS(uname(&name), EXDEV);
}

static void
die_at_uname(void)
{
	struct utsname name;

	set_no_new_privs();
	CHECK(confine_seccomp_install(kill_at_uname, LEN(kill_at_uname), NULL) == 0);
	uname(&name);
}

static void
test_filter_kills(void **state)
{
	int status = run_in_child(die_at_uname);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

IN_CHILD(test_filter_needs_no_new_privs)
{
	struct utsname name;

	CHECK(confine_caps_drop() == 0);
	CHECK_FAILS(confine_seccomp_install(refuse_uname, LEN(refuse_uname), NULL),
	    EACCES);
	CHECK(uname(&name) == 0);
}

IN_CHILD(test_bad_filter)
{
	static struct sock_filter long_filter[BPF_MAXINSNS + 1];
	const struct sock_filter no_return[] = { LOAD(0) };
	int mode = confine_seccomp_query();

	for (size_t i = 0; i < LEN(long_filter); i++)
		long_filter[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	set_no_new_privs();
	CHECK_FAILS(confine_seccomp_install(refuse_uname, 0, NULL), EINVAL);
	CHECK_FAILS(confine_seccomp_install(long_filter, LEN(long_filter), NULL), EINVAL);
	/* Its length modulo 65536 would be that of a good one. */
	CHECK_FAILS(confine_seccomp_install(refuse_uname, 65536 + LEN(refuse_uname),
			NULL),
	    EINVAL);
	CHECK_FAILS(confine_seccomp_install(no_return, 1, NULL), EINVAL);
	CHECK(confine_seccomp_query() == mode);
	CHECK(confine_seccomp_install(long_filter, BPF_MAXINSNS, NULL) == 0);
}

IN_CHILD(test_log_flag_is_used)
{
	struct utsname name;

	set_no_new_privs();
	CHECK(confine_seccomp_install(demand_log_flag, LEN(demand_log_flag), NULL) == 0);
	CHECK(confine_seccomp_install(refuse_uname, LEN(refuse_uname), NULL) == 0);
	CHECK_FAILS(uname(&name), EXDEV);
}

IN_CHILD(test_kernel_without_log_flag)
{
	struct utsname name;

	set_no_new_privs();
	CHECK(confine_seccomp_install(refuse_log_flag, LEN(refuse_log_flag), NULL) == 0);
	CHECK(confine_seccomp_install(refuse_uname, LEN(refuse_uname), NULL) == 0);
	CHECK_FAILS(uname(&name), EXDEV);
}

int
run_seccomp_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_refuses),
		cmocka_unit_test(test_filter_kills),
		cmocka_unit_test(test_filter_needs_no_new_privs),
		cmocka_unit_test(test_bad_filter),
		cmocka_unit_test(test_log_flag_is_used),
		cmocka_unit_test(test_kernel_without_log_flag),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
