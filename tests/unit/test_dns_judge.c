/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions on the guest's queries: which names are asked for, what of the answers is passed on,
 * and which addresses are pinned. */
#include "dns_fixture.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "model/policy/parse.h"
#include "resolver/dns/judge.h"

#define NOW_MS 1000000

static struct policy policy;
static struct policy_parser parser;
static struct policy_matcher matcher;
static struct judge judge;
static struct judged judged;
static uint8_t out[DNS_REPLY_MAX];
static struct inaddr pinned[DNS_RECORDS_MAX];

static void
load(const char *text)
{
	static const uint64_t secret[4] = { 1, 2, 3, 4 };
	struct policy_place *place = &judge.place;
	const struct policy_text source = { "ci.policy", text, strlen(text) };
	struct inaddr host;

	memset(&judge, 0, sizeof(judge));
	memset(&parser, 0, sizeof(parser));
	policy_init(&policy);
	if (!policy_parse(&parser, &policy, &source, IPC_POLICY_FROM_FILE))
		fail_msg("%s", parser.error);
	policy_matcher_make(&matcher, &policy);
	place->network_be = htonl(0x0a000200);
	place->netmask_be = htonl(0xffffff00);
	assert_true(inaddr_parse("198.51.99.200", &host));
	policy_place_set_host(place, &host, 1);
	judge_init(&judge, true, secret);
	judge_set_policy(&judge, &matcher);
}

/* The policy of the bypass cases. */
static int
setup(void **state)
{
	(void)state;
	load("policy 1\n"
	     "deny to bad.wild.test\n"
	     "allow tcp 443 to api.test, *.wild.test\n"
	     "allow tcp 80 to lan.test private\n"
	     "forbid to *.evil.wild.test\n");
	return 0;
}

/* A query with EDNS. */
static enum judge_step
query_at(const char *name, uint16_t type, uint64_t now_ms)
{
	uint8_t *exact;
	enum judge_step step;

	begin(7, DNS_RECURSION_DESIRED);
	question(name, type, DNS_CLASS_IN);
	record(ADDITIONAL, "", DNS_OPT, 0, NULL, 0);
	exact = message_copy();
	step = judge_query(&judge, &judged, exact, message.len, false, now_ms);
	free(exact);
	return step;
}

static enum judge_step
query(const char *name, uint16_t type)
{
	return query_at(name, type, NOW_MS);
}

static void
ask(void)
{
	uint8_t bits[DNS_CASE_BITS_LEN];

	memset(bits, 0x55, sizeof(bits));
	judge_ask(&judged, 0x1234, bits);
}

/* Begins the server's answer. */
static void
begin_reply(uint16_t flags)
{
	ask();
	begin_answer(&judged.ask, RESPONSE_FLAGS | flags);
}

static enum judge_step
answer(void)
{
	uint8_t *exact = message_copy();
	enum judge_step step = judge_answer(&judge, &judged, exact, message.len, NOW_MS);

	free(exact);
	return step;
}

static void
expect_reply(enum dns_rcode rcode, int ede)
{
	size_t len = judge_write(&judged, out, sizeof(out));
	size_t opt = DNS_HEADER_LEN + judged.query.question_len;

	assert_true(len >= DNS_HEADER_LEN);
	assert_int_equal(out[3] & DNS_RCODE, rcode & DNS_RCODE);
	if (ede == DNS_EDE_NONE || load_be16(out + ANSWERS) > 0)
		return;
	/* OPT, its option, and the reason. */
	assert_true(len >= opt + 17);
	assert_int_equal(load_be16(out + opt + 11), 15);
	assert_int_equal(load_be16(out + opt + 15), ede);
}

static size_t
n_answers(void)
{
	return load_be16(out + ANSWERS);
}

static void
expect_denied(const char *name, const char *why)
{
	assert_int_equal(query(name, DNS_A), JUDGE_REPLY);
	expect_reply(DNS_NXDOMAIN, DNS_EDE_BLOCKED);
	assert_string_equal(judged.reply.ede_text, why);
	assert_int_equal(judge_pins(&judged, pinned), 0);
}

