/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses a condition on a call's arguments into masked comparisons for equality. */
#include "condition.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "constants.h"

/* The largest filter that a person can review. */
#define N_ALTERNATIVES_MAX 256

#define NAME_SIZE 64

/* An interval of 32-bit numbers needs no more aligned pieces: two of each size. */
#define N_PIECES_MAX 64

#define ARG_BITS 32

enum comparator {
	COMPARATOR_EQ,
	COMPARATOR_NE,
	COMPARATOR_LT,
	COMPARATOR_LE,
	COMPARATOR_GT,
	COMPARATOR_GE,
};

/* Longer operators first. */
static const struct {
	const char *text;
	enum comparator op;
} comparators[] = {
	{ "==", COMPARATOR_EQ },
	{ "!=", COMPARATOR_NE },
	{ "<=", COMPARATOR_LE },
	{ ">=", COMPARATOR_GE },
	{ "<", COMPARATOR_LT },
	{ ">", COMPARATOR_GT },
};

struct parser {
	const char *next;
	enum target target;
	char *why;
	size_t why_size;
};

struct comparison {
	size_t arg;
	uint32_t mask;
	uint32_t value;
	enum comparator op;
};

struct pieces {
	struct condition_pattern list[N_PIECES_MAX];
	size_t n;
};

static int __attribute__((format(printf, 2, 3)))
refuse(struct parser *parser, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser->why, parser->why_size, format, args);
	va_end(args);
	return -1;
}

static void
skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->next))
		parser->next++;
}

/* Skips the text if it comes next. Returns whether it did. */
static bool
take(struct parser *parser, const char *text)
{
	skip_space(parser);
	if (strncmp(parser->next, text, strlen(text)) != 0)
		return false;
	parser->next += strlen(text);
	return true;
}

/* Copies the next letters, digits and underscores, a name or a number, into word. */
static int
take_word(struct parser *parser, char word[NAME_SIZE])
{
	size_t len = 0;

	skip_space(parser);
	while (isalnum((unsigned char)parser->next[len]) || parser->next[len] == '_')
		len++;
	if (len == 0 || len >= NAME_SIZE) {
		if (*parser->next == '\0')
			return refuse(parser, "the condition ends too early");
		return refuse(parser, "unexpected \"%.16s\" in the condition",
		    parser->next);
	}
	memcpy(word, parser->next, len);
	word[len] = '\0';
	parser->next += len;
	return 0;
}

static int parse_value(struct parser *parser, uint32_t *value);

static int
parse_number(struct parser *parser, const char *word, uint32_t *value)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(word, &end, 0);
	if (*end != '\0')
		return refuse(parser, "bad number \"%s\"", word);
	if (errno != 0 || number > UINT32_MAX)
		return refuse(parser, "number %s has more than 32 bits", word);
	*value = (uint32_t)number;
	return 0;
}

static int
parse_term(struct parser *parser, uint32_t *value)
{
	char word[NAME_SIZE] = "";

	if (take(parser, "~")) {
		if (parse_term(parser, value) == -1)
			return -1;
		*value = ~*value;
		return 0;
	}
	if (take(parser, "(")) {
		if (parse_value(parser, value) == -1)
			return -1;
		return take(parser, ")") ? 0 : refuse(parser, "\")\" is missing");
	}
	if (take_word(parser, word) == -1)
		return -1;
	if (isdigit((unsigned char)word[0]))
		return parse_number(parser, word, value);
	if (strcmp(word, "SELF") == 0) {
		*value = CONDITION_SELF;
		return 0;
	}
	if (constant_find(word, parser->target, value))
		return 0;
	return refuse(parser, "unknown constant \"%s\"", word);
}

static int
parse_value(struct parser *parser, uint32_t *value)
{
	uint32_t term = 0;

	*value = 0;
	do {
		if (parse_term(parser, &term) == -1)
			return -1;
		*value |= term;
	} while (take(parser, "|"));
	return 0;
}

static int
parse_comparator(struct parser *parser, enum comparator *op)
{
	for (size_t i = 0; i < sizeof(comparators) / sizeof(comparators[0]); i++) {
		if (!take(parser, comparators[i].text))
			continue;
		*op = comparators[i].op;
		return 0;
	}
	return refuse(parser, "one of == != < <= > >= expected before \"%.16s\"",
	    parser->next);
}

