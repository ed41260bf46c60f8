/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions by a policy: classes, and the tables beside a model that reads all rows. */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/policy/match.h"
#include "model/policy/parse.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

#define HEADER "policy 1\n"

static struct policy policy;
static struct policy_parser parser;
static struct policy_matcher matcher;

static struct inaddr
address(const char *text)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	return addr;
}

/* The default network, and a host with an address of each family. */
static const struct policy_place *
home(void)
{
	static struct policy_place place;
	const struct inaddr host[] = { address("192.168.5.1"), address("9.9.9.8"),
		address("2a00::8"), address("10.9.0.1") };

	place = (struct policy_place){
		.network_be = htonl(0x0a000200),
		.netmask_be = htonl(0xffffff00),
		.prefix6 = { { { 0xfd } } },
		.has_nameserver = { true, true },
		.nameserver = { address("10.0.2.3"), address("fd00::3") },
	};
	policy_place_set_host(&place, host, N_ELEMENTS(host));
	return &place;
}

static void
load(const char *text)
{
	struct policy_text source = { "t", text, strlen(text) };

	memset(&parser, 0, sizeof(parser));
	policy_init(&policy);
	if (!policy_parse(&parser, &policy, &source, IPC_POLICY_FROM_FILE))
		fail_msg("%s", parser.error);
	policy_matcher_make(&matcher, &policy);
}

static struct policy_verdict
verdict_of(uint8_t proto, const char *addr, uint16_t port)
{
	const struct policy_question question = {
		.proto = proto,
		.port = proto == IPC_POLICY_PROTO_icmp ? 0 : port,
		.addr = address(addr),
	};

	return policy_match(&matcher, home(), &question);
}

static bool
is_allowed(uint8_t proto, const char *addr, uint16_t port)
{
	return verdict_of(proto, addr, port).is_allowed;
}

static bool
is_tcp_allowed(const char *addr, uint16_t port)
{
	return is_allowed(IPC_POLICY_PROTO_tcp, addr, port);
}