static void
test_listed_name_is_asked_and_pinned(void **state)
{
	char text[INET6_ADDRSTRLEN];

	(void)state;
	assert_int_equal(query("API.test", DNS_A), JUDGE_ASK);
	begin_reply(0);
	assert_string_equal(judged.ask.name, "api.test");
	record_addr(ANSWERS, "api.test", 60, "198.51.99.1");
	record_addr(ANSWERS, "api.test", 60, "198.51.99.2");
	assert_int_equal(answer(), JUDGE_REPLY);
	assert_int_equal(judge_pins(&judged, pinned), 2);
	assert_string_equal(inaddr_format(&pinned[1], text), "198.51.99.2");
	assert_int_equal(judged.n_patterns, 1);
	assert_string_equal(policy.names[matcher.patterns[judged.patterns[0]].name].text,
	    "api.test");
	assert_int_equal(judged.answer.ttl_s, 60);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(n_answers(), 2);
	/* The guest's case. */
	assert_memory_equal(out + DNS_HEADER_LEN, "\3API\4test", 10);
}

static void
test_unlisted_names_stay_here(void **state)
{
	static const char *const names[] = { "evil.test", "secret.api.test", "xapi.test",
		"api.test.evil.test", "wild.test", "test", "1.99.51.198.in-addr.arpa" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		expect_denied(names[i], "no rule lists the name");
	expect_denied("bad.wild.test", "denied by ci.policy:2");
	expect_denied("a.evil.wild.test", "denied by ci.policy:5");
	expect_denied("a b.wild.test", "not a name of a host");
	expect_denied("x.local", "no rule lists the name");
	assert_int_equal(judge.n_denied, 11);
}

static void
test_refusal_is_a_setting(void **state)
{
	(void)state;
	load("policy 1\ndns-refusal refused\nallow tcp 443 to api.test\n");
	assert_int_equal(query("evil.test", DNS_A), JUDGE_REPLY);
	expect_reply(DNS_REFUSED, DNS_EDE_BLOCKED);
}

static void
test_types_that_are_not_asked_for(void **state)
{
	static const uint16_t types[] = { DNS_TXT, 10, 255, 252, 251, 250, DNS_PTR,
		DNS_NS, DNS_SOA, DNS_MX, DNS_CAA, DNS_OPT, 46, 48, 65535 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		assert_int_equal(query("api.test", types[i]), JUDGE_REPLY);
		expect_reply(DNS_REFUSED, DNS_EDE_BLOCKED);
	}
	assert_int_equal(query("api.test", DNS_HTTPS), JUDGE_ASK);
	load("policy 1\ndns-types a, txt\nallow tcp 443 to api.test\n");
	assert_int_equal(query("api.test", DNS_TXT), JUDGE_ASK);
	assert_int_equal(query("api.test", DNS_AAAA), JUDGE_REPLY);
	expect_reply(DNS_REFUSED, DNS_EDE_BLOCKED);
}

static void
test_errors_of_form(void **state)
{
	(void)state;
	begin(7, 0x2800);
	assert_int_equal(judge_query(&judge, &judged, message_bytes, message.len, false,
			     NOW_MS),
	    JUDGE_REPLY);
	expect_reply(DNS_NOTIMP, DNS_EDE_NONE);
	begin(7, 0);
	assert_int_equal(judge_query(&judge, &judged, message_bytes, message.len, false,
			     NOW_MS),
	    JUDGE_REPLY);
	expect_reply(DNS_FORMERR, DNS_EDE_NONE);
	begin(7, DNS_RESPONSE);
	assert_int_equal(judge_query(&judge, &judged, message_bytes, message.len, false,
			     NOW_MS),
	    JUDGE_IGNORE);
}

static void
test_localhost_is_the_guest(void **state)
{
	(void)state;
	assert_int_equal(query("localhost", DNS_A), JUDGE_REPLY);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(n_answers(), 1);
	expect_addr(&judged.answer, 0, "127.0.0.1");
	assert_int_equal(query("x.localhost", DNS_AAAA), JUDGE_REPLY);
	expect_addr(&judged.answer, 0, "::1");
	assert_int_equal(query("localhost", DNS_SRV), JUDGE_REPLY);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(n_answers(), 0);
	assert_int_equal(judge_pins(&judged, pinned), 0);
}

static void
test_any_name_if_the_policy_says_so(void **state)
{
	(void)state;
	load("policy 1\nallow to internet\nallow tcp 80 to x.onion\n");
	expect_denied("y.onion", "a name of other systems than DNS");
	expect_denied("use-application-dns.net", "a name of other systems than DNS");
	expect_denied("printer.local", "a name of other systems than DNS");
	assert_int_equal(query("x.onion", DNS_A), JUDGE_ASK);
	/* Nothing is pinned or cut: flows are judged by their addresses. */
	assert_int_equal(query("other.test", DNS_A), JUDGE_ASK);
	begin_reply(0);
	record_addr(ANSWERS, "other.test", 60, "10.0.0.5");
	assert_int_equal(answer(), JUDGE_REPLY);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(n_answers(), 1);
	assert_int_equal(judge_pins(&judged, pinned), 0);
	/* No limit either: data can leave by any name. */
	for (int i = 0; i < 2 * DNS_QUERIES_BURST; i++)
		assert_int_equal(query("more.test", DNS_A), JUDGE_ASK);
}

static void
test_no_ipv6_no_aaaa(void **state)
{
	(void)state;
	judge.has_ipv6 = false;
	assert_int_equal(query("api.test", DNS_AAAA), JUDGE_REPLY);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(n_answers(), 0);
	expect_denied("evil.test", "no rule lists the name");
	assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
}

static void
test_chain_leads_where_its_owner_likes(void **state)
{
	(void)state;
	assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
	begin_reply(0);
	record_name(ANSWERS, "api.test", DNS_CNAME, 60, "evil.test");
	assert_int_equal(answer(), JUDGE_ASK);
	begin_reply(0);
	assert_string_equal(judged.ask.name, "evil.test");
	record_addr(ANSWERS, "evil.test", 60, "198.51.99.1");
	record_addr(ANSWERS, "bank.test", 60, "198.51.99.9");
	assert_int_equal(answer(), JUDGE_REPLY);
	assert_int_equal(judge_pins(&judged, pinned), 1);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(n_answers(), 2);
	/* The name of the chain is no name of a rule. */
	expect_denied("evil.test", "no rule lists the name");
}

static void
test_chain_without_an_end(void **state)
{
	char target[32];
	enum judge_step step = query("api.test", DNS_A);

	(void)state;
	for (int i = 0; i < DNS_CNAMES_MAX; i++) {
		assert_int_equal(step, JUDGE_ASK);
		begin_reply(0);
		snprintf(target, sizeof(target), "n%d.test", i);
		record_name(ANSWERS, judged.ask.name, DNS_CNAME, 60, target);
		step = answer();
	}
	assert_int_equal(step, JUDGE_ASK);
	begin_reply(0);
	record_name(ANSWERS, judged.ask.name, DNS_CNAME, 60, "last.test");
	assert_int_equal(answer(), JUDGE_OTHER_SERVER);
}

/* The server's answer has these addresses. */
static void
answer_with(const char *name, const char *first, const char *second)
{
	struct inaddr addr;

	assert_true(inaddr_parse(first, &addr));
	assert_int_equal(query(name, addr.is_ipv6 ? DNS_AAAA : DNS_A), JUDGE_ASK);
	begin_reply(0);
	record_addr(ANSWERS, name, 0, first);
	if (second != NULL)
		record_addr(ANSWERS, name, 0, second);
	assert_int_equal(answer(), JUDGE_REPLY);
}

static void
test_rebinding_is_cut(void **state)
{
	static const char *const never[] = { "127.0.0.1", "169.254.169.254",
		"198.51.99.200", "10.0.2.2", "::ffff:10.0.0.5", "64:ff9b::7f00:1",
		"fe80::1" };
	static const char *const private[] = { "10.0.0.5", "fd12::1", "64:ff9b::a00:5" };

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		answer_with("api.test", never[i], NULL);
		expect_reply(DNS_NXDOMAIN, DNS_EDE_BLOCKED);
		assert_int_equal(judge_pins(&judged, pinned), 0);
		answer_with("lan.test", never[i], NULL);
		expect_reply(DNS_NXDOMAIN, DNS_EDE_BLOCKED);
		assert_int_equal(judge_pins(&judged, pinned), 0);
	}
	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++) {
		answer_with("api.test", private[i], NULL);
		expect_reply(DNS_NXDOMAIN, DNS_EDE_BLOCKED);
		answer_with("lan.test", private[i], NULL);
		expect_reply(DNS_NOERROR, DNS_EDE_NONE);
		assert_int_equal(judge_pins(&judged, pinned), 1);
	}
	/* The public address alone. */
	answer_with("api.test", "10.0.0.5", "198.51.99.1");
	expect_reply(DNS_NOERROR, DNS_EDE_FORGED_ANSWER);
	assert_int_equal(n_answers(), 1);
	assert_int_equal(judge_pins(&judged, pinned), 1);
	assert_int_equal(judge.n_cut, 2 * 7 + 3 + 1);
}