/* Parses one comparison: argN [& MASK] COMPARATOR VALUE. */
static int
parse_comparison(struct parser *parser, struct comparison *comparison)
{
	char word[NAME_SIZE] = "";
	bool has_mask = false;

	if (take_word(parser, word) == -1)
		return -1;
	if (strncmp(word, "arg", 3) != 0 || word[3] < '0' ||
	    word[3] >= '0' + CONDITION_N_ARGS || word[4] != '\0')
		return refuse(parser, "arg0 to arg%d expected, not \"%s\"",
		    CONDITION_N_ARGS - 1, word);
	comparison->arg = (size_t)(word[3] - '0');
	comparison->mask = UINT32_MAX;
	skip_space(parser);
	if (parser->next[0] == '&' && parser->next[1] != '&') {
		parser->next++;
		has_mask = true;
		if (parse_value(parser, &comparison->mask) == -1)
			return -1;
	}
	if (parse_comparator(parser, &comparison->op) == -1 ||
	    parse_value(parser, &comparison->value) == -1)
		return -1;
	if (has_mask && comparison->op != COMPARATOR_EQ &&
	    comparison->op != COMPARATOR_NE)
		return refuse(parser, "a masked argument takes == or != only");
	if (comparison->value & ~comparison->mask)
		return refuse(parser, "the value has bits outside of the mask");
	if (comparison->value == CONDITION_SELF &&
	    (has_mask || comparison->op != COMPARATOR_EQ))
		return refuse(parser, "SELF takes == only");
	return 0;
}

/* Adds the numbers from first to last, as the fewest aligned blocks of a power of two. */
static void
add_interval(struct pieces *pieces, uint64_t first, uint64_t last)
{
	while (first <= last) {
		uint64_t size = first == 0 ? 1ULL << ARG_BITS : first & -first;

		while (first + size - 1 > last)
			size /= 2;
		pieces->list[pieces->n++] = (struct condition_pattern){
			.mask = (uint32_t) ~(size - 1),
			.value = (uint32_t)first,
		};
		first += size;
	}
}

/* Adds numbers that differ from the value in the highest bit of the mask, then numbers
 * that agree in it and differ in the next, and so on. */
static void
add_unequal(struct pieces *pieces, uint32_t mask, uint32_t value)
{
	uint32_t agreed = 0;

	for (uint32_t bit = 1U << (ARG_BITS - 1); bit != 0; bit >>= 1) {
		if (!(mask & bit))
			continue;
		pieces->list[pieces->n++] = (struct condition_pattern){
			.mask = agreed | bit,
			.value = (value & agreed) | (~value & bit),
		};
		agreed |= bit;
	}
}

/* A filter compares 64 bits. An int argument has 32, and the kernel ignores the upper
 * half. Every comparison therefore gets a mask of 32 bits at most. libseccomp has masks
 * for equality only. */
static int
comparison_expand(struct parser *parser, const struct comparison *comparison,
    struct pieces *pieces)
{
	uint64_t value = comparison->value;

	pieces->n = 0;
	switch (comparison->op) {
	case COMPARATOR_EQ:
		pieces->list[pieces->n++] = (struct condition_pattern){
			.mask = comparison->mask,
			.value = comparison->value,
		};
		break;
	case COMPARATOR_NE:
		add_unequal(pieces, comparison->mask, comparison->value);
		break;
	case COMPARATOR_LT:
		if (value > 0)
			add_interval(pieces, 0, value - 1);
		break;
	case COMPARATOR_LE:
		add_interval(pieces, 0, value);
		break;
	case COMPARATOR_GT:
		add_interval(pieces, value + 1, UINT32_MAX);
		break;
	case COMPARATOR_GE:
		add_interval(pieces, value, UINT32_MAX);
		break;
	}
	if (pieces->n == 0)
		return refuse(parser, "the condition is never true");
	if (pieces->list[0].mask == 0)
		return refuse(parser, "the condition is always true");
	return 0;
}