static const struct {
	const char *addr;
	uint32_t classes; /* without any */
} classified[] = {
	{ "1.1.1.1", IPC_POLICY_BIT(internet) },
	{ "9.255.255.255", IPC_POLICY_BIT(internet) },
	{ "10.0.0.0", IPC_POLICY_BIT(private) },
	{ "10.255.255.255", IPC_POLICY_BIT(private) },
	{ "11.0.0.0", IPC_POLICY_BIT(internet) },
	{ "10.0.2.2", IPC_POLICY_BIT(gateway) },
	{ "10.0.2.3", IPC_POLICY_BIT(nameserver) },
	{ "10.0.2.77", IPC_POLICY_BIT(gateway) },
	{ "100.63.255.255", IPC_POLICY_BIT(internet) },
	{ "100.64.0.0", IPC_POLICY_BIT(private) },
	{ "100.127.255.255", IPC_POLICY_BIT(private) },
	{ "100.128.0.0", IPC_POLICY_BIT(internet) },
	{ "100.100.100.200", IPC_POLICY_BIT(private) | IPC_POLICY_BIT(metadata) },
	{ "127.0.0.2", IPC_POLICY_BIT(loopback) },
	{ "168.63.129.16", IPC_POLICY_BIT(metadata) },
	{ "168.63.129.17", IPC_POLICY_BIT(internet) },
	{ "169.254.1.1", IPC_POLICY_BIT(link_local) },
	{ "169.254.169.254", IPC_POLICY_BIT(link_local) | IPC_POLICY_BIT(metadata) },
	{ "169.254.170.2", IPC_POLICY_BIT(link_local) | IPC_POLICY_BIT(metadata) },
	{ "169.254.170.23", IPC_POLICY_BIT(link_local) | IPC_POLICY_BIT(metadata) },
	{ "172.15.255.255", IPC_POLICY_BIT(internet) },
	{ "172.16.0.0", IPC_POLICY_BIT(private) },
	{ "172.31.255.255", IPC_POLICY_BIT(private) },
	{ "172.32.0.0", IPC_POLICY_BIT(internet) },
	{ "192.0.0.8", IPC_POLICY_BIT(special) },
	{ "192.0.0.9", IPC_POLICY_BIT(internet) },
	{ "192.0.0.192", IPC_POLICY_BIT(special) | IPC_POLICY_BIT(metadata) },
	{ "192.0.2.1", IPC_POLICY_BIT(special) },
	{ "192.168.5.1", IPC_POLICY_BIT(private) | IPC_POLICY_BIT(host) },
	{ "192.168.5.2", IPC_POLICY_BIT(private) },
	{ "9.9.9.8", IPC_POLICY_BIT(host) },
	{ "198.18.0.1", IPC_POLICY_BIT(special) },
	{ "198.20.0.0", IPC_POLICY_BIT(internet) },
	{ "198.51.100.7", IPC_POLICY_BIT(special) },
	{ "203.0.113.7", IPC_POLICY_BIT(special) },
	{ "224.0.0.251", IPC_POLICY_BIT(multicast) },
	{ "240.0.0.1", IPC_POLICY_BIT(special) },
	{ "255.255.255.255", IPC_POLICY_BIT(broadcast) | IPC_POLICY_BIT(gateway) },
	{ "0.0.0.0", IPC_POLICY_BIT(special) },
	{ "2a00:1450::1", IPC_POLICY_BIT(internet) },
	{ "2a00::8", IPC_POLICY_BIT(host) },
	{ "::1", IPC_POLICY_BIT(loopback) },
	{ "::", IPC_POLICY_BIT(special) },
	{ "::ffff:1.1.1.1", IPC_POLICY_BIT(special) },
	{ "::1.1.1.1", IPC_POLICY_BIT(special) },
	{ "64:ff9b::1.1.1.1", IPC_POLICY_BIT(internet) },
	{ "64:ff9b::10.0.0.1", IPC_POLICY_BIT(private) },
	{ "64:ff9b::9.9.9.8", IPC_POLICY_BIT(host) },
	{ "64:ff9b::169.254.169.254",
	    IPC_POLICY_BIT(link_local) | IPC_POLICY_BIT(metadata) },
	{ "64:ff9b:1::1.1.1.1", IPC_POLICY_BIT(special) },
	{ "64:ff9b:0:0:0:1:101:101", IPC_POLICY_BIT(special) },
	{ "2002:101:101::1", IPC_POLICY_BIT(internet) },
	{ "2002:a00:1::1", IPC_POLICY_BIT(private) },
	{ "2002:7f00:1::1", IPC_POLICY_BIT(loopback) },
	{ "2001::1", IPC_POLICY_BIT(special) },
	{ "2001:1::1", IPC_POLICY_BIT(internet) },
	{ "2001:1::4", IPC_POLICY_BIT(special) },
	{ "2001:db8::1", IPC_POLICY_BIT(special) },
	{ "2001:200::1", IPC_POLICY_BIT(internet) },
	{ "3fff::1", IPC_POLICY_BIT(special) },
	{ "3fff:1000::1", IPC_POLICY_BIT(internet) },
	{ "4000::1", IPC_POLICY_BIT(special) },
	{ "5f00::1", IPC_POLICY_BIT(special) },
	{ "fc00::1", IPC_POLICY_BIT(private) },
	{ "fd00::2", IPC_POLICY_BIT(gateway) },
	{ "fd00::3", IPC_POLICY_BIT(nameserver) },
	{ "fd00:0:0:1::2", IPC_POLICY_BIT(private) },
	{ "fd00:ec2::254", IPC_POLICY_BIT(private) | IPC_POLICY_BIT(metadata) },
	{ "fd00:ec2::23", IPC_POLICY_BIT(private) | IPC_POLICY_BIT(metadata) },
	{ "fd20:ce::254", IPC_POLICY_BIT(private) | IPC_POLICY_BIT(metadata) },
	{ "fe80::1", IPC_POLICY_BIT(link_local) },
	{ "fec0::1", IPC_POLICY_BIT(private) },
	{ "ff02::1", IPC_POLICY_BIT(multicast) },
};