static void
test_cached_answer_is_judged_anew(void **state)
{
	struct inaddr host[2];

	(void)state;
	assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
	begin_reply(0);
	record_addr(ANSWERS, "api.test", 60, "198.51.99.1");
	assert_int_equal(answer(), JUDGE_REPLY);
	assert_int_equal(query_at("api.test", DNS_A, NOW_MS + 10000), JUDGE_REPLY);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(judged.answer.ttl_s, 50);
	/* A hit pins again. */
	assert_int_equal(judge_pins(&judged, pinned), 1);
	/* The address becomes one of the host's. */
	assert_true(inaddr_parse("198.51.99.1", &host[0]));
	policy_place_set_host(&judge.place, host, 1);
	assert_int_equal(query_at("api.test", DNS_A, NOW_MS + 10000), JUDGE_REPLY);
	expect_reply(DNS_NXDOMAIN, DNS_EDE_BLOCKED);
	/* Another policy. */
	judge_set_policy(&judge, &matcher);
	assert_int_equal(query_at("api.test", DNS_A, NOW_MS + 10000), JUDGE_ASK);
}

static void
test_whole_chain_is_cached(void **state)
{
	(void)state;
	test_chain_leads_where_its_owner_likes(state);
	assert_int_equal(query("api.test", DNS_A), JUDGE_REPLY);
	assert_int_equal(judged.answer.n_cnames, 1);
	assert_int_equal(judge_pins(&judged, pinned), 1);
}

