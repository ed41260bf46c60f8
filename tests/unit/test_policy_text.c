/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of policies: errors, rows, and the canonical form. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/dnsname.h"
#include "ipc/validate_policy.h"
#include "model/policy/expect.h"
#include "model/policy/print.h"
#include "base/punycode.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

#define HEADER "policy 1\n"

static struct policy policy;
static struct policy_parser parser;
static struct policy_matcher matcher;

static struct policy_text
named(const char *text)
{
	return (struct policy_text){ "ci.policy", text, strlen(text) };
}

/* Parses the text as the only one. */
static bool
parse(const char *text)
{
	struct policy_text source = named(text);

	memset(&parser, 0, sizeof(parser));
	policy_init(&policy);
	return policy_parse(&parser, &policy, &source, IPC_POLICY_FROM_FILE);
}

static void
assert_parsed(const char *text)
{
	if (!parse(text))
		fail_msg("%s", parser.error);
}

static void
assert_refused(const char *text, const char *error)
{
	assert_false(parse(text));
	assert_string_equal(parser.error, error);
}

struct printed {
	char text[200000];
	size_t len;
};

static void
put(void *ctx, const char *text, size_t len)
{
	struct printed *printed = ctx;

	assert_true(printed->len + len < sizeof(printed->text));
	memcpy(printed->text + printed->len, text, len);
	printed->len += len;
	printed->text[printed->len] = '\0';
}

