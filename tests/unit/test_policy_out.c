/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of --allow-out and --deny-out: rules, errors, and their order before files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/policy/expect.h"
#include "model/policy/out.h"
#include "model/policy/print.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* The longest label, with its dot. */
#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."

static struct policy policy;
static struct policy_parser parser;
static struct policy_matcher matcher;

static void
begin(void)
{
	memset(&parser, 0, sizeof(parser));
	policy_init(&policy);
}

static bool
take(uint16_t source, const char *value, uint32_t line)
{
	const struct policy_text text = {
		.name = source == IPC_POLICY_FROM_DENY_OUT ? "--deny-out" : "--allow-out",
		.text = value,
		.len = strlen(value),
	};

	return policy_parse_out(&parser, &policy, &text, source, line);
}

static void
put(void *ctx, const char *text, size_t len)
{
	snprintf((char *)ctx + strlen(ctx), POLICY_LINE_MAX - strlen(ctx), "%.*s",
	    (int)len, text);
}

static void
assert_rule(uint32_t rule, const char *line)
{
	char text[POLICY_LINE_MAX] = "";

	policy_print_one_line(&policy, rule, put, text);
	assert_string_equal(text, line);
}

static void
test_values_are_rules(void **state)
{
	static const struct {
		const char *value, *rule;
	} cases[] = {
		{ "pypi.org:443", "allow tcp 443 to pypi.org" },
		{ "PyPI.org.:443/tcp", "allow tcp 443 to pypi.org" },
		{ "*.pypi.org:1-65535", "allow tcp 1-65535 to *.pypi.org" },
		{ "192.0.2.0/24:123/udp", "allow udp 123 to 192.0.2.0/24" },
		{ "[2001:db8::1]:443", "allow tcp 443 to 2001:db8::1" },
		{ "[2001:db8::/32]:80-90/udp", "allow udp 80-90 to 2001:db8::/32" },
		{ "internet:443", "allow tcp 443 to internet" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		begin();
		if (!take(IPC_POLICY_FROM_ALLOW_OUT, cases[i].value, 1))
			fail_msg("%s", parser.error);
		assert_int_equal(policy.n_rules, 1);
		assert_rule(0, cases[i].rule);
	}
}

static void
test_errors(void **state)
{
	static const char *const no_port =
	    "no port: HOST:PORT[-PORT][/udp], with IPv6 in brackets";
	static const char *const no_form = "not HOST:PORT[-PORT][/udp]";
	const struct {
		const char *value, *why;
	} cases[] = {
		{ "", no_port },
		{ "pypi.org", no_port },
		{ "pypi.org:", no_port },
		{ ":443", no_port },
		{ "[2001:db8::1]", no_port },
		{ "2001:db8::1:443", "an IPv6 address is in brackets here" },
		{ "pypi.org:443/sctp", "the protocol is neither tcp nor udp" },
		{ "pypi.org:443/", "the protocol is neither tcp nor udp" },
		{ "pypi.org:443/udp/tcp", "the protocol is neither tcp nor udp" },
		{ "pypi.org:0", "port 0 is not in 1-65535" },
		{ "pypi.org:65536", "port 65536 is not in 1-65535" },
		{ "pypi.org:90-80", "ports 90-80: the first is above the last" },
		{ "pypi.org:http", "expected a port, not \"http\"" },
		{ "pypi..org:443", "\"pypi..org\": a label is empty" },
		{ "*.com:443", "\"*.com\": a wildcard needs two labels behind it" },
		{ "10.0.0.1/8:443",
		    "10.0.0.1/8 has bits behind the prefix; the network is 10.0.0.0/8" },
		{ "b\xc3\xbc"
		  "cher.example:443",
		    "\"b\\xc3\\xbccher.example\": write it as xn--bcher-kva.example" },
		{ LABEL63 LABEL63 LABEL63 LABEL63 "a:443", NULL },
		{ "pypi.org:443 private", no_form },
		{ "pypi.org,evil.test:443", no_form },
		{ "pypi.org:443\nallow to any", no_form },
		{ "pypi.org:443#", no_form },
		{ "@set:443", no_form },
		{ "a\\b:443", no_form },
		{ "a=b:443", no_form },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		for (uint16_t source = IPC_POLICY_FROM_DENY_OUT;
		     source <= IPC_POLICY_FROM_ALLOW_OUT; source++) {
			const char *option = source == IPC_POLICY_FROM_DENY_OUT
			    ? "--deny-out="
			    : "--allow-out=";

			begin();
			if (take(source, cases[i].value, 1))
				fail_msg("%s is taken", cases[i].value);
			assert_int_equal(strncmp(parser.error, option, strlen(option)),
			    0);
			if (cases[i].why == NULL)
				continue;
			assert_string_equal(parser.error + strlen(parser.error) -
				strlen(cases[i].why),
			    cases[i].why);
		}
	}
	begin();
	assert_false(take(IPC_POLICY_FROM_ALLOW_OUT, "a\\b\x1b:443", 1));
	assert_string_equal(parser.error,
	    "--allow-out=a\\x5cb\\x1b:443: not HOST:PORT[-PORT][/udp]");
}

/* --deny-out, --allow-out, then files. */
static void
test_order(void **state)
{
	static const char lines[] = "policy 1\nallow tcp to any\n";
	const struct policy_text file = { "p", lines, sizeof(lines) - 1 };
	const struct {
		const char *addr, *cause;
	} cases[] = {
		{ "192.0.2.1", "rule --deny-out:2" },
		{ "192.0.2.2", "rule --allow-out:1" },
		{ "198.51.100.1", "rule p:2" },
	};

	(void)state;
	begin();
	assert_true(take(IPC_POLICY_FROM_DENY_OUT, "192.0.2.1:80", 1));
	assert_true(take(IPC_POLICY_FROM_DENY_OUT, "192.0.2.1:443", 2));
	assert_true(take(IPC_POLICY_FROM_ALLOW_OUT, "192.0.2.0/24:443", 1));
	assert_true(policy_parse(&parser, &policy, &file, IPC_POLICY_FROM_FILE));
	assert_true(policy_finish(&parser, &matcher, false, true));
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct policy_expect flow = { .proto = IPC_POLICY_PROTO_tcp,
			.port = 443 };
		struct policy_verdict verdict;
		char cause[POLICY_CAUSE_SIZE];

		assert_true(inaddr_parse(cases[i].addr, &flow.addr));
		verdict = policy_expect_judge(&matcher, &flow);
		assert_string_equal(policy_cause_format(&policy, &verdict, cause),
		    cases[i].cause);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_rules),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