static void
test_failures_of_servers(void **state)
{
	(void)state;
	assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
	begin_reply(DNS_SERVFAIL);
	assert_int_equal(answer(), JUDGE_OTHER_SERVER);
	begin_reply(DNS_REFUSED);
	assert_int_equal(answer(), JUDGE_OTHER_SERVER);
	begin_reply(0);
	record(ANSWERS, "api.test", DNS_A, 60, "abc", 3);
	assert_int_equal(answer(), JUDGE_OTHER_SERVER);
	/* A part of an answer is none. Over TCP there is nothing longer. */
	begin_reply(DNS_TRUNCATED);
	record_addr(ANSWERS, "api.test", 60, "198.51.99.1");
	judged.is_tcp = true;
	assert_int_equal(answer(), JUDGE_OTHER_SERVER);
	judged.is_tcp = false;
	assert_int_equal(answer(), JUDGE_REPLY);
	expect_reply(DNS_NOERROR, DNS_EDE_NONE);
	assert_int_equal(out[2] & 2, 2);
	assert_int_equal(n_answers(), 0);
	assert_int_equal(judge_pins(&judged, pinned), 0);
	begin_reply(0);
	message_bytes[0] ^= 1;
	assert_int_equal(answer(), JUDGE_WAIT);
	judge_fail(&judge, &judged, DNS_EDE_NETWORK_ERROR, NOW_MS);
	expect_reply(DNS_SERVFAIL, DNS_EDE_NETWORK_ERROR);
	assert_int_equal(judge_pins(&judged, pinned), 0);
	/* It is not asked again for a moment. */
	assert_int_equal(query("api.test", DNS_A), JUDGE_REPLY);
	expect_reply(DNS_SERVFAIL, DNS_EDE_NO_REACHABLE_AUTHORITY);
	assert_int_equal(query_at("api.test", DNS_A, NOW_MS + 5000), JUDGE_ASK);
}