static const char *
print(struct printed *printed)
{
	printed->len = 0;
	policy_print(&policy, put, printed);
	return printed->text;
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "ci.policy:1:1: a policy begins with \"policy 1\"" },
		{ "allow to any\n", "ci.policy:1:1: a policy begins with \"policy 1\"" },
		{ "policy\n", "ci.policy:1:1: a policy begins with \"policy 1\"" },
		{ "policy 2\n",
		    "ci.policy:1:8: policy version 2 is not known; this is for version "
		    "1" },
		{ HEADER "\n\npermit to any",
		    "ci.policy:4:1: unknown word \"permit\"; wanted a setting, set, "
		    "allow, deny, forbid or expect" },
		{ HEADER "allow tcp 70000 to any",
		    "ci.policy:2:11: port 70000 is not in 1-65535" },
		{ HEADER "allow tcp 0 to any",
		    "ci.policy:2:11: port 0 is not in 1-65535" },
		{ HEADER "allow tcp 80,443,99999999999999999999 to any",
		    "ci.policy:2:18: \"99999999999999999999\" is not a port, or a range "
		    "N-M" },
		{ HEADER "allow tcp 90-80 to any",
		    "ci.policy:2:11: ports 90-80: the first is above the last" },
		{ HEADER "allow tcp 80- to any",
		    "ci.policy:2:11: \"80-\" is not a port, or a range N-M" },
		{ HEADER "allow tcp http to any",
		    "ci.policy:2:11: expected a port, not \"http\"" },
		{ HEADER "allow tcp 1,2,3,4,5,6,7,8,9 to any",
		    "ci.policy:2:27: more than 8 ranges of ports in a rule" },
		{ HEADER "allow tcp 443 to 10.0.0.1/8",
		    "ci.policy:2:18: 10.0.0.1/8 has bits behind the prefix; the network "
		    "is 10.0.0.0/8" },
		{ HEADER "allow tcp 443 to 2001:db8::1/32",
		    "ci.policy:2:18: 2001:db8::1/32 has bits behind the prefix; the "
		    "network is 2001:db8::/32" },
		{ HEADER "allow tcp 443 to 10.0.0.0/33",
		    "ci.policy:2:18: \"10.0.0.0/33\": the prefix is not in 0-32" },
		{ HEADER "allow tcp 443 to ::/129",
		    "ci.policy:2:18: \"::/129\": the prefix is not in 0-128" },
		{ HEADER "allow tcp 443 to 10.0.0.300",
		    "ci.policy:2:18: \"10.0.0.300\": neither an address, nor a name: the "
		    "last label is a number" },
		{ HEADER "allow tcp 443 to pypi..org",
		    "ci.policy:2:18: \"pypi..org\": a label is empty" },
		{ HEADER "allow tcp 443 to b\xc3\xbc"
			 "cher.example",
		    "ci.policy:2:18: \"b\\xc3\\xbccher.example\": write it as "
		    "xn--bcher-kva.example" },
		{ HEADER "allow tcp 443 to pypi.org/simple",
		    "ci.policy:2:18: \"pypi.org/simple\": write the host alone, without "
		    "https:// and path" },
		{ HEADER "allow tcp 443 to https://pypi.org",
		    "ci.policy:2:18: \"https://pypi.org\": write the host alone, without "
		    "https:// and path" },
		{ HEADER "allow tcp 443 to pypi.org:443",
		    "ci.policy:2:18: \"pypi.org:443\": the port is before the host, as in "
		    "tcp 443 to pypi.org" },
		{ HEADER "allow tcp 443 to 10.0.0/24",
		    "ci.policy:2:18: \"10.0.0/24\": an IPv4 network has four numbers "
		    "before the /" },
		{ HEADER "allow tcp 443 to 2001:db8::1::2",
		    "ci.policy:2:18: \"2001:db8::1::2\": a name has letters, digits, - "
		    "and _ in its labels" },
		{ HEADER "allow tcp 443 to *.com",
		    "ci.policy:2:18: \"*.com\": a wildcard needs two labels behind it" },
		{ HEADER "allow tcp 443 to a.*.org",
		    "ci.policy:2:18: \"a.*.org\": * is the first label or none" },
		{ HEADER "allow tcp 443 to .pypi.org",
		    "ci.policy:2:18: \".pypi.org\": write pypi.org, *.pypi.org for "
		    "both" },
		{ HEADER "allow tcp 1 to @mirrors",
		    "ci.policy:2:16: set @mirrors is not defined" },
		{ HEADER "set mirrors =\nallow tcp 1 to @mirrors",
		    "ci.policy:3:16: set @mirrors is empty" },
		{ HEADER "set a = @b",
		    "ci.policy:2:9: a set does not contain another set" },
		{ HEADER "set a b", "ci.policy:2:7: expected =, not \"b\"" },
		{ HEADER "set a = b,",
		    "ci.policy:2:11: a destination is missing before the end of the "
		    "text" },
		{ HEADER "set A! = b",
		    "ci.policy:2:5: \"A!\" is not a name of a set: at most 31 of a-z 0-9 "
		    "- _ ." },
		{ HEADER "allow tcp 443 to 10.0.0.0/8 private",
		    "ci.policy:2:1: option private is for names" },
		{ HEADER "deny tcp 443 to a.test private",
		    "ci.policy:2:1: option private is for allow" },
		{ HEADER "allow icmp 8 to any", "ci.policy:2:12: icmp has no ports" },
		{ HEADER "allow any 8 to any", "ci.policy:2:11: any has no ports" },
		{ HEADER "allow sctp to any",
		    "ci.policy:2:7: expected tcp, udp, icmp, any or to, not \"sctp\"" },
		{ HEADER "allow tcp 80 any",
		    "ci.policy:2:14: expected \"to\", not \"any\"" },
		{ HEADER "allow tcp 80 to",
		    "ci.policy:2:16: a destination is missing before the end of the "
		    "text" },
		{ HEADER "allow to a.test b.test",
		    "ci.policy:2:17: \"b.test\" is not an option; a comma separates "
		    "destinations" },
		{ HEADER "allow tcp 443 to a.test sni",
		    "ci.policy:2:25: sni needs a check of TLS handshakes, which this "
		    "version does not have" },
		{ HEADER "allow tcp 443 to a.test sni-ech",
		    "ci.policy:2:25: sni-ech needs a check of TLS handshakes, which this "
		    "version does not have" },
		{ HEADER "deny to any log",
		    "ci.policy:2:13: log needs a record of flows, which this version "
		    "does not have" },
		{ HEADER "deny to any quiet",
		    "ci.policy:2:13: quiet needs a record of flows, which this version "
		    "does not have" },
		{ HEADER "deny to any audit",
		    "ci.policy:2:13: audit needs a record of flows, which this version "
		    "does not have" },
		{ HEADER "default forbid",
		    "ci.policy:2:9: default is deny or allow, not \"forbid\"" },
		{ HEADER "refuse",
		    "ci.policy:2:7: refuse is prohibited, reset or drop, not the end of "
		    "the text" },
		{ HEADER "dns",
		    "ci.policy:2:4: dns is listed or any, not the end of the "
		    "text" },
		{ HEADER "mode audit\nmode enforce",
		    "ci.policy:3:1: mode has another value in ci.policy:2" },
		{ HEADER "mode audit audit",
		    "ci.policy:2:12: expected the end of the line, not \"audit\"" },
		{ HEADER "set a = b\x01", "ci.policy:2:10: byte 0x01 is not text" },
		{ HEADER "expect allow tcp to a.test",
		    "ci.policy:2:18: expect needs tcp or udp with one port, or icmp" },
		{ HEADER "expect allow tcp 1-2 to a.test",
		    "ci.policy:2:22: expect needs tcp or udp with one port, or icmp" },
		{ HEADER "expect allow tcp 1 to internet",
		    "ci.policy:2:23: expect needs one address or one name, not "
		    "\"internet\"" },
		{ HEADER "expect allow tcp 1 to 10.0.0.0/8",
		    "ci.policy:2:23: expect needs one address or one name, not "
		    "\"10.0.0.0/8\"" },
		{ HEADER "expect forbid tcp 1 to a.test",
		    "ci.policy:2:8: expect allow or deny, not forbid" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		assert_refused(cases[i].text, cases[i].error);
}