static void
test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(classified); i++) {
		struct inaddr addr = address(classified[i].addr);
		uint32_t classes = policy_classify(home(), &addr);

		if (classes != (classified[i].classes | IPC_POLICY_BIT(any)))
			fail_msg("%s: %#x", classified[i].addr, classes);
	}
}

/* Each class, protocol and address: a rule of the class alone. */
static void
test_rule_of_each_class(void **state)
{
	char text[128];

	(void)state;
	for (int class = 0; class < IPC_POLICY_N_CLASSES; class ++) {
		for (uint8_t proto = 0; proto < IPC_POLICY_N_PROTOS; proto++) {
			snprintf(text, sizeof(text), HEADER "allow %s to %s\n",
			    policy_proto_words[proto], policy_class_words[class]);
			load(text);
			for (size_t i = 0; i < N_ELEMENTS(classified); i++) {
				bool is_of = class == IPC_POLICY_CLASS_any ||
				    classified[i].classes & 1U << class;

				for (uint8_t asked = IPC_POLICY_PROTO_tcp;
				     asked < IPC_POLICY_N_PROTOS; asked++)
					assert_int_equal(is_allowed(asked,
							     classified[i].addr, 7),
					    is_of &&
						(proto == IPC_POLICY_PROTO_any ||
						    proto == asked));
			}
		}
	}
}

static void
test_order(void **state)
{
	(void)state;
	load(HEADER "allow tcp 80 to 1.1.1.1\ndeny to 1.1.1.0/24\nallow tcp to internet\n"
		    "forbid to 1.1.1.7\nallow tcp 81-90,100 to 1.1.1.7, 2a00::/16\n");
	assert_true(is_tcp_allowed("1.1.1.1", 80));
	assert_false(is_tcp_allowed("1.1.1.1", 81));
	assert_true(is_tcp_allowed("1.1.2.1", 81));
	assert_false(is_tcp_allowed("1.1.1.7", 80));
	assert_false(is_tcp_allowed("1.1.1.7", 85));
	assert_false(is_allowed(IPC_POLICY_PROTO_udp, "1.1.2.1", 81));
	load(HEADER "default allow\nforbid tcp 25 to any\nallow tcp 25 to any\n");
	assert_false(is_tcp_allowed("1.1.1.1", 25));
	assert_true(is_tcp_allowed("1.1.1.1", 26));
	assert_true(is_tcp_allowed("169.254.169.254", 80));
	load(HEADER);
	assert_false(is_tcp_allowed("1.1.1.1", 25));
}

/* All addresses of the guest's network lead to the host's loopback. */
static void
test_wide_prefix_does_not_open_the_gateway(void **state)
{
	(void)state;
	load(HEADER "allow to 10.0.0.0/8, fd00::/8, private\n");
	assert_true(is_tcp_allowed("10.1.2.3", 1));
	assert_false(is_tcp_allowed("10.0.2.2", 1));
	assert_false(is_tcp_allowed("10.0.2.3", 1));
	assert_false(is_tcp_allowed("fd00::2", 1));
	load(HEADER "allow to 10.0.2.0/24, fd00::2\n");
	assert_true(is_tcp_allowed("10.0.2.2", 1));
	assert_true(is_tcp_allowed("fd00::2", 1));
	load(HEADER "default allow\ndeny to 10.0.0.0/8\n");
	assert_false(is_tcp_allowed("10.0.2.2", 1));
}

