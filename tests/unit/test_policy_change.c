/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies that are made of others, and what --policy-lock lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/policy_change.h"
#include "model/policy/parse.h"
#include "model/policy/print.h"

#define HEADER "policy 1\n"
#define OLD \
	HEADER "refuse reset\nallow tcp 443 to pypi.org, 192.0.2.1, 2001:db8::/32\n" \
	       "deny to 10.0.0.0/8, *.evil.test\nallow to internet\n"

static struct policy_parser parser;
static struct policy old, changed;
static char text[4096];
static size_t text_len;

static void
put(void *ctx, const char *piece, size_t len)
{
	(void)ctx;
	assert_true(text_len + len < sizeof(text));
	memcpy(text + text_len, piece, len);
	text_len += len;
	text[text_len] = '\0';
}

static const char *
printed(const struct policy *policy)
{
	text_len = 0;
	policy_print(policy, put, NULL);
	return text;
}

static void
parse(struct policy *policy, const char *lines)
{
	const struct policy_text source = { "a.policy", lines, strlen(lines) };

	memset(&parser, 0, sizeof(parser));
	policy_init(policy);
	assert_true(policy_parse(&parser, policy, &source, IPC_POLICY_FROM_FILE));
}

/* A rule of the api before those of the old policy. */
static void
add(const char *line)
{
	const struct policy_text source = { "api", line, strlen(line) };
	const char *why;

	memset(&parser, 0, sizeof(parser));
	policy_init(&changed);
	assert_true(
	    policy_parse_lines(&parser, &changed, &source, IPC_POLICY_FROM_API, 1));
	assert_true(policy_append(&changed, &old, &why));
}

static int
setup(void **state)
{
	(void)state;
	parse(&old, OLD);
	return 0;
}

static void
test_rule_comes_before_the_others(void **state)
{
	char where[POLICY_WHERE_SIZE];
	const char *why;

	(void)state;
	add("x: deny udp 1-2 to b.test, 198.51.100.0/24");
	assert_string_equal(printed(&changed),
	    HEADER "refuse reset\nx: deny udp 1-2 to 198.51.100.0/24, b.test\n"
		   "allow tcp 443 to 192.0.2.1, 2001:db8::/32, pypi.org\n"
		   "deny to 10.0.0.0/8, *.evil.test\nallow to internet\n");
	assert_true(policy_is_whole(&changed, &why));
	assert_string_equal(policy_where(&changed, 0, where), "api:1");
	assert_string_equal(policy_where(&changed, 2, where), "a.policy:4");
}

static void
test_rules_with_a_key_are_left_out(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(policy_copy_without(&changed, &old, old.rules[1].key), 1);
	assert_string_equal(printed(&changed),
	    HEADER "refuse reset\nallow tcp 443 to 192.0.2.1, 2001:db8::/32, pypi.org\n"
		   "allow to internet\n");
	assert_true(policy_is_whole(&changed, &why));
	assert_int_equal(policy_copy_without(&changed, &old, 0), 0);
	assert_memory_equal(&changed.rules, &old.rules, 3 * sizeof(old.rules[0]));
	parse(&old, HEADER "allow to a.test\na: allow to a.test\ndeny to b.test\n");
	assert_int_equal(policy_copy_without(&changed, &old, old.rules[0].key), 2);
	assert_string_equal(printed(&changed), HEADER "deny to b.test\n");
}

static void
test_full_policy_takes_no_more(void **state)
{
	const char *why = NULL;

	(void)state;
	old.n_rules = IPC_POLICY_RULES_MAX;
	for (uint32_t i = 1; i < old.n_rules; i++)
		old.rules[i] = old.rules[0];
	policy_init(&changed);
	assert_true(policy_add_rule(&changed, &old.rules[0], &why));
	assert_false(policy_append(&changed, &old, &why));
	assert_string_equal(why, "more rules than there can be");
}

static void
test_lock_lets_pass_what_denies_more(void **state)
{
	(void)state;
	add("deny to 192.0.2.0/24, c.test");
	assert_true(policy_denies_more(&old, &changed));
	add("forbid tcp 443 to any");
	assert_true(policy_denies_more(&old, &changed));
	assert_true(policy_denies_more(&old, &old));
}

static void
test_lock_stops_all_else(void **state)
{
	(void)state;
	add("allow to 192.0.2.0/24");
	assert_false(policy_denies_more(&old, &changed));
	parse(&changed, OLD "deny to a.test\n");
	assert_false(policy_denies_more(&old, &changed));
	assert_int_equal(policy_copy_without(&changed, &old, old.rules[1].key), 1);
	assert_false(policy_denies_more(&old, &changed));
	/* Each row counts, also that of another rule. */
	add("deny to 192.0.2.0/24, c.test");
	changed.settings.mode = IPC_POLICY_MODE_audit;
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.prefixes[1].rule = 0;
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.prefixes[0].rule = 1;
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.names[0].rule = 2;
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.names[1].text[0] = 'x';
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.rules[2].ports[0].last++;
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.rules[0].source = IPC_POLICY_FROM_FILE;
	assert_false(policy_denies_more(&old, &changed));
	add("deny to 192.0.2.0/24, c.test");
	changed.n_names--;
	assert_false(policy_denies_more(&old, &changed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rule_comes_before_the_others, setup),
		cmocka_unit_test_setup(test_rules_with_a_key_are_left_out, setup),
		cmocka_unit_test_setup(test_full_policy_takes_no_more, setup),
		cmocka_unit_test_setup(test_lock_lets_pass_what_denies_more, setup),
		cmocka_unit_test_setup(test_lock_stops_all_else, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
