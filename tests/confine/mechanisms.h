/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of src/confine share. Each test body runs in a child of its own, because
 * a mechanism can't be undone; a check that fails there is printed and ends the child.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How own namespaces are made in this run, by the program's first argument. */
enum setting {
	SETTING_OWN_USERNS, /* with a user namespace: anybody */
	SETTING_PRIVILEGED, /* without: the caller has CAP_SYS_ADMIN */
	SETTING_BARRED,     /* not at all */
};

extern enum setting setting;

/* With SETTING_BARRED: what confine_ns_own() must say. */
extern int barred_errno;
extern const char *barred_why;

/* Adds CLONE_NEWUSER to flags where the setting wants it, and does it. */
void enter_own(int flags);

/* Whether this is uid 0 of the machine's own user namespace. */
bool is_real_root(void);

/* Passes a descriptor over a UNIX socket, with one byte. */
void send_fd(int socket_fd, int fd);
int receive_fd(int socket_fd);

/* Runs body in a child; what it returns with waitpid(2). */
int run_in_child(void (*body)(void));

/* A test whose body runs in a child, where CHECK is used. */
#define IN_CHILD(name) \
	static void name##_body(void); \
	static void name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(run_in_child(name##_body), 0); \
	} \
	static void name##_body(void)

_Noreturn void check_failed(const char *file, int line, const char *what);

#define CHECK(condition) \
	((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* call returns -1 and sets errno to error. */
#define CHECK_FAILS(call, error) \
	do { \
		errno = 0; \
		CHECK((call) == -1); \
		CHECK(errno == (error)); \
	} while (0)

/* The groups; each returns the number of its failed tests. */
int run_namespaces_tests(void);
int run_barred_tests(void);
int run_mountns_tests(void);
int run_caps_tests(void);
int run_limits_tests(void);
int run_landlock_tests(void);
int run_seccomp_tests(void);

/* What the program does as "test_mechanisms print-caps": exit status 0 if it has none. */
int print_caps(void);
