/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policyc: compiles a role's policy of system calls to filters for every architecture in
 * targets.h, as a C header. It runs on the build machine only. Only user of libseccomp;
 * no program of slirpd is linked with it.
 *
 *   policyc ROLE POLICY... -o OUT.h    later files widen what the first allows
 *   policyc --dump POLICY...           the filters as text
 *   policyc --calls POLICY...          the lines as a table
 *   policyc --usage POLICY...          how often each line allowed one of the calls on
 *                                      standard input
 */

#include <err.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "output.h"
#include "policy.h"
#include "usage.h"

/* The highest priority of libseccomp: the filter tests these calls first. */
#define PRIORITY_HOT 255

static const uint32_t scmp_archs[] = {
#define TARGET_SCMP_ARCH(name, scmp_arch, open_flags, condition) scmp_arch,
	TARGETS(TARGET_SCMP_ARCH)
#undef TARGET_SCMP_ARCH
};

static bool
call_exists(const char *call, enum target target)
{
	/* libseccomp uses negative numbers of its own for calls that only other
	 * architectures have. */
	return seccomp_syscall_resolve_name_arch(scmp_archs[target], call) >= 0;
}

static bool
call_is_known(const char *call)
{
	return seccomp_syscall_resolve_name(call) != __NR_SCMP_ERROR;
}

static const struct policy_calls policy_calls = {
	.is_known = call_is_known,
	.exists = call_exists,
};

static const char *
name_of_call(uint32_t number, enum target target)
{
	static char name[64];
	autofree char *found =
	    seccomp_syscall_resolve_num_arch(scmp_archs[target], (int)number);

	if (!found)
		return NULL;
	snprintf(name, sizeof(name), "%s", found);
	return name;
}

/* libseccomp's functions return a negative errno. */
static void
check(int result, const char *what)
{
	if (result < 0) {
		errno = -result;
		err(EXIT_FAILURE, "libseccomp: %s", what);
	}
}

static void
add_alternative(scmp_filter_ctx filter, uint32_t action, int call,
    const struct condition_alternative *alternative)
{
	struct scmp_arg_cmp args[CONDITION_N_ARGS];
	unsigned int n = 0;
	int result;

	for (unsigned int i = 0; i < CONDITION_N_ARGS; i++) {
		const struct condition_pattern *pattern = &alternative->args[i];

		if (pattern->mask != 0)
			args[n++] = (struct scmp_arg_cmp){
				.arg = i,
				.op = SCMP_CMP_MASKED_EQ,
				.datum_a = pattern->mask,
				.datum_b = pattern->value,
			};
	}
	result = seccomp_rule_add_array(filter, action, call, n, args);
	/* Two alternatives of a call may end up equal. */
	if (result != -EEXIST)
		check(result, "add a rule");
}

static void
add_line(scmp_filter_ctx filter, const struct policy_line *line, enum target target)
{
	const struct condition *condition = &line->condition[target];
	/* The number on this machine. libseccomp translates it for the filter's
	 * architecture. */
	int call = seccomp_syscall_resolve_name(line->call);
	uint32_t action = line->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(line->error);

	for (size_t i = 0; i < condition->n; i++)
		add_alternative(filter, action, call, &condition->alternatives[i]);
	if (line->hot)
		check(seccomp_syscall_priority(filter, call, PRIORITY_HOT),
		    "set a priority");
}

/* Reads the filter from libseccomp, which writes to descriptors only. */
static void
export_program(scmp_filter_ctx filter, struct program *program)
{
	autofd int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;

	if (fd == -1)
		err(EXIT_FAILURE, "make a file in memory");
	check(seccomp_export_bpf(filter, fd), "write a filter");
	if (fstat(fd, &st) == -1)
		err(EXIT_FAILURE, "look at a filter");
	program->n = (size_t)st.st_size / sizeof(program->instructions[0]);
	program->instructions = malloc((size_t)st.st_size);
	if (!program->instructions ||
	    pread(fd, program->instructions, (size_t)st.st_size, 0) != st.st_size)
		err(EXIT_FAILURE, "read a filter");
	if (program->n > BPF_MAXINSNS)
		errx(EXIT_FAILURE, "the filter has %zu instructions, the kernel takes %d",
		    program->n, BPF_MAXINSNS);
}