static void
test_embedded_address_is_stopped_and_not_opened(void **state)
{
	(void)state;
	load(HEADER "deny to 1.1.1.0/24\nallow to internet, 10.7.0.0/16\n");
	assert_false(is_tcp_allowed("64:ff9b::1.1.1.1", 1));
	assert_false(is_tcp_allowed("2002:101:101::1", 1));
	assert_true(is_tcp_allowed("64:ff9b::1.1.2.1", 1));
	assert_true(is_tcp_allowed("10.7.0.1", 1));
	assert_false(is_tcp_allowed("64:ff9b::10.7.0.1", 1));
}

static void
test_dns_exclusive(void **state)
{
	(void)state;
	load(HEADER "dns any exclusive\nallow to any\n");
	assert_false(is_tcp_allowed("8.8.8.8", 53));
	assert_false(is_allowed(IPC_POLICY_PROTO_udp, "8.8.8.8", 853));
	assert_true(is_tcp_allowed("8.8.8.8", 54));
	assert_true(is_tcp_allowed("10.0.2.3", 53));
	assert_true(is_allowed(IPC_POLICY_PROTO_icmp, "8.8.8.8", 0));
	/* It does not hide what is forbidden: that holds for peers of forwards, too. */
	load(HEADER "dns any exclusive\nforbid to 8.8.8.8\nallow to any\n");
	assert_int_equal(verdict_of(IPC_POLICY_PROTO_udp, "8.8.8.8", 53).reason,
	    POLICY_BY_RULE);
	assert_int_equal(verdict_of(IPC_POLICY_PROTO_udp, "8.8.4.4", 53).reason,
	    POLICY_BY_DNS_EXCLUSIVE);
}

static bool
is_query_allowed(const char *name)
{
	return policy_match_query(&matcher, name, strlen(name)).is_allowed;
}

static void
test_queries(void **state)
{
	static const char rules[] = HEADER "deny to bad.wild.test\n"
					   "allow tcp 443 to api.test, *.wild.test\n"
					   "forbid to no.deep.wild.test\n";

	(void)state;
	load(rules);
	assert_true(is_query_allowed("api.test"));
	assert_true(is_query_allowed("a.wild.test"));
	assert_true(is_query_allowed("a.b.wild.test"));
	assert_false(is_query_allowed("wild.test"));
	assert_false(is_query_allowed("xapi.test"));
	assert_false(is_query_allowed("secret.api.test"));
	assert_false(is_query_allowed("api.test.evil.test"));
	assert_false(is_query_allowed("xwild.test"));
	assert_false(is_query_allowed("bad.wild.test"));
	assert_true(is_query_allowed("x.bad.wild.test"));
	assert_false(is_query_allowed("no.deep.wild.test"));
	load(HEADER "allow to internet\ndeny to *.evil.test\n");
	assert_true(is_query_allowed("api.test"));
	assert_false(is_query_allowed("a.evil.test"));
	assert_true(is_query_allowed("evil.test"));
	load(HEADER "dns listed\nallow to internet\n");
	assert_false(is_query_allowed("api.test"));
}

/* A verdict for an address that is pinned for a name. */
static bool
is_pinned_allowed(const char *name, const char *addr, uint16_t port)
{
	uint16_t patterns[POLICY_PATTERNS_MAX];
	const struct policy_question question = {
		.proto = IPC_POLICY_PROTO_tcp,
		.port = port,
		.addr = address(addr),
		.patterns = patterns,
		.n_patterns =
		    policy_patterns_find(&matcher, name, strlen(name), patterns),
	};

	return policy_match(&matcher, home(), &question).is_allowed;
}

