/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names from a message of DNS against the patterns of a policy. What is read of a message is
 * canonical, and stays the same when it is written and read again. The patterns that a name has are
 * those that a search through all of them finds.
 *
 * The input is a message of names that follow each other; the number in its first byte says how many
 * of them are names of the policy. The others are asked for.
 */

#include <stdlib.h>
#include <string.h>

#include "model/policy/match.h"
#include "resolver/dns/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* Names of an input, so that one takes no long time. */
#define NAMES_MAX 64

static struct policy policy;
static struct policy_matcher matcher;

/* Whether the name fits the pattern, by the manual's words. */
static bool
fits(const struct ipc_policy_name *pattern, const char *name)
{
	size_t len = strlen(name), pattern_len = strlen(pattern->text);

	if (!pattern->is_wildcard)
		return strcmp(name, pattern->text) == 0;
	return len > pattern_len + 1 && name[len - pattern_len - 1] == '.' &&
	    strcmp(name + len - pattern_len, pattern->text) == 0;
}

static bool
is_found(uint32_t wanted, const uint16_t *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ipc_policy_name *found =
		    &policy.names[matcher.patterns[patterns[i]].name];

		if (found->is_wildcard == policy.names[wanted].is_wildcard &&
		    strcmp(found->text, policy.names[wanted].text) == 0)
			return true;
	}
	return false;
}

static void
ask(const char *name)
{
	uint16_t patterns[POLICY_PATTERNS_MAX];
	size_t n = policy_patterns_find(&matcher, name, strlen(name), patterns);
	bool is_listed = false;

	promise(n <= POLICY_PATTERNS_MAX);
	for (size_t i = 0; i < n; i++)
		promise(fits(&policy.names[matcher.patterns[patterns[i]].name], name));
	for (uint32_t i = 0; i < policy.n_names; i++) {
		promise(fits(&policy.names[i], name) == is_found(i, patterns, n));
		is_listed = is_listed || fits(&policy.names[i], name);
	}
	promise(policy_match_query(&matcher, name, strlen(name)).is_allowed == is_listed);
}

/* The text is what it is, whoever reads it. */
static void
check_again(const char *name)
{
	uint8_t bytes[DNS_WIRE_NAME_MAX];
	struct dns_writer writer = { .bytes = bytes, .size = sizeof(bytes) };
	struct dns_reader reader = { .bytes = bytes };
	char again[DNS_NAME_SIZE];

	/* A name that leads to another may end in a number. dns_query_read() refuses it. */
	promise(name[0] == '\0' || dnsname_check(name, strlen(name)) == DNSNAME_OK ||
	    dnsname_check(name, strlen(name)) == DNSNAME_IS_NUMBER);
	dns_write_name(&writer, name);
	promise(!writer.is_full);
	reader.len = writer.len;
	promise(dns_read_name(&reader, DNS_PLAIN, again) && reader.at == writer.len);
	promise(strcmp(name, again) == 0);
}

static void
add(const char *name, bool is_wildcard)
{
	struct ipc_policy_rule rule = {
		.action = IPC_POLICY_ACTION_allow,
		.source = IPC_POLICY_FROM_FILE,
		.line = policy.n_rules + 1,
	};
	struct ipc_policy_name row = {
		.rule = policy.n_rules,
		.is_wildcard = is_wildcard,
	};
	const char *why;

	if (dnsname_check(name, strlen(name)) != DNSNAME_OK)
		return;
	memcpy(row.text, name, strlen(name));
	promise(policy_add_rule(&policy, &rule, &why) &&
	    policy_add_name(&policy, &row, &why));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_reader reader = { .bytes = data, .len = size };
	unsigned int n_of_policy = dns_read8(&reader) % NAMES_MAX;
	static char asked[NAMES_MAX][DNS_NAME_SIZE];
	unsigned int n_asked = 0;

	policy_init(&policy);
	for (unsigned int i = 0; i < NAMES_MAX && !reader.is_bad && reader.at < size;
	     i++) {
		uint8_t flags = dns_read8(&reader);
		char name[DNS_NAME_SIZE];

		if (!dns_read_name(&reader, DNS_COMPRESSED, name)) {
			promise(name[0] == '\0');
			continue;
		}
		check_again(name);
		if (i < n_of_policy)
			add(name, flags & 1);
		else if (dnsname_check(name, strlen(name)) == DNSNAME_OK)
			memcpy(asked[n_asked++], name, sizeof(name));
	}
	policy_matcher_make(&matcher, &policy);
	for (unsigned int i = 0; i < n_asked; i++)
		ask(asked[i]);
	for (uint32_t i = 0; i < policy.n_names; i++)
		ask(policy.names[i].text);
	return 0;
}