/* n times `line`, then the last line. The caller frees it. */
static char *
repeat(const char *line, unsigned int n, const char *last)
{
	size_t len = strlen(line);
	char *text = malloc(sizeof(HEADER) + n * len + strlen(last));
	char *at = text;

	assert_non_null(text);
	at += sprintf(at, HEADER);
	for (unsigned int i = 0; i < n; i++)
		at += sprintf(at, "%s", line);
	strcpy(at, last);
	return text;
}

static void
test_limits(void **state)
{
	static const struct {
		const char *line;
		unsigned int n;
		const char *last;
		const char *error; /* NULL: none */
	} cases[] = {
		{ "allow to any\n", 1024, "", NULL },
		{ "allow to any\n", 1025, "", "ci.policy:1026:1: more than 1024 rules" },
		{ "set a = 10.0.0.0/8\n", 16384, "allow to @a", NULL },
		{ "set a = 10.0.0.0/8\n", 16384, "allow to @a,10.0.0.1",
		    "ci.policy:16386:13: more than 16384 addresses" },
		{ "set a = 10.0.0.0/8\n", 16385, "",
		    "ci.policy:16386:9: more than 16384 addresses in sets" },
		{ "set a = a.test\n", 4096, "allow to @a, b.test",
		    "ci.policy:4098:14: more than 4096 names" },
		{ "set a = a.test\n", 4097, "",
		    "ci.policy:4098:9: more than 4096 names in sets" },
		{ "expect allow tcp 1 to a.test\n", 257, "",
		    "ci.policy:258:8: more than 256 expects" },
		{ "# 45678901234567890\n", 52428, "", NULL },
		{ "# 45678901234567890\n", 52429, "",
		    "ci.policy: more than 1048576 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char *text = repeat(cases[i].line, cases[i].n, cases[i].last);

		if (cases[i].error == NULL)
			assert_parsed(text);
		else
			assert_refused(text, cases[i].error);
		free(text);
	}
}

static void
test_257th_set(void **state)
{
	char text[8192];
	size_t len = (size_t)sprintf(text, HEADER);

	(void)state;
	for (int i = 0; i < 257; i++)
		len += (size_t)sprintf(text + len, "set s%d = internet\n", i);
	assert_refused(text, "ci.policy:258:5: more than 256 sets");
}

static void
test_long_line_is_refused_and_can_be_joined(void **state)
{
	char text[3000];
	size_t len = (size_t)sprintf(text, HEADER "allow to 10.0.0.1");

	(void)state;
	while (len < 1500)
		len += (size_t)sprintf(text + len, ", 10.0.0.1");
	assert_refused(text,
	    "ci.policy:2:1024: the line has more than 1023 bytes; \\ at its end joins it "
	    "with the next");
	len = (size_t)sprintf(text, HEADER "allow to 10.0.0.1");
	while (len < 1500)
		len += (size_t)sprintf(text + len, ", \\\n 10.0.0.1");
	assert_parsed(text);
	assert_true(policy.n_rules == 1 && policy.n_prefixes > 100);
}

static void
test_two_texts_in_order(void **state)
{
	struct policy_text first = { "a.policy", HEADER "mode audit\nallow to 10.0.0.1",
		0 };
	struct policy_text second = { "b.policy",
		HEADER "mode audit\n\ndeny to any\nrefuse drop", 0 };
	char where[POLICY_WHERE_SIZE];

	(void)state;
	first.len = strlen(first.text);
	second.len = strlen(second.text);
	memset(&parser, 0, sizeof(parser));
	policy_init(&policy);
	assert_true(policy_parse(&parser, &policy, &first, IPC_POLICY_FROM_FILE));
	assert_true(policy_parse(&parser, &policy, &second, IPC_POLICY_FROM_FILE + 1));
	assert_int_equal(policy.n_rules, 2);
	assert_string_equal(policy_where(&policy, 1, where), "b.policy:4");
	second.text = HEADER "mode enforce";
	second.len = strlen(second.text);
	assert_false(policy_parse(&parser, &policy, &second, IPC_POLICY_FROM_FILE + 2));
	assert_string_equal(parser.error,
	    "b.policy:2:1: mode has another value in a.policy:2");
}

static void
test_canonical_form(void **state)
{
	/* The second line of the set is below its use. */
	static const char text[] =
	    "# ours\r\npolicy 1 # version\n"
	    "set mirrors = deb.debian.org, 192.0.2.0/24\n"
	    "default allow\nrefuse reset\nestablished keep\n"
	    "dns listed exclusive\ndns-refusal refused\ndns-types a,aaaa\n"
	    "web: allow tcp 443 , 80-81 to PyPI.org., *.Example.COM, @mirrors private\n"
	    "deny udp to special,internet, [2001:DB8::/32]\n"
	    "set mirrors = security.debian.org\nforbid any to metadata\n"
	    "allow icmp to 192.0.2.1/32,[2001:db8::1]\n";
	static const char canonical[] =
	    "policy 1\ndefault allow\nrefuse reset\nestablished keep\n"
	    "dns listed exclusive\ndns-refusal refused\ndns-types a, aaaa\n"
	    "web: allow tcp 443,80-81 to 192.0.2.0/24, pypi.org, *.example.com, "
	    "deb.debian.org, \\\n    security.debian.org private\n"
	    "deny udp to internet, special, 2001:db8::/32\n"
	    "forbid to metadata\nallow icmp to 192.0.2.1, 2001:db8::1\n";
	static struct printed printed;

	(void)state;
	assert_parsed(text);
	assert_string_equal(print(&printed), canonical);
	assert_string_equal(policy.rules[0].label, "web");
	assert_parsed(canonical);
	assert_string_equal(print(&printed), canonical);
}

static void
test_key_is_of_the_text_without_label(void **state)
{
	(void)state;
	assert_parsed(HEADER "a: allow tcp 1 to a.test\nallow tcp 1 to A.test.\n"
			     "allow tcp 2 to a.test\nallow tcp 1 to *.a.test\n"
			     "deny tcp 1 to a.test\n");
	assert_true(policy.rules[0].key == policy.rules[1].key);
	for (int i = 2; i < 5; i++)
		assert_true(policy.rules[0].key != policy.rules[i].key);
}

/* Returns the error of the expects, "" for none. */
static const char *
check_expects(const char *text)
{
	assert_parsed(text);
	policy_matcher_make(&matcher, &policy);
	return policy_expects_check(&parser, &matcher) ? "" : parser.error;
}

static void
test_expects(void **state)
{
	(void)state;
	assert_string_equal(check_expects(HEADER "allow tcp 443 to pypi.org\n"
						 "deny tcp to 10.0.0.0/8\n"
						 "expect allow tcp 443 to pypi.org\n"
						 "expect deny tcp 80 to pypi.org\n"
						 "expect deny icmp to 10.0.0.1\n"
						 "expect deny tcp 443 to a.pypi.org"),
	    "");
}

static void
test_failed_expects(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ HEADER "allow tcp 443 to a.test\ndeny to pypi.org\n"
			 "expect allow tcp 443 to pypi.org\n",
		    "ci.policy:4:1: expected allow tcp 443 to pypi.org, but rule "
		    "ci.policy:3 denies it" },
		{ HEADER "expect allow udp 1 to 192.0.2.1\n",
		    "ci.policy:2:1: expected allow udp 1 to 192.0.2.1, but the default "
		    "denies it" },
		{ HEADER "allow icmp to private\nexpect deny icmp to fc00::1\n",
		    "ci.policy:3:1: expected deny icmp to fc00::1, but rule ci.policy:2 "
		    "allows it" },
		{ HEADER "dns any exclusive\nallow to any\nexpect allow tcp 853 to "
			 "8.8.8.8\n",
		    "ci.policy:4:1: expected allow tcp 853 to 8.8.8.8, but dns exclusive "
		    "denies it" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		assert_string_equal(check_expects(cases[i].text), cases[i].error);
}

struct warnings {
	char text[4096];
};

static void
note_warning(void *ctx, uint32_t rule, const char *text)
{
	struct warnings *warnings = ctx;
	size_t len = strlen(warnings->text);

	snprintf(warnings->text + len, sizeof(warnings->text) - len, "%u %.24s|", rule,
	    text);
}

static void
keep_warning(void *ctx, uint32_t rule, const char *text)
{
	(void)rule;
	snprintf(ctx, 256, "%s", text);
}

static void
test_lint(void **state)
{
	static const struct {
		const char *rules, *warnings;
	} cases[] = {
		{ "allow tcp 443 to a.test\nforbid to metadata", "" },
		{ "allow tcp 443 to any", "0 any includes private net|" },
		{ "allow to internet\nforbid to 192.0.2.0/24",
		    "1 only IPv4 addresses: the|" },
		{ "allow to internet\nforbid to 192.0.2.0/24, 2001:db8::/32", "" },
		{ "allow to a.test", "0 names without ports: oth|" },
		{ "allow icmp to a.test", "" },
		{ "forbid to metdata",
		    "0 metdata is taken as a ho|0 a name in deny or forbid|" },
		{ "allow tcp 443 to hosts, build, priv.ate",
		    "0 hosts is taken as a host|0 build is a host name of |" },
		{ "allow tcp 443 to *.x.github.io", "0 *.x.github.io: anybody c|" },
		{ "allow tcp 443 to *.notgithub.io", "" },
		{ "allow tcp 50-60 to 192.0.2.1", "0 port 53 or 853: queries |" },
		{ "deny to a.test", "0 a name in deny or forbid|" },
		{ "allow tcp to 10.0.0.0/8\nallow tcp 80 to 10.1.0.0/16",
		    "1 never reached: ci.policy|" },
		{ "allow tcp 80 to 10.0.0.0/8\nallow tcp to 10.1.0.0/16", "" },
		{ "allow tcp to 10.1.0.0/16\nallow tcp to 10.0.0.0/8", "" },
		{ "allow tcp 1-9 to private\nallow tcp 5 to private",
		    "1 never reached: ci.policy|" },
		{ "allow tcp 443 to private\nforbid to any",
		    "0 never reached: ci.policy|" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct warnings warnings = { "" };

		snprintf(text, sizeof(text), HEADER "%s\n", cases[i].rules);
		assert_parsed(text);
		policy_lint(&policy, note_warning, &warnings);
		assert_string_equal(warnings.text, cases[i].warnings);
	}
}

static void
test_slips(void **state)
{
	static const struct {
		const char *dest, *warning;
	} cases[] = {
		{ "metdata",
		    "metdata is taken as a host name; did you mean the class "
		    "metadata?" },
		{ "lnik-locl",
		    "lnik-locl is taken as a host name; did you mean the class "
		    "link-local?" },
		{ "ayn", "ayn is taken as a host name; did you mean the class any?" },
		{ "metdat-a1", "" },
		{ "hst2", "" },
		{ "build", "" },
		{ "metdata.test", "" },
		{ "metadata", "" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char warning[256] = "";

		snprintf(text, sizeof(text), HEADER "deny to %s\n", cases[i].dest);
		assert_parsed(text);
		policy_lint_slips(&policy, keep_warning, warning);
		assert_string_equal(warning, cases[i].warning);
	}
}

static void
test_checks_of_rows_accept_what_the_parser_makes(void **state)
{
	const char *why;

	(void)state;
	assert_parsed(HEADER "dns any exclusive\n"
			     "a.b-c_d: allow udp 1-2,3 to any, ::/0, *.a.test, b.test "
			     "private\n");
	assert_int_equal(ipc_check_policy_settings(&policy.settings, &why), 0);
	assert_int_equal(ipc_check_policy_rule(&policy.rules[0], &why), 0);
	assert_int_equal(ipc_check_policy_prefix(&policy.prefixes[0], &why), 0);
	assert_int_equal(ipc_check_policy_name(&policy.names[0], &why), 0);
	assert_int_equal(ipc_check_policy_name(&policy.names[1], &why), 0);
	assert_true(policy_is_whole(&policy, &why));
}

/* RFC 3492 section 7.1, and names that have no such form. */
static void
test_types_of_queries_need_queries(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{ HEADER "dns any\ndns-types a\n", false },
		{ HEADER "allow to internet\ndns-types a\n", false },
		{ HEADER "dns any\n", true },
		{ HEADER "dns-types a\n", true },
		{ HEADER "dns any\ndns-types a\nallow tcp 1 to a.test\n", true },
		{ HEADER "dns any\ndns-types a\ndeny to a.test\n", true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		assert_parsed(cases[i].text);
		assert_true(
		    policy_finish(&parser, &matcher, false, true) == cases[i].is_good);
	}
	assert_parsed(cases[1].text);
	assert_false(policy_finish(&parser, &matcher, false, true));
	assert_string_equal(parser.error,
	    "ci.policy:3: dns-types needs a rule with a name, or \"dns listed\"");
}

static void
test_punycode(void **state)
{
	static const struct {
		const char *name, *ascii; /* NULL: none */
	} cases[] = {
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.example",
		    "xn--bcher-kva.example" },
		{ "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8"
		  "\x8d\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87",
		    "xn--ihqwcrb4cv8a8dqg056pqjye" },
		{ "3\xe5\xb9\xb4"
		  "b\xe7\xb5\x84\xe9\x87\x91\xe5\x85\xab\xe5\x85\x88\xe7\x94\x9f",
		    "xn--3b-ww4c5e180e575a65lsy2b" },
		{ "a.\xff.b", NULL },
		{ "\xc3", NULL },
		{ "\xc0\x80", NULL },
		{ "\xed\xa0\x80", NULL },
		{ "a b\xc3\xbc", NULL },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char ascii[64] = "";
		bool has_form = punycode_of_name(ascii, sizeof(ascii), cases[i].name,
		    strlen(cases[i].name));

		assert_true(has_form == (cases[i].ascii != NULL));
		if (has_form)
			assert_string_equal(ascii, cases[i].ascii);
	}
}

static void
test_lengths_of_names(void **state)
{
	char label[65], name[256];

	(void)state;
	memset(label, 'a', sizeof(label));
	assert_int_equal(dnsname_check(label, 63), DNSNAME_OK);
	assert_int_equal(dnsname_check(label, 64), DNSNAME_LONG_LABEL);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	assert_int_equal(dnsname_check(name, 253), DNSNAME_OK);
	assert_int_equal(dnsname_check(name, 255), DNSNAME_TOO_LONG);
	assert_int_equal(dnsname_check("", 0), DNSNAME_EMPTY_LABEL);
	assert_int_equal(dnsname_check("a.", 2), DNSNAME_EMPTY_LABEL);
	assert_int_equal(dnsname_check("a.1", 3), DNSNAME_IS_NUMBER);
	assert_int_equal(dnsname_check("A", 1), DNSNAME_BAD_BYTE);
	assert_int_equal(dnsname_check("a\0b", 3), DNSNAME_BAD_BYTE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_257th_set),
		cmocka_unit_test(test_long_line_is_refused_and_can_be_joined),
		cmocka_unit_test(test_two_texts_in_order),
		cmocka_unit_test(test_canonical_form),
		cmocka_unit_test(test_key_is_of_the_text_without_label),
		cmocka_unit_test(test_expects),
		cmocka_unit_test(test_failed_expects),
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_slips),
		cmocka_unit_test(test_checks_of_rows_accept_what_the_parser_makes),
		cmocka_unit_test(test_types_of_queries_need_queries),
		cmocka_unit_test(test_punycode),
		cmocka_unit_test(test_lengths_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