/*
 * One filter for each architecture, so that a program carries its own only. Calls of any
 * other, such as x86's 32-bit calls and x32, end the process. x32 shares the number of
 * x86-64's architecture. libseccomp tests for it if a filter has x86-64 without x32.
 *
 * SCMP_FLTATR_CTL_LOG and similar attributes are flags of seccomp(2), not a part of a
 * filter. The loader passes them.
 *
 * SCMP_FLTATR_CTL_OPTIMIZE stays 1, order by priority. A binary tree would spare rare
 * calls some comparisons and cost the hot calls some.
 */
static void
compile(const struct policy *policy, enum target target, struct program *program)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	uint32_t native = seccomp_arch_native();

	if (!filter)
		errx(EXIT_FAILURE, "libseccomp: make a filter");
	if (scmp_archs[target] != native) {
		check(seccomp_arch_add(filter, scmp_archs[target]),
		    "add an architecture");
		check(seccomp_arch_remove(filter, native), "remove an architecture");
	}
	check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
	    "refuse other architectures");
	for (size_t i = 0; i < policy->n_lines; i++)
		if (policy->lines[i].targets & (1U << target))
			add_line(filter, &policy->lines[i], target);
	export_program(filter, program);
	seccomp_release(filter);
}

static void
write_header(const char *path, const char *role, const struct policy *policy,
    const struct program programs[TARGET_N])
{
	FILE *out = fopen(path, "we");

	if (!out)
		err(EXIT_FAILURE, "open %s", path);
	output_header(out, role, policy, programs);
	if (ferror(out) || fclose(out) != 0) {
		int error = errno;

		unlink(path);
		errno = error;
		err(EXIT_FAILURE, "write %s", path);
	}
}

static void
write_dump(const struct program programs[TARGET_N])
{
	for (unsigned int i = 0; i < TARGET_N; i++)
		output_disassembly(stdout, &programs[i], (enum target)i, name_of_call);
}

/* Returns the machine that policyc runs on. Calls were recorded on it. */
static enum target
native_target(void)
{
	for (unsigned int i = 0; i < TARGET_N; i++)
		if (scmp_archs[i] == seccomp_arch_native())
			return (enum target)i;
	errx(EXIT_FAILURE, "targets.h has no row for this architecture");
}

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: policyc ROLE POLICY... -o OUT.h\n"
	    "       policyc --dump POLICY...\n"
	    "       policyc --calls POLICY...\n"
	    "       policyc --usage POLICY... <CALLS\n");
	exit(EXIT_FAILURE);
}

int
main(int argc, char **argv)
{
	struct policy policy = { 0 };
	struct program programs[TARGET_N] = { { 0 } };
	const char *mode, *out_path = NULL;
	size_t n_unknown = 0;
	int n_words = argc;

	if (argc < 3)
		usage();
	mode = argv[1];
	if (mode[0] != '-') {
		if (argc < 5 || strcmp(argv[argc - 2], "-o") != 0)
			usage();
		out_path = argv[argc - 1];
		n_words -= 2;
	} else if (strcmp(mode, "--dump") != 0 && strcmp(mode, "--calls") != 0 &&
	    strcmp(mode, "--usage") != 0) {
		usage();
	}
	for (int i = 2; i < n_words; i++)
		policy_read(&policy, argv[i], &policy_calls);
	if (policy.n_errors > 0)
		exit(EXIT_FAILURE);
	if (policy.n_lines == 0)
		errx(EXIT_FAILURE, "%s: nothing is allowed", argv[2]);
	for (unsigned int i = 0; i < TARGET_N; i++)
		compile(&policy, (enum target)i, &programs[i]);

	if (out_path)
		write_header(out_path, mode, &policy, programs);
	else if (strcmp(mode, "--dump") == 0)
		write_dump(programs);
	else if (strcmp(mode, "--calls") == 0)
		output_calls(stdout, &policy);
	else
		n_unknown = usage_count(stdin, stdout, &policy, native_target());

	for (unsigned int i = 0; i < TARGET_N; i++)
		free(programs[i].instructions);
	policy_free(&policy);
	return fflush(stdout) == 0 && n_unknown == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