static void
test_pins_are_bound_to_the_rule(void **state)
{
	(void)state;
	load(HEADER "deny to 1.1.1.9\nallow tcp 443 to api.test, *.wild.test\n"
		    "allow tcp 80 to in.test private\n");
	assert_true(is_pinned_allowed("api.test", "1.1.1.1", 443));
	assert_true(is_pinned_allowed("x.y.wild.test", "2a00::1", 443));
	assert_false(is_pinned_allowed("api.test", "1.1.1.1", 80));
	assert_false(is_pinned_allowed("api.test", "1.1.1.9", 443));
	assert_false(is_pinned_allowed("other.test", "1.1.1.1", 443));
	assert_false(is_pinned_allowed("api.test", "10.0.0.5", 443));
	assert_false(is_pinned_allowed("api.test", "64:ff9b::10.0.0.5", 443));
	assert_true(is_pinned_allowed("in.test", "10.0.0.5", 80));
	/* The host, metadata, the gateway and loopback stay closed. */
	assert_false(is_pinned_allowed("in.test", "192.168.5.1", 80));
	assert_false(is_pinned_allowed("in.test", "100.100.100.200", 80));
	assert_false(is_pinned_allowed("in.test", "169.254.169.254", 80));
	assert_false(is_pinned_allowed("in.test", "10.0.2.2", 80));
	assert_false(is_pinned_allowed("in.test", "127.0.0.1", 80));
}

/* The model: reads each row. */
static bool
contains(const struct ipc_policy_prefix *prefix, const struct inaddr *addr)
{
	for (unsigned int bit = 0; bit < prefix->len; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if ((prefix->addr.bytes[bit / 8] ^ addr->bytes[bit / 8]) & mask)
			return false;
	}
	return prefix->addr.is_ipv6 == addr->is_ipv6;
}

static bool
model_fits(uint32_t rule, const struct policy_question *question)
{
	const struct ipc_policy_rule *row = &policy.rules[rule];
	uint32_t classes = policy_classify(home(), &question->addr);
	bool is_there = row->classes & classes, has_port = row->n_ports == 0;

	for (uint32_t i = 0; i < policy.n_prefixes && !is_there; i++)
		is_there = policy.prefixes[i].rule == rule &&
		    contains(&policy.prefixes[i], &question->addr);
	for (int i = 0; i < row->n_ports; i++)
		has_port = has_port ||
		    (row->ports[i].first <= question->port &&
			question->port <= row->ports[i].last);
	return is_there && has_port &&
	    (row->proto == IPC_POLICY_PROTO_any || row->proto == question->proto);
}

/* Returns the rule that decides, or -1. */
static int
model_match(const struct policy_question *question)
{
	for (int is_forbid = 1; is_forbid >= 0; is_forbid--) {
		for (uint32_t rule = 0; rule < policy.n_rules; rule++) {
			bool forbids =
			    policy.rules[rule].action == IPC_POLICY_ACTION_forbid;

			if (forbids == is_forbid && model_fits(rule, question))
				return (int)rule;
		}
	}
	return -1;
}

static uint32_t
below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

/* Few bits vary, so that prefixes nest and repeat. Not of the guest's network, nor with an
 * address of IPv4 inside. */
static struct inaddr
random_address(void)
{
	struct inaddr addr = { .is_ipv6 = below(2) == 0 };

	addr.bytes[0] = addr.is_ipv6 ? 0x2a : (uint8_t)(8 + below(3));
	addr.bytes[1] = (uint8_t)(below(4) << 6 | below(4));
	addr.bytes[2] = (uint8_t)(3 + below(2));
	addr.bytes[3] = (uint8_t)(below(4) << 6);
	if (addr.is_ipv6)
		addr.bytes[9] = addr.bytes[15] = (uint8_t)below(4);
	return addr;
}

