/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads policy files and checks their lines against each other. */
#include "policy.h"

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "constants.h"

#define WHY_SIZE 160

static const char *const target_names[] = {
#define TARGET_NAME(name, scmp_arch, open_flags, condition) #name,
	TARGETS(TARGET_NAME)
#undef TARGET_NAME
};

const char *
policy_target_name(enum target target)
{
	return target_names[target];
}

const char *
policy_targets_str(unsigned int targets, char *buf, size_t buf_size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < TARGET_N; i++)
		if ((targets & (1U << i)) && len < buf_size)
			len += (size_t)snprintf(buf + len, buf_size - len, "%s%s",
			    len > 0 ? "," : "", target_names[i]);
	return buf;
}

/* Prints the error of a line. Returns false. */
static bool __attribute__((format(printf, 3, 4)))
refuse(struct policy *policy, const struct policy_line *line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", line->path, line->number);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	policy->n_errors++;
	return false;
}

/* Removes spaces at both ends. */
static char *
trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* Takes the first word (letters, digits, underscores) from *rest. */
static char *
cut_word(char **rest)
{
	char *word = trim(*rest);
	char *end = word;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	*rest = end;
	if (isspace((unsigned char)*end)) {
		*end = '\0';
		*rest = end + 1;
	}
	return word;
}

/* Parses "[x86_64,aarch64]" after the name of the call. */
static bool
parse_targets(struct policy *policy, struct policy_line *line, char **rest)
{
	char *list = *rest + 1;
	char *end = strchr(list, ']');

	if (!end)
		return refuse(policy, line, "\"]\" is missing");
	*end = '\0';
	*rest = trim(end + 1);
	line->targets = 0;
	for (char *name; (name = strsep(&list, ","));) {
		size_t i = 0;

		name = trim(name);
		while (i < TARGET_N && strcmp(name, target_names[i]) != 0)
			i++;
		if (i == TARGET_N)
			return refuse(policy, line, "unknown architecture \"%s\"", name);
		line->targets |= 1U << i;
	}
	return true;
}

/* Takes the marker if the text begins with it. */
static bool
take_marker(char **rest, const char *marker)
{
	size_t len = strlen(marker);

	if (strncmp(*rest, marker, len) != 0 ||
	    ((*rest)[len] != '\0' && !isspace((unsigned char)(*rest)[len])))
		return false;
	*rest = trim(*rest + len);
	return true;
}

/* Parses "-> EACCES" after the condition. */
static bool
parse_error(struct policy *policy, struct policy_line *line, char *rest)
{
	char *arrow = strstr(rest, "->");
	char *name;

	if (!arrow)
		return true;
	*arrow = '\0';
	name = trim(arrow + 2);
	line->error = constant_find_errno(name);
	if (line->error == 0)
		return refuse(policy, line, "unknown error \"%s\" after \"->\"", name);
	return true;
}

static bool
check_call(struct policy *policy, struct policy_line *line,
    const struct policy_calls *calls)
{
	if (line->call[0] == '\0')
		return refuse(policy, line, "name of a system call expected");
	if (!calls->is_known(line->call))
		return refuse(policy, line, "unknown system call \"%s\"", line->call);
	for (unsigned int i = 0; i < TARGET_N; i++)
		if ((line->targets & (1U << i)) &&
		    !calls->exists(line->call, (enum target)i))
			return refuse(policy, line,
			    "system call \"%s\" does not exist on %s: write %s [...] "
			    "with the architectures that have it",
			    line->call, target_names[i], line->call);
	return true;
}

static bool
parse_conditions(struct policy *policy, struct policy_line *line)
{
	for (unsigned int i = 0; i < TARGET_N; i++) {
		char why[WHY_SIZE];

		if (!(line->targets & (1U << i)))
			continue;
		if (condition_parse(&line->condition[i], line->conditions, (enum target)i,
			why, sizeof(why)) == -1)
			return refuse(policy, line, "%s", why);
	}
	return true;
}

/* Parses: call [ARCHITECTURES] hot|rare CONDITION -> ERROR # reason */
static bool
parse_line(struct policy *policy, struct policy_line *line, char *text,
    const struct policy_calls *calls)
{
	char *hash = strchr(text, '#');
	char *rest;

	if (!hash)
		return refuse(policy, line, "the reason is missing: write # and why");
	*hash = '\0';
	line->reason = trim(hash + 1);
	rest = text;
	line->call = cut_word(&rest);
	rest = trim(rest);
	line->targets = TARGETS_ALL;
	if (*rest == '[') {
		if (!parse_targets(policy, line, &rest))
			return false;
		/* The bracket may follow the name without a space. */
		text[strcspn(text, "[")] = '\0';
	}
	line->hot = take_marker(&rest, "hot");
	line->rare = take_marker(&rest, "rare");
	if (line->hot && line->rare)
		return refuse(policy, line, "a call is hot or rare, not both");
	if (!parse_error(policy, line, rest))
		return false;
	line->conditions = trim(rest);
	if (line->reason[0] == '\0')
		return refuse(policy, line, "the reason is missing: write # and why");
	return check_call(policy, line, calls) && parse_conditions(policy, line);
}

