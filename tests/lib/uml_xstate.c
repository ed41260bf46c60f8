/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into User Mode Linux, for processors whose extended registers exceed the 2696
 * bytes that Linux 6.1 has for a process: with AMX they need 11008. The host accepts only
 * a whole set of registers. It refuses UML's with EFAULT, and UML stops. This library
 * copies UML's registers into the process's whole set, and sets that.
 *
 * The layout is the standard form of XSAVE (Intel's manual, volume 1, 13.4): 512 bytes of
 * FXSAVE, a header whose first word has the components in use, and components at the
 * offsets of CPUID.
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
/* FXSAVE has x87 and SSE; bit 63 does not stand for a component. */
#define FXSAVE_COMPONENTS 0x3u
#define FIRST_COMPONENT 2
#define COMPONENT_END 63

/* AMX's 11008 bytes, and space for later components. */
#define WHOLE_MAX 32768

/* Too large for the stacks of UML's kernel; UML sets the registers of one process at a
 * time. */
static uint8_t whole[WHOLE_MAX];

/* libc's prototype; its header would declare an enum that not every libc has. */
long ptrace(int request, ...);

static long (*libc_ptrace)(int request, ...);
static struct {
	unsigned int offset, size; /* 0 if there is no component of this number */
} components[COMPONENT_END];

/* Once, because CPUID is slow in a virtual machine, and before UML uses its own
 * stacks. */
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