static bool
patterns_agree(struct condition_pattern a, struct condition_pattern b)
{
	return ((a.value ^ b.value) & a.mask & b.mask) == 0;
}

/* Adds "and one of the pieces" to the condition. */
static int
condition_narrow(struct parser *parser, struct condition *condition, size_t arg,
    const struct pieces *pieces)
{
	struct condition narrowed = { 0 };

	narrowed.alternatives =
	    calloc(condition->n * pieces->n + 1, sizeof(narrowed.alternatives[0]));
	if (!narrowed.alternatives)
		err(EXIT_FAILURE, "memory");
	for (size_t i = 0; i < condition->n; i++) {
		for (size_t k = 0; k < pieces->n; k++) {
			struct condition_alternative both = condition->alternatives[i];
			struct condition_pattern *pattern = &both.args[arg];

			if (!patterns_agree(*pattern, pieces->list[k]))
				continue;
			pattern->mask |= pieces->list[k].mask;
			pattern->value |= pieces->list[k].value;
			narrowed.alternatives[narrowed.n++] = both;
		}
	}
	condition_free(condition);
	*condition = narrowed;
	if (condition->n == 0)
		return refuse(parser, "the condition is never true");
	if (condition->n > N_ALTERNATIVES_MAX)
		return refuse(parser, "the condition has more than %d alternatives",
		    N_ALTERNATIVES_MAX);
	return 0;
}

static int
parse_conjunction(struct parser *parser, struct condition *condition)
{
	do {
		struct comparison comparison = { 0 };
		struct pieces pieces;

		if (parse_comparison(parser, &comparison) == -1 ||
		    comparison_expand(parser, &comparison, &pieces) == -1 ||
		    condition_narrow(parser, condition, comparison.arg, &pieces) == -1)
			return -1;
	} while (take(parser, "&&"));
	skip_space(parser);
	if (*parser->next != '\0')
		return refuse(parser, "unexpected \"%.16s\" after the condition",
		    parser->next);
	return 0;
}

int
condition_parse(struct condition *condition, const char *text, enum target target,
    char *why, size_t why_size)
{
	struct parser parser = {
		.next = text,
		.target = target,
		.why = why,
		.why_size = why_size,
	};

	condition->n = 1;
	condition->alternatives = calloc(1, sizeof(condition->alternatives[0]));
	if (!condition->alternatives)
		err(EXIT_FAILURE, "memory");
	skip_space(&parser);
	if (*parser.next == '\0')
		return 0;
	return parse_conjunction(&parser, condition);
}

void
condition_free(struct condition *condition)
{
	free(condition->alternatives);
	*condition = (struct condition){ 0 };
}

bool
condition_is_empty(const struct condition *condition)
{
	for (size_t i = 0; i < CONDITION_N_ARGS; i++)
		if (condition->alternatives[0].args[i].mask != 0)
			return false;
	return true;
}

static bool
alternatives_overlap(const struct condition_alternative *a,
    const struct condition_alternative *b)
{
	for (size_t i = 0; i < CONDITION_N_ARGS; i++)
		if (!patterns_agree(a->args[i], b->args[i]))
			return false;
	return true;
}

bool
condition_overlaps(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			if (alternatives_overlap(&a->alternatives[i],
				&b->alternatives[k]))
				return true;
	return false;
}

bool
condition_is_met(const struct condition *condition, const uint32_t args[CONDITION_N_ARGS],
    uint32_t pid)
{
	for (size_t i = 0; i < condition->n; i++) {
		const struct condition_pattern *patterns =
		    condition->alternatives[i].args;
		bool all = true;

		for (size_t j = 0; j < CONDITION_N_ARGS && all; j++) {
			uint32_t value = patterns[j].value;

			/* The loader does the same. */
			if (value == CONDITION_SELF && patterns[j].mask == UINT32_MAX)
				value = pid;
			all = (args[j] & patterns[j].mask) == value;
		}
		if (all)
			return true;
	}
	return false;
}

bool
condition_equals(const struct condition *a, const struct condition *b)
{
	return a->n == b->n &&
	    memcmp(a->alternatives, b->alternatives, a->n * sizeof(a->alternatives[0])) ==
	    0;
}
