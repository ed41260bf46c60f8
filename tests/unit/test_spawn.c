/* SPDX-License-Identifier: BSD-2-Clause */
/* parent/spawn: the text about a child that has ended. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "ipc/describe.h"
#include "parent/supervise/spawn.h"

/* wait(2): an exit status is in the second byte, a signal in the first. */
#define EXITED(status) ((status) << 8)
#define CORE_DUMPED 0x80

static const char *
describe(int wait_status, bool in_service, uint32_t last_message)
{
	static char text[256];
	const struct child child = {
		.role = &roles[IPC_ROLE_SLIRP_WORKER],
		.started_ms = 1000,
		.last_message = last_message,
	};

	parent_describe_exit(&child, wait_status, in_service, 13045, text, sizeof(text));
	return text;
}

static void
test_exit_is_told_by_its_status(void **state)
{
	(void)state;
	assert_string_equal(describe(EXITED(1), true, IPC_MSG_ready),
	    "slirp-worker exited with status 1");
	assert_string_equal(describe(EXITED(124), false, IPC_MSG_N),
	    "program slirpd-slirp-worker can't be executed");
	assert_string_equal(describe(EXITED(127), false, IPC_MSG_N),
	    "the libraries of slirpd-slirp-worker can't be loaded: one is missing, or the "
	    "memory for them");
	assert_string_equal(describe(EXITED(126), false, IPC_MSG_N),
	    "slirp-worker can't have its descriptors: the limit on open files is too "
	    "low");
}

static void
test_signal_is_told_with_the_last_state(void **state)
{
	(void)state;
	assert_string_equal(describe(SIGSYS, true, IPC_MSG_ready),
	    "slirp-worker was killed by SIGSYS 12.045 s after its start, in service; "
	    "its last message was ready");
	assert_string_equal(describe(SIGSEGV | CORE_DUMPED, false, IPC_MSG_about),
	    "slirp-worker was killed by SIGSEGV (core dumped) 12.045 s after its start, "
	    "before service; its last message was about");
	assert_string_equal(describe(SIGRTMAX, false, IPC_MSG_N),
	    "slirp-worker was killed by signal 64 12.045 s after its start, before "
	    "service; its last message was none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_is_told_by_its_status),
		cmocka_unit_test(test_signal_is_told_with_the_last_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
