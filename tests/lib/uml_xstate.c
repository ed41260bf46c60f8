/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into User Mode Linux, for processors whose extended registers don't fit in the
 * 2696 bytes that Linux 6.1's has for a process's: with those of AMX they are 11008. The host
 * takes the registers whole or not at all, so it refuses what UML sets with EFAULT, and UML
 * stops. Here what UML has is put into what the process has, and the whole of it is set.
 *
 * The layout is that of XSAVE in its standard form (Intel's manual, volume 1, 13.4): 512 bytes
 * of FXSAVE, a header whose first word says which components are in use, and components where
 * CPUID says.
 */
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#define XSAVE_CPUID_LEAF 0xd
#define IN_USE_OFFSET 512
#define FIRST_OFFSET 576
/* x87 and SSE are in what FXSAVE has; bit 63 is no component. */
#define FXSAVE_COMPONENTS 0x3u
#define FIRST_COMPONENT 2
#define COMPONENT_END 63

/* AMX's 11008 bytes, and room for what comes next. */
#define WHOLE_MAX 32768

/* UML's kernel stacks are too small for it, and one process's registers are set at a time. */
static uint8_t whole[WHOLE_MAX];

/* As libc has it; its own header would declare an enum that not every libc's has. */
long ptrace(int request, ...);

static long (*libc_ptrace)(int request, ...);
static struct {
	unsigned int offset, size; /* 0 where there is none of this number */
} components[COMPONENT_END];

/* Once, because CPUID is slow in a virtual machine; and before UML has stacks of its own. */
__attribute__((constructor)) static void
init(void)
{
	*(void **)&libc_ptrace = dlsym(RTLD_NEXT, "ptrace");
	for (unsigned int i = FIRST_COMPONENT; i < COMPONENT_END; i++) {
		unsigned int ecx, edx;

		(void)__get_cpuid_count(XSAVE_CPUID_LEAF, i, &components[i].size,
		    &components[i].offset, &ecx, &edx);
	}
}

static void
merge(const uint8_t *part, size_t part_len)
{
	uint64_t held = FXSAVE_COMPONENTS, in_use_part, in_use_whole;

	memcpy(&in_use_part, part + IN_USE_OFFSET, sizeof(in_use_part));
	memcpy(&in_use_whole, whole + IN_USE_OFFSET, sizeof(in_use_whole));
	memcpy(whole, part, FIRST_OFFSET);
	for (unsigned int i = FIRST_COMPONENT; i < COMPONENT_END; i++) {
		size_t offset = components[i].offset, size = components[i].size;

		if (offset < FIRST_OFFSET || offset + size > part_len)
			continue;
		held |= UINT64_C(1) << i;
		memcpy(whole + offset, part + offset, size);
	}
	in_use_whole = (in_use_part & held) | (in_use_whole & ~held);
	memcpy(whole + IN_USE_OFFSET, &in_use_whole, sizeof(in_use_whole));
}

static long
set_merged(pid_t pid, const struct iovec *part)
{
	struct iovec all = { .iov_base = whole, .iov_len = sizeof(whole) };
	void *type = (void *)(uintptr_t)NT_X86_XSTATE;

	if (libc_ptrace(PTRACE_GETREGSET, pid, type, &all) == -1)
		return -1;
	if (part->iov_len < FIRST_OFFSET || part->iov_len > all.iov_len) {
		errno = EFAULT;
		return -1;
	}
	merge(part->iov_base, part->iov_len);
	return libc_ptrace(PTRACE_SETREGSET, pid, type, &all);
}

long
ptrace(int request, ...)
{
	va_list args;
	pid_t pid;
	void *addr, *data;
	long done;

	va_start(args, request);
	pid = va_arg(args, pid_t);
	addr = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);

	done = libc_ptrace(request, pid, addr, data);
	if (done == -1 && errno == EFAULT && request == PTRACE_SETREGSET &&
	    (uintptr_t)addr == NT_X86_XSTATE)
		return set_merged(pid, data);
	return done;
}
