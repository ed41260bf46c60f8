/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/uml_xstate.c, on any processor: the kernel refuses a part of the extended registers
 * also where it is the test that leaves the rest out. The rest stays as it was.
 */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The program's own; libc's header would declare another type for the request. */
long ptrace(int request, ...);

#define XSAVE_CPUID_LEAF 0xd
#define XMM0_OFFSET 160
#define IN_USE_OFFSET 512
#define HEADER_END 576
/* Upper halves of the AVX registers. */
#define AVX_COMPONENT 2
#define AVX_LEN 256
#define SSE_IN_USE 0x2u
#define AVX_IN_USE 0x4u
/* As there: more than any processor's. */
#define STATE_MAX 32768

struct traced {
	pid_t pid;
	size_t len; /* of the whole state */
	unsigned int avx_offset;
};

static long
get(pid_t pid, void *buf, size_t *len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = *len };
	long done = ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)NT_X86_XSTATE, &iov);

	*len = iov.iov_len;
	return done;
}

static long
set(pid_t pid, void *buf, size_t len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };

	return ptrace(PTRACE_SETREGSET, pid, (void *)(uintptr_t)NT_X86_XSTATE, &iov);
}

static void
mark_in_use(uint8_t *state, uint64_t components)
{
	uint64_t in_use;

	memcpy(&in_use, state + IN_USE_OFFSET, sizeof(in_use));
	in_use |= components;
	memcpy(state + IN_USE_OFFSET, &in_use, sizeof(in_use));
}

static uint8_t before[STATE_MAX], after[STATE_MAX];

/* A stopped child whose first AVX register is all 0x11. */
static int
start_child(void **state)
{
	static struct traced traced;
	unsigned int size = 0, ecx, edx;
	int status;

	/* The registers of a processor without it have always fitted. */
	assert_true(__get_cpuid_count(XSAVE_CPUID_LEAF, AVX_COMPONENT, &size,
	    &traced.avx_offset, &ecx, &edx));
	assert_int_equal(size, AVX_LEN);
	traced.pid = fork();
	assert_return_code(traced.pid, errno);
	if (traced.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			raise(SIGSTOP);
		_exit(1);
	}
	*state = &traced;
	assert_int_equal(waitpid(traced.pid, &status, 0), traced.pid);
	assert_true(WIFSTOPPED(status));

	traced.len = sizeof(before);
	assert_return_code(get(traced.pid, before, &traced.len), errno);
	memset(before + XMM0_OFFSET, 0x11, 16);
	memset(before + traced.avx_offset, 0x11, 16);
	mark_in_use(before, SSE_IN_USE | AVX_IN_USE);
	assert_return_code(set(traced.pid, before, traced.len), errno);
	return 0;
}

static int
end_child(void **state)
{
	const struct traced *traced = *state;

	if (traced) {
		kill(traced->pid, SIGKILL);
		waitpid(traced->pid, NULL, 0);
	}
	return 0;
}

static void
test_part_is_set_and_rest_stays(void **state)
{
	const struct traced *traced = *state;
	struct iovec part = { .iov_base = after, .iov_len = HEADER_END };
	uint64_t in_use = SSE_IN_USE;
	size_t len = sizeof(after);

	memcpy(after, before, HEADER_END);
	memset(after + XMM0_OFFSET, 0x22, 16);
	memcpy(after + IN_USE_OFFSET, &in_use, sizeof(in_use));
	errno = 0;
	assert_int_equal(syscall(SYS_ptrace, PTRACE_SETREGSET, traced->pid, NT_X86_XSTATE,
			     &part),
	    -1);
	assert_int_equal(errno, EFAULT);
	assert_return_code(set(traced->pid, after, HEADER_END), errno);

	memset(after, 0, sizeof(after));
	assert_return_code(get(traced->pid, after, &len), errno);
	assert_int_equal(len, traced->len);
	memset(before + XMM0_OFFSET, 0x22, 16);
	assert_memory_equal(after + XMM0_OFFSET, before + XMM0_OFFSET, 16);
	assert_memory_equal(after + traced->avx_offset, before + traced->avx_offset, 16);
}

/* On a processor with nothing but AVX it is the whole. */
static void
test_component_in_the_part_is_set(void **state)
{
	const struct traced *traced = *state;
	const size_t part_len = traced->avx_offset + AVX_LEN;
	const uint64_t in_use[] = { SSE_IN_USE | AVX_IN_USE, SSE_IN_USE };
	/* What is not in use reads as 0. */
	const uint8_t expected[] = { 0x33, 0 };

	for (int i = 0; i < 2; i++) {
		uint8_t *avx = after + traced->avx_offset;
		size_t len = sizeof(after);

		memcpy(after, before, part_len);
		memset(avx, 0x33, 16);
		memcpy(after + IN_USE_OFFSET, &in_use[i], sizeof(in_use[i]));
		assert_return_code(set(traced->pid, after, part_len), errno);
		memset(after, 0x44, sizeof(after));
		assert_return_code(get(traced->pid, after, &len), errno);
		for (int j = 0; j < 16; j++)
			assert_int_equal(avx[j], expected[i]);
	}
}

static void
test_less_than_a_header_is_still_refused(void **state)
{
	const struct traced *traced = *state;

	errno = 0;
	assert_int_equal(set(traced->pid, before, HEADER_END - 8), -1);
	assert_int_equal(errno, EFAULT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_part_is_set_and_rest_stays,
		    start_child, end_child),
		cmocka_unit_test_setup_teardown(test_component_in_the_part_is_set,
		    start_child, end_child),
		cmocka_unit_test_setup_teardown(test_less_than_a_header_is_still_refused,
		    start_child, end_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