static void
test_servers_without_edns_or_case(void **state)
{
	(void)state;
	assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
	begin_reply(DNS_FORMERR);
	assert_int_equal(answer(), JUDGE_AGAIN);
	begin_reply(0);
	assert_int_equal(judged.ask.len, judged.ask.question_end);
	/* The question in lower case. */
	dnsname_fold((char *)message_bytes + DNS_HEADER_LEN, 10);
	assert_int_equal(answer(), JUDGE_AGAIN);
	begin_reply(0);
	assert_memory_equal(judged.ask.bytes + DNS_HEADER_LEN, "\3api\4test", 10);
	/* It cannot be had in a lower one. */
	message_bytes[DNS_HEADER_LEN + 1] = 'A';
	assert_int_equal(answer(), JUDGE_WAIT);
	begin_reply(DNS_FORMERR);
	assert_int_equal(answer(), JUDGE_OTHER_SERVER);
	/* The next server may have both. */
	ask();
	assert_true(judged.ask.len > judged.ask.question_end);
	assert_memory_equal(judged.ask.bytes + DNS_HEADER_LEN, "\3aPi\4tEsT", 10);
}

static void
test_negative_answer_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
	begin_reply(DNS_NXDOMAIN);
	record_soa("test", 60, 60);
	assert_int_equal(answer(), JUDGE_REPLY);
	expect_reply(DNS_NXDOMAIN, DNS_EDE_NONE);
	assert_int_equal(judged.reply.ede, DNS_EDE_NONE);
}

static void
test_names_below_a_wildcard_are_limited(void **state)
{
	char name[64];

	(void)state;
	for (int i = 0; i < DNS_NAMES_PER_WILDCARD; i++) {
		snprintf(name, sizeof(name), "secret%d.wild.test", i);
		assert_int_equal(query_at(name, DNS_A,
				     NOW_MS + (uint64_t)i * DNS_QUERIES_INTERVAL_MS),
		    JUDGE_ASK);
	}
	assert_int_equal(query_at("501.wild.test", DNS_A, NOW_MS + 20000), JUDGE_REPLY);
	expect_reply(DNS_REFUSED, DNS_EDE_BLOCKED);
	assert_int_equal(judge.n_limited, 1);
	assert_int_equal(query_at("secret0.wild.test", DNS_A, NOW_MS + 20000), JUDGE_ASK);
	assert_int_equal(query_at("api.test", DNS_A, NOW_MS + 20000), JUDGE_ASK);
}

static void
test_queries_are_limited(void **state)
{
	(void)state;
	for (int i = 0; i < DNS_QUERIES_BURST; i++)
		assert_int_equal(query("api.test", DNS_A), JUDGE_ASK);
	assert_int_equal(query("api.test", DNS_A), JUDGE_REPLY);
	expect_reply(DNS_REFUSED, DNS_EDE_BLOCKED);
	assert_int_equal(judge.n_limited, 1);
}

static void
test_copy_has_its_own_reply(void **state)
{
	static struct judged copy;

	(void)state;
	expect_denied("bad.wild.test", "denied by ci.policy:2");
	judge_copy(&copy, &judged);
	memset(&judged, 0xa5, sizeof(judged));
	assert_string_equal(copy.reply.ede_text, "denied by ci.policy:2");
	assert_ptr_equal(copy.reply.ede_text, copy.reply_text);
	answer_with("api.test", "198.51.99.1", NULL);
	judge_copy(&copy, &judged);
	memset(&judged, 0xa5, sizeof(judged));
	assert_ptr_equal(copy.reply.answer, &copy.answer);
	assert_int_equal(judge_pins(&copy, pinned), 1);
	/* A text that is nobody's. */
	expect_denied("evil.test", "no rule lists the name");
	judge_copy(&copy, &judged);
	assert_ptr_equal(copy.reply.ede_text, judged.reply.ede_text);
}

