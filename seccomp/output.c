/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the header of a filter, the list of calls and the disassembly. */
#include "output.h"

#include <ctype.h>
#include <err.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define NAME_SIZE 64

static const char *const target_conditions[] = {
#define TARGET_CONDITION(name, scmp_arch, open_flags, condition) condition,
	TARGETS(TARGET_CONDITION)
#undef TARGET_CONDITION
};

/* Replaces the characters of "slirp-worker" that a C name can't have. */
static void
to_identifier(char identifier[NAME_SIZE], const char *role, bool upper)
{
	size_t len = 0;

	for (; len < NAME_SIZE - 1 && role[len] != '\0'; len++) {
		unsigned char letter = (unsigned char)role[len];

		if (!isalnum(letter))
			identifier[len] = '_';
		else
			identifier[len] = (char)(upper ? toupper(letter) : letter);
	}
	identifier[len] = '\0';
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

/* Returns the names of the allowed calls, sorted, each once. The caller frees the array.
 * The policy owns the names. */
static const char **
allowed_calls(const struct policy *policy, enum target target, size_t *n)
{
	const char **names = calloc(policy->n_lines + 1, sizeof(names[0]));
	size_t n_names = 0;

	if (!names)
		err(EXIT_FAILURE, "memory");
	for (size_t i = 0; i < policy->n_lines; i++)
		if ((policy->lines[i].targets & (1U << target)) &&
		    policy->lines[i].error == 0)
			names[n_names++] = policy->lines[i].call;
	qsort(names, n_names, sizeof(names[0]), compare_names);
	*n = 0;
	for (size_t i = 0; i < n_names; i++)
		if (i == 0 || strcmp(names[i], names[*n - 1]) != 0)
			names[(*n)++] = names[i];
	return names;
}

static void
output_instructions(FILE *out, const char *role, const struct program *program)
{
	fprintf(out, "static const struct sock_filter seccomp_%s_filter[] = {\n", role);
	for (size_t i = 0; i < program->n; i++)
		fprintf(out, "\t{ 0x%02x, %u, %u, 0x%08x },\n",
		    program->instructions[i].code, program->instructions[i].jt,
		    program->instructions[i].jf, program->instructions[i].k);
	fputs("};\n", out);
}

static bool
compares_with_self(const struct sock_filter *instruction)
{
	return instruction->code == (BPF_JMP | BPF_JEQ | BPF_K) &&
	    instruction->k == CONDITION_SELF;
}

static void
output_target(FILE *out, const char *role, const char *role_upper,
    const struct policy *policy, const struct program *program, enum target target)
{
	size_t n_names;
	autofree const char **names = allowed_calls(policy, target, &n_names);

	output_instructions(out, role, program);
	fprintf(out, "\nstatic const unsigned short seccomp_%s_self_at[] = {", role);
	for (size_t i = 0; i < program->n; i++)
		if (compares_with_self(&program->instructions[i]))
			fprintf(out, " %zu,", i);
	fprintf(out, " 0 };\n\nstatic const char *const seccomp_%s_calls[] = {\n", role);
	for (size_t i = 0; i < n_names; i++)
		fprintf(out, "\t\"%s\",\n", names[i]);
	fprintf(out, "};\n\nenum {\n\tSECCOMP_%s_FILTER_LEN = %zu,\n", role_upper,
	    program->n);
	fprintf(out, "\tSECCOMP_%s_N_CALLS = %zu,\n};\n", role_upper, n_names);
}

void
output_header(FILE *out, const char *role, const struct policy *policy,
    const struct program programs[TARGET_N])
{
	char lower[NAME_SIZE], upper[NAME_SIZE];

	to_identifier(lower, role, false);
	to_identifier(upper, role, true);
	fprintf(out,
	    "/*\n"
	    " * Made by policyc from the policy of %s; don't edit. Instructions whose\n"
	    " * index is in seccomp_%s_self_at, which ends with 0, compare with a\n"
	    " * PID: put the process's own into k.\n"
	    " */\n"
	    "#pragma once\n\n"
	    "#include <linux/filter.h>\n\n",
	    role, lower);
	for (unsigned int i = 0; i < TARGET_N; i++) {
		fprintf(out, "%s %s\n", i == 0 ? "#if" : "#elif", target_conditions[i]);
		output_target(out, lower, upper, policy, &programs[i], (enum target)i);
	}
	fprintf(out,
	    "#else\n"
	    "#error \"seccomp/targets.h has no row for this architecture\"\n"
	    "#endif\n");
}

void
output_calls(FILE *out, const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_lines; i++) {
		const struct policy_line *line = &policy->lines[i];
		const char *marker = line->hot ? "hot" : line->rare ? "rare" : "-";
		char targets[NAME_SIZE];

		if (line->targets == 0)
			continue;
		policy_targets_str(line->targets, targets, sizeof(targets));
		fprintf(out, "%s\t%s\t%s\t%s\t", line->call, marker, targets,
		    line->conditions[0] != '\0' ? line->conditions : "-");
		if (line->error == 0)
			fputs("allow", out);
		else
			fprintf(out, "errno %u", line->error);
		fprintf(out, "\t%s\t%s:%u\n", line->reason, line->path, line->number);
	}
}

