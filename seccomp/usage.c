/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts how often each line of a policy allowed a recorded call. */
#include "usage.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* One recorded call. */
struct made_call {
	uint32_t pid;
	const char *name; /* points into the line */
	uint32_t args[CONDITION_N_ARGS];
};

static uint32_t
number_of(const char *word, size_t line_number)
{
	char *rest;
	unsigned long long number = strtoull(word, &rest, 0);

	if (rest == word || *rest != '\0')
		errx(EXIT_FAILURE, "line %zu: \"%s\" is no number", line_number, word);
	/* A filter compares 32 bits too. */
	return (uint32_t)number;
}

/* Splits line into words. */
static void
parse(struct made_call *call, char *line, size_t line_number)
{
	char *rest;
	const char *word = strtok_r(line, " \n", &rest);

	*call = (struct made_call){ 0 };
	if (!word || !(call->name = strtok_r(NULL, " \n", &rest)))
		errx(EXIT_FAILURE, "line %zu: not \"PID CALL ARGUMENT...\"", line_number);
	call->pid = number_of(word, line_number);
	for (size_t i = 0; (word = strtok_r(NULL, " \n", &rest)); i++) {
		if (i == CONDITION_N_ARGS)
			errx(EXIT_FAILURE, "line %zu: too many arguments", line_number);
		call->args[i] = number_of(word, line_number);
	}
}

static bool
takes(const struct policy_line *line, const struct made_call *call, enum target target)
{
	return (line->targets & (1U << target)) && strcmp(line->call, call->name) == 0 &&
	    condition_is_met(&line->condition[target], call->args, call->pid);
}

static void
print(FILE *out, const struct policy_line *line, size_t n)
{
	fprintf(out, "%zu\t%s\t%s\t%s\t%s\t%s:%u\n", n,
	    line->hot        ? "hot"
		: line->rare ? "rare"
			     : "-",
	    line->call, line->conditions[0] != '\0' ? line->conditions : "-",
	    line->reason, line->path, line->number);
}

/* Returns the number of calls that no line matches. */
static size_t
count(FILE *in, const struct policy *policy, enum target target, size_t *n_taken)
{
	autofree char *text = NULL;
	size_t text_size = 0, n_unknown = 0, line_number = 0;

	while (getline(&text, &text_size, in) != -1) {
		struct made_call call;
		bool is_known = false;

		parse(&call, text, ++line_number);
		for (size_t i = 0; i < policy->n_lines; i++) {
			if (!takes(&policy->lines[i], &call, target))
				continue;
			n_taken[i]++;
			is_known = true;
		}
		if (is_known)
			continue;
		n_unknown++;
		fprintf(stderr, "no line takes %s(0x%x, 0x%x, 0x%x) of process %u\n",
		    call.name, call.args[0], call.args[1], call.args[2], call.pid);
	}
	return n_unknown;
}

size_t
usage_count(FILE *in, FILE *out, const struct policy *policy, enum target target)
{
	size_t *n_taken = calloc(policy->n_lines, sizeof(n_taken[0]));
	size_t n_unknown;

	if (!n_taken)
		err(EXIT_FAILURE, "memory");
	n_unknown = count(in, policy, target, n_taken);
	for (size_t i = 0; i < policy->n_lines; i++)
		if (policy->lines[i].targets & (1U << target))
			print(out, &policy->lines[i], n_taken[i]);
	free(n_taken);
	return n_unknown;
}