static void
test_size_of_the_reply(void **state)
{
	char text[32];

	(void)state;
	begin(7, 0);
	question("api.test", DNS_A, DNS_CLASS_IN);
	assert_int_equal(judge_query(&judge, &judged, message_bytes, message.len, false,
			     NOW_MS),
	    JUDGE_ASK);
	begin_reply(0);
	for (int i = 0; i < DNS_RECORDS_MAX; i++) {
		snprintf(text, sizeof(text), "198.51.99.%d", i);
		record_addr(ANSWERS, "api.test", 60, text);
	}
	assert_int_equal(answer(), JUDGE_REPLY);
	assert_int_equal(judge_write(&judged, out, sizeof(out)), 12 + 14);
	assert_int_equal(out[2] & 2, 2);
	judged.is_tcp = true;
	assert_int_equal(judge_write(&judged, out, sizeof(out)), 12 + 14 + 32 * 16);
	assert_int_equal(out[2] & 2, 0);
}

static void
observe(const char *name, uint16_t type)
{
	uint8_t *exact;

	begin(7, DNS_RECURSION_DESIRED);
	question(name, type, DNS_CLASS_IN);
	exact = message_copy();
	judge_observe(&judge, &judged, exact, message.len, false, NOW_MS);
	free(exact);
}

/* The answer has the question, and these records. Returns the number of addresses for the
 * connector. */
static size_t
observe_answer(const char *name, const char *first, const char *second)
{
	uint8_t *asked, *exact;

	begin(0x1234, DNS_RECURSION_DESIRED);
	question(name, DNS_A, DNS_CLASS_IN);
	asked = message_copy();
	begin(0x1234, RESPONSE_FLAGS);
	question(name, DNS_A, DNS_CLASS_IN);
	if (first != NULL)
		record_addr(ANSWERS, name, 60, first);
	if (second != NULL)
		record_addr(ANSWERS, name, 60, second);
	exact = message_copy();
	judge_observe_answer(&judge, &judged, asked, exact, message.len, NOW_MS);
	free(asked);
	free(exact);
	return judge_pins(&judged, pinned);
}

static void
test_observed_names_are_counted_and_pinned(void **state)
{
	(void)state;
	observe("API.test", DNS_A);
	assert_int_equal(judged.refusal, JUDGE_PASSES);
	assert_int_equal(judge_pins(&judged, pinned), 0);
	assert_int_equal(observe_answer("API.test", "198.51.99.1", "10.0.0.5"), 2);
	assert_int_equal(judged.n_patterns, 1);
	assert_int_equal(judge.n_cut, 1);
	assert_int_equal(judged.refusal, JUDGE_PASSES);
	/* Nothing but addresses that it must not lead to. */
	assert_int_equal(observe_answer("API.test", "10.0.0.5", NULL), 1);
	assert_int_equal(judge.n_cut, 2);
	assert_int_equal(judge.n_denied, 1);
	assert_int_equal(judged.refusal, JUDGE_DENIED);
	assert_int_equal(observe_answer("API.test", NULL, NULL), 0);
	assert_int_equal(judged.refusal, JUDGE_PASSES);

	observe("bad.wild.test", DNS_A);
	assert_int_equal(judged.refusal, JUDGE_DENIED);
	assert_int_equal(judged.denied_by, 0);
	assert_string_equal(judged.reply.ede_text, "denied by ci.policy:2");
	observe("evil.test", DNS_A);
	assert_int_equal(judged.refusal, JUDGE_DENIED);
	assert_int_equal(judged.denied_by, IPC_DNS_NO_RULE);
	observe("api.test", DNS_TXT);
	assert_int_equal(judged.refusal, JUDGE_REFUSED);
	observe("a b.wild.test", DNS_A);
	assert_int_equal(judged.refusal, JUDGE_DENIED);
	assert_int_equal(observe_answer("a b.wild.test", "198.51.99.1", NULL), 0);
	observe("a.1", DNS_A);
	assert_int_equal(judged.refusal, JUDGE_DENIED);
	assert_string_equal(judged.query.name, "");
	assert_int_equal(observe_answer("a.1", "198.51.99.1", NULL), 0);
	assert_int_equal(judge.n_denied, 6);
}