static void
output_load(FILE *out, uint32_t offset)
{
	static const uint32_t args_at = offsetof(struct seccomp_data, args);

	if (offset == offsetof(struct seccomp_data, nr))
		fputs("load call\n", out);
	else if (offset == offsetof(struct seccomp_data, arch))
		fputs("load architecture\n", out);
	else if (offset >= args_at)
		fprintf(out, "load arg%u.%s\n", (offset - args_at) / 8,
		    (offset - args_at) % 8 == 0 ? "low" : "high");
	else
		fprintf(out, "load [%u]\n", offset);
}

static void
output_return(FILE *out, uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		fputs("allow\n", out);
		break;
	case SECCOMP_RET_KILL_PROCESS:
		fputs("kill process\n", out);
		break;
	case SECCOMP_RET_ERRNO:
		fprintf(out, "errno %u\n", action & SECCOMP_RET_DATA);
		break;
	default:
		fprintf(out, "return 0x%08x\n", action);
		break;
	}
}

static const char *
jump_name(unsigned int code)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return "==";
	case BPF_JGT:
		return ">";
	case BPF_JGE:
		return ">=";
	case BPF_JSET:
		return "&";
	default:
		return "?";
	}
}

void
output_disassembly(FILE *out, const struct program *program, enum target target,
    const char *(*name_of)(uint32_t number, enum target target))
{
	bool holds_call = false;

	fprintf(out, "%s: %zu instructions\n", policy_target_name(target), program->n);
	for (size_t i = 0; i < program->n; i++) {
		const struct sock_filter *it = &program->instructions[i];
		const char *name = holds_call ? name_of(it->k, target) : NULL;

		fprintf(out, "%4zu  ", i);
		switch (BPF_CLASS(it->code)) {
		case BPF_LD:
			/* The comparison holds up to the next load: libseccomp tests all
			 * arguments of a call before the next call. */
			holds_call = it->k == offsetof(struct seccomp_data, nr);
			output_load(out, it->k);
			break;
		case BPF_ALU:
			fprintf(out, "and 0x%08x\n", it->k);
			break;
		case BPF_RET:
			output_return(out, it->k);
			break;
		default:
			if (BPF_OP(it->code) == BPF_JA) {
				fprintf(out, "goto %zu\n", i + 1 + it->k);
				break;
			}
			fprintf(out, "if %s 0x%08x%s%s goto %zu else %zu\n",
			    jump_name(it->code), it->k, name ? " " : "", name ? name : "",
			    i + 1 + it->jt, i + 1 + it->jf);
			break;
		}
	}
}