static void
make_random_rule(uint32_t n_prefixes)
{
	struct ipc_policy_rule rule = {
		.line = 1,
		.action = (uint8_t)below(IPC_POLICY_N_ACTIONS),
		.proto = (uint8_t)below(IPC_POLICY_N_PROTOS),
		.classes = below(4) == 0 ? 1U << below(IPC_POLICY_N_CLASSES) : 0,
	};
	const char *why;

	if (rule.proto == IPC_POLICY_PROTO_tcp || rule.proto == IPC_POLICY_PROTO_udp)
		rule.n_ports = (uint8_t)below(4);
	for (int i = 0; i < rule.n_ports; i++) {
		rule.ports[i].first = (uint16_t)(1 + below(8));
		rule.ports[i].last = (uint16_t)(rule.ports[i].first + below(3));
	}
	assert_true(policy_add_rule(&policy, &rule, &why));
	for (uint32_t i = 0; i < n_prefixes; i++) {
		struct ipc_policy_prefix prefix = { .addr = random_address(),
			.rule = (uint16_t)(policy.n_rules - 1) };

		prefix.len = (uint8_t)below(inaddr_n_bits(&prefix.addr) + 1);
		inaddr_clear_after(&prefix.addr, prefix.len);
		assert_true(policy_add_prefix(&policy, &prefix, &why));
	}
}

static void
test_tables_agree_with_the_model(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 200; round++) {
		policy_init(&policy);
		for (uint32_t n = 1 + below(30); n > 0; n--)
			make_random_rule(1 + below(12));
		policy_matcher_make(&matcher, &policy);
		for (int i = 0; i < 500; i++) {
			const struct policy_question question = {
				.proto = (uint8_t)(1 + below(IPC_POLICY_N_PROTOS - 1)),
				.port = (uint16_t)(1 + below(10)),
				.addr = random_address(),
			};
			struct policy_verdict verdict =
			    policy_match(&matcher, home(), &question);
			int rule = model_match(&question);

			assert_int_equal(verdict.reason,
			    rule == -1 ? POLICY_BY_DEFAULT : POLICY_BY_RULE);
			assert_int_equal(verdict.rule, rule == -1 ? 0 : rule);
			assert_int_equal(verdict.is_allowed,
			    rule != -1 &&
				policy.rules[rule].action == IPC_POLICY_ACTION_allow);
		}
	}
}

static void
test_full_tables(void **state)
{
	char text[64];
	const char *why;

	(void)state;
	policy_init(&policy);
	for (uint32_t i = 0; i < IPC_POLICY_RULES_MAX; i++) {
		struct ipc_policy_name name = { .rule = (uint16_t)i };

		make_random_rule(IPC_POLICY_PREFIXES_MAX / IPC_POLICY_RULES_MAX);
		policy.rules[i].action = IPC_POLICY_ACTION_allow;
		policy.rules[i].classes = 0;
		for (uint32_t j = 0; j < IPC_POLICY_NAMES_MAX / IPC_POLICY_RULES_MAX;
		     j++) {
			snprintf(name.text, sizeof(name.text), "n%u.r%u.test", j, i);
			assert_true(policy_add_name(&policy, &name, &why));
		}
	}
	policy_matcher_make(&matcher, &policy);
	assert_int_equal(matcher.n_patterns, IPC_POLICY_NAMES_MAX);
	for (uint32_t i = 0; i < IPC_POLICY_NAMES_MAX; i++) {
		snprintf(text, sizeof(text), "n%u.r%u.test", i % 4, i / 4);
		assert_true(is_query_allowed(text));
	}
	assert_false(is_query_allowed("n4.r0.test"));
	assert_false(policy_add_rule(&policy, &policy.rules[0], &why));
	assert_false(policy_add_prefix(&policy, &policy.prefixes[0], &why));
	assert_false(policy_add_name(&policy, &policy.names[0], &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_rule_of_each_class),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_wide_prefix_does_not_open_the_gateway),
		cmocka_unit_test(test_embedded_address_is_stopped_and_not_opened),
		cmocka_unit_test(test_dns_exclusive),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_pins_are_bound_to_the_rule),
		cmocka_unit_test(test_tables_agree_with_the_model),
		cmocka_unit_test(test_full_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