static const char *
effect(const struct policy_line *line)
{
	return line->error == 0 ? "allows" : "refuses";
}

/* Compares two lines of one file. The error is that of the later line. */
static bool
check_pair(struct policy *policy, const struct policy_line *a,
    const struct policy_line *b, enum target target)
{
	const struct condition *first = &a->condition[target];
	const struct condition *second = &b->condition[target];

	if (a->error == b->error && condition_equals(first, second))
		return refuse(policy, b, "the same as line %u", a->number);
	if (a->error == b->error && condition_is_empty(first))
		return refuse(policy, b, "line %u %s every %s, whatever its arguments",
		    a->number, effect(a), a->call);
	if (a->error == b->error && condition_is_empty(second))
		return refuse(policy, b,
		    "%s every %s, so the condition of line %u is for nothing", effect(b),
		    b->call, a->number);
	if (a->error != b->error && condition_overlaps(first, second))
		return refuse(policy, b, "line %u %s what this line %s", a->number,
		    effect(a), effect(b));
	return true;
}

/* A later file widens the policy. A line without a condition replaces earlier lines with
 * conditions. A line that repeats an allowed call is dropped. */
static bool
widen(struct policy *policy, struct policy_line *a, struct policy_line *b,
    enum target target)
{
	const struct condition *first = &a->condition[target];
	const struct condition *second = &b->condition[target];

	if (a->error == b->error &&
	    (condition_is_empty(first) || condition_equals(first, second)))
		b->targets &= ~(1U << target);
	else if (b->error == 0 && condition_is_empty(second))
		a->targets &= ~(1U << target);
	else if (a->error != b->error && condition_overlaps(first, second))
		return refuse(policy, b, "%s:%u %s what this line %s", a->path, a->number,
		    effect(a), effect(b));
	return true;
}

/* Compares the line with all before it. Returns false at the first error. */
static bool
check_against_others(struct policy *policy, struct policy_line *line)
{
	for (struct policy_line *other = policy->lines; other < line; other++) {
		if (strcmp(other->call, line->call) != 0)
			continue;
		for (unsigned int i = 0; i < TARGET_N; i++) {
			bool is_right;

			if (!(other->targets & line->targets & (1U << i)))
				continue;
			is_right = strcmp(other->path, line->path) == 0
			    ? check_pair(policy, other, line, (enum target)i)
			    : widen(policy, other, line, (enum target)i);
			if (!is_right)
				return false;
		}
	}
	return true;
}

static void
line_free(struct policy_line *line)
{
	for (size_t i = 0; i < TARGET_N; i++)
		condition_free(&line->condition[i]);
	free(line->text);
}

/* Adds one line of a file, unless it has an error. */
static void
add_line(struct policy *policy, const char *path, unsigned int number, const char *text,
    const struct policy_calls *calls)
{
	struct policy_line *line;

	policy->lines =
	    reallocarray(policy->lines, policy->n_lines + 1, sizeof(policy->lines[0]));
	if (!policy->lines)
		err(EXIT_FAILURE, "memory");
	line = &policy->lines[policy->n_lines];
	*line = (struct policy_line){
		.path = path,
		.number = number,
		.text = strdup(text),
		.call = "",
	};
	if (!line->text)
		err(EXIT_FAILURE, "memory");
	if (parse_line(policy, line, line->text, calls) &&
	    check_against_others(policy, line))
		policy->n_lines++;
	else
		line_free(line);
}

void
policy_read(struct policy *policy, const char *path, const struct policy_calls *calls)
{
	autofree char *buf = NULL;
	size_t buf_size = 0;
	unsigned int number = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		err(EXIT_FAILURE, "open %s", path);
	while (getline(&buf, &buf_size, file) != -1) {
		char *text = trim(buf);

		number++;
		if (*text != '\0' && *text != '#')
			add_line(policy, path, number, text, calls);
	}
	if (ferror(file))
		err(EXIT_FAILURE, "read %s", path);
	fclose(file);
}

void
policy_free(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_lines; i++)
		line_free(&policy->lines[i]);
	free(policy->lines);
	*policy = (struct policy){ 0 };
}
