/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The architectures that every policy is compiled for, on any build machine. A new one
 * needs one row here, if it is 64-bit, little-endian, and has the numbers of asm-generic
 * for everything in constants.c. A row has: name, libseccomp's name, the source of its
 * open(2) flags, a compiler's test for it.
 */
#pragma once

#define TARGETS(ROW) \
	ROW(x86_64, SCMP_ARCH_X86_64, OPEN_FLAGS_GENERIC, \
	    "defined(__x86_64__) && !defined(__ILP32__)") \
	ROW(aarch64, SCMP_ARCH_AARCH64, OPEN_FLAGS_ARM, \
	    "defined(__aarch64__) && !defined(__AARCH64EB__)")

enum target {
#define TARGET_ENUM(name, scmp_arch, open_flags, condition) TARGET_##name,
	TARGETS(TARGET_ENUM)
#undef TARGET_ENUM
	    TARGET_N,
};

/* A set of 1 << enum target. */
#define TARGETS_ALL ((1U << TARGET_N) - 1)