static void
test_observed_queries_are_limited_as_enforced(void **state)
{
	char name[64];
	uint64_t n_cut;

	(void)state;
	/* A repeated query is answered by the cache. */
	observe("api.test", DNS_A);
	observe_answer("api.test", "198.51.99.1", "10.0.0.5");
	for (int i = 1; i <= 2 * DNS_QUERIES_BURST; i++) {
		observe("api.test", DNS_A);
		observe_answer("api.test", "198.51.99.1", "10.0.0.5");
		assert_int_equal(judged.refusal, JUDGE_PASSES);
		assert_int_equal(judge.n_cut, i + 1);
	}
	assert_int_equal(judge.n_limited, 0);
	/* A query without an answer is not. */
	for (int i = 1; i < DNS_QUERIES_BURST; i++) {
		snprintf(name, sizeof(name), "%d.wild.test", i);
		observe(name, DNS_A);
		assert_int_equal(judged.refusal, JUDGE_PASSES);
	}
	observe("x.wild.test", DNS_A);
	assert_int_equal(judged.refusal, JUDGE_REFUSED);
	assert_int_equal(judge.n_limited, 1);
	/* Nothing is cut out of an answer that would not come. */
	n_cut = judge.n_cut;
	assert_int_equal(observe_answer("x.wild.test", "198.51.99.1", "10.0.0.5"), 2);
	observe("lan.test", DNS_TXT);
	assert_int_equal(judged.refusal, JUDGE_REFUSED);
	assert_false(judged.is_listed);
	assert_int_equal(judge.n_cut, n_cut);
	assert_int_equal(judge.n_denied, 1);
	/* It was not kept either. */
	observe("x.wild.test", DNS_A);
	assert_int_equal(judge.n_limited, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_listed_name_is_asked_and_pinned, setup),
		cmocka_unit_test_setup(test_unlisted_names_stay_here, setup),
		cmocka_unit_test_setup(test_refusal_is_a_setting, setup),
		cmocka_unit_test_setup(test_types_that_are_not_asked_for, setup),
		cmocka_unit_test_setup(test_errors_of_form, setup),
		cmocka_unit_test_setup(test_localhost_is_the_guest, setup),
		cmocka_unit_test_setup(test_any_name_if_the_policy_says_so, setup),
		cmocka_unit_test_setup(test_no_ipv6_no_aaaa, setup),
		cmocka_unit_test_setup(test_chain_leads_where_its_owner_likes, setup),
		cmocka_unit_test_setup(test_chain_without_an_end, setup),
		cmocka_unit_test_setup(test_rebinding_is_cut, setup),
		cmocka_unit_test_setup(test_cached_answer_is_judged_anew, setup),
		cmocka_unit_test_setup(test_whole_chain_is_cached, setup),
		cmocka_unit_test_setup(test_failures_of_servers, setup),
		cmocka_unit_test_setup(test_servers_without_edns_or_case, setup),
		cmocka_unit_test_setup(test_negative_answer_is_passed_on, setup),
		cmocka_unit_test_setup(test_names_below_a_wildcard_are_limited, setup),
		cmocka_unit_test_setup(test_queries_are_limited, setup),
		cmocka_unit_test_setup(test_copy_has_its_own_reply, setup),
		cmocka_unit_test_setup(test_size_of_the_reply, setup),
		cmocka_unit_test_setup(test_observed_names_are_counted_and_pinned, setup),
		cmocka_unit_test_setup(test_observed_queries_are_limited_as_enforced,
		    setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
