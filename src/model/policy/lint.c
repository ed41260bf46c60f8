/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports rules that may not mean what their author meant. */
#include <stdio.h>
#include <string.h>

#include "base/dnsname.h"
#include "base/text.h"
#include "model/policy/expect.h"
#include "model/policy/print.h"

/* Pairs of destinations that are compared for two rules. Longer lists are not compared, because
 * all pairs of 16,384 take a second. */
#define PAIRS_MAX 4096

/* Suffixes below which anybody gets a name: hosts of pages, and of clouds. */
static const char *const shared_suffixes[] = {
	"amazonaws.com",
	"appspot.com",
	"azureedge.net",
	"azurewebsites.net",
	"blogspot.com",
	"cloudapp.azure.com",
	"cloudfront.net",
	"core.windows.net",
	"fastly.net",
	"firebaseapp.com",
	"fly.dev",
	"github.io",
	"gitlab.io",
	"googleusercontent.com",
	"herokuapp.com",
	"netlify.app",
	"ngrok.io",
	"onrender.com",
	"pages.dev",
	"r2.dev",
	"run.app",
	"vercel.app",
	"web.app",
	"workers.dev",
};

struct lint {
	const struct policy *policy;
	policy_lint_fn *report;
	void *ctx;
};

/* The rows of a rule in prefixes, or in names. */
struct slice {
	uint32_t begin, end;
};

static struct slice
prefixes_of(const struct policy *policy, uint32_t rule)
{
	return (struct slice){ policy_first_prefix(policy, rule),
		policy_first_prefix(policy, rule + 1) };
}

static struct slice
names_of(const struct policy *policy, uint32_t rule)
{
	return (struct slice){ policy_first_name(policy, rule),
		policy_first_name(policy, rule + 1) };
}

static void
report(const struct lint *lint, uint32_t rule, const char *text)
{
	lint->report(lint->ctx, rule, text);
}

/* Whether all flows of the rule `inner` are of the protocol and ports of `outer`. */
static bool
covers_what(const struct ipc_policy_rule *outer, const struct ipc_policy_rule *inner)
{
	if (outer->proto == IPC_POLICY_PROTO_any)
		return true;
	if (outer->proto != inner->proto)
		return false;
	for (int i = 0; i < inner->n_ports && outer->n_ports > 0; i++) {
		bool is_covered = false;

		for (int j = 0; j < outer->n_ports; j++)
			is_covered = is_covered ||
			    (outer->ports[j].first <= inner->ports[i].first &&
				outer->ports[j].last >= inner->ports[i].last);
		if (!is_covered)
			return false;
	}
	return outer->n_ports == 0 || inner->n_ports > 0;
}

static bool
covers_prefix(const struct policy *policy, struct slice outer,
    const struct ipc_policy_prefix *inner)
{
	for (uint32_t i = outer.begin; i < outer.end; i++) {
		const struct ipc_policy_prefix *prefix = &policy->prefixes[i];
		struct inaddr network = inner->addr;

		inaddr_clear_after(&network, prefix->len);
		if (prefix->len <= inner->len && inaddr_is_equal(&network, &prefix->addr))
			return true;
	}
	return false;
}

static bool
covers_name(const struct policy *policy, struct slice outer,
    const struct ipc_policy_name *inner)
{
	for (uint32_t i = outer.begin; i < outer.end; i++) {
		if (policy->names[i].is_wildcard == inner->is_wildcard &&
		    strcmp(policy->names[i].text, inner->text) == 0)
			return true;
	}
	return false;
}

static bool
covers_dests(const struct policy *policy, uint32_t outer, uint32_t inner)
{
	const struct ipc_policy_rule *rules = policy->rules;
	struct slice prefixes = prefixes_of(policy, outer);
	struct slice inner_prefixes = prefixes_of(policy, inner);
	struct slice names = names_of(policy, outer);
	struct slice inner_names = names_of(policy, inner);
	uint32_t n_outer = prefixes.end - prefixes.begin + names.end - names.begin;
	uint32_t n_inner = inner_prefixes.end - inner_prefixes.begin + inner_names.end -
	    inner_names.begin;

	if (rules[outer].classes & IPC_POLICY_BIT(any))
		return inner_names.begin == inner_names.end;
	if ((rules[inner].classes & ~rules[outer].classes) || n_outer > PAIRS_MAX ||
	    n_inner > PAIRS_MAX || n_outer * n_inner > PAIRS_MAX)
		return false;
	for (uint32_t i = inner_prefixes.begin; i < inner_prefixes.end; i++) {
		if (!covers_prefix(policy, prefixes, &policy->prefixes[i]))
			return false;
	}
	for (uint32_t i = inner_names.begin; i < inner_names.end; i++) {
		if (!covers_name(policy, names, &policy->names[i]))
			return false;
	}
	return true;
}

static void
lint_reach(const struct lint *lint, uint32_t rule)
{
	const struct policy *policy = lint->policy;
	char where[POLICY_WHERE_SIZE], text[POLICY_WHERE_SIZE + 64];
	bool is_forbid = policy->rules[rule].action == IPC_POLICY_ACTION_forbid;

	for (uint32_t other = 0; other < policy->n_rules && !is_forbid; other++) {
		bool is_before = other < rule ||
		    policy->rules[other].action == IPC_POLICY_ACTION_forbid;

		if (other == rule || !is_before ||
		    !covers_what(&policy->rules[other], &policy->rules[rule]) ||
		    !covers_dests(policy, other, rule))
			continue;
		snprintf(text, sizeof(text), "never reached: %s decides before it",
		    policy_where(policy, other, where));
		report(lint, rule, text);
		return;
	}
}

/* Whether the rule has this port, and not simply all. */
static bool
has_port(const struct ipc_policy_rule *rule, uint16_t port)
{
	for (int i = 0; i < rule->n_ports; i++) {
		if (rule->ports[i].first <= port && port <= rule->ports[i].last)
			return true;
	}
	return false;
}

static bool
is_shared(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(shared_suffixes) / sizeof(shared_suffixes[0]);
	     i++) {
		size_t suffix_len = strlen(shared_suffixes[i]);

		if (len >= suffix_len &&
		    strcmp(name + len - suffix_len, shared_suffixes[i]) == 0 &&
		    (len == suffix_len || name[len - suffix_len - 1] == '.'))
			return true;
	}
	return false;
}

/* A name that differs from a class in more bytes is another word. Two bytes are too many for a short
 * word: "boat" is not "host". */
#define SLIP_MAX 2
#define SLIP_SHORT_MAX 1
#define SHORT_LEN_MAX 5

/* Returns the class that is meant by a name of one label, or NULL if none is near. */
static const char *
nearest_class(const char *name)
{
	for (int class = 0; policy_class_words[class] != NULL; class ++) {
		const char *word = policy_class_words[class];
		size_t len = strlen(word);
		size_t most = len <= SHORT_LEN_MAX ? SLIP_SHORT_MAX : SLIP_MAX;

		if (text_distance(name, strlen(name), word, len) <= most)
			return word;
	}
	return NULL;
}

/* Names of one label, or of these only the slips. */
static void
lint_labels(const struct lint *lint, uint32_t rule, bool is_only_slips)
{
	struct slice names = names_of(lint->policy, rule);
	char text[IPC_POLICY_NAME_SIZE + 96];

	for (uint32_t i = names.begin; i < names.end; i++) {
		const struct ipc_policy_name *name = &lint->policy->names[i];
		const char *class;

		if (strchr(name->text, '.') != NULL)
			continue;
		class = nearest_class(name->text);
		if (class != NULL)
			snprintf(text, sizeof(text),
			    "%s is taken as a host name; did you mean the class %s?",
			    name->text, class);
		else
			snprintf(text, sizeof(text),
			    "%s is a host name of one label, and looked up as it stands",
			    name->text);
		if (class != NULL || !is_only_slips)
			report(lint, rule, text);
	}
}

static void
lint_names(const struct lint *lint, uint32_t rule)
{
	const struct policy *policy = lint->policy;
	const struct ipc_policy_rule *row = &policy->rules[rule];
	struct slice names = names_of(policy, rule);
	char text[IPC_POLICY_NAME_SIZE + 96];

	if (names.begin == names.end)
		return;
	lint_labels(lint, rule, false);
	if (row->action != IPC_POLICY_ACTION_allow) {
		report(lint, rule,
		    "a name in deny or forbid stops the query for it, whatever the "
		    "ports; it does not block an address");
		return;
	}
	if (row->n_ports == 0 && row->proto != IPC_POLICY_PROTO_icmp)
		report(lint, rule,
		    "names without ports: other sites at the same addresses are open on "
		    "all ports");
	for (uint32_t i = names.begin; i < names.end; i++) {
		if (!policy->names[i].is_wildcard || !is_shared(policy->names[i].text))
			continue;
		snprintf(text, sizeof(text), "*.%s: anybody can have a name there",
		    policy->names[i].text);
		report(lint, rule, text);
	}
}

/* Whether anything lets the guest reach the internet over IPv6. */
static bool
opens_internet(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].action == IPC_POLICY_ACTION_allow &&
		    policy->rules[i].classes &
			(IPC_POLICY_BIT(any) | IPC_POLICY_BIT(internet)))
			return true;
	}
	return policy->settings.default_action == IPC_POLICY_ACTION_allow;
}

static bool
is_ipv4_alone(const struct policy *policy, uint32_t rule)
{
	struct slice prefixes = prefixes_of(policy, rule);

	for (uint32_t i = prefixes.begin; i < prefixes.end; i++) {
		if (policy->prefixes[i].addr.is_ipv6)
			return false;
	}
	return prefixes.begin < prefixes.end && policy->rules[rule].classes == 0;
}

static void
lint_rule(const struct lint *lint, uint32_t rule, bool is_internet_open)
{
	const struct ipc_policy_rule *row = &lint->policy->rules[rule];
	bool is_allow = row->action == IPC_POLICY_ACTION_allow;

	if (is_allow && (row->classes & IPC_POLICY_BIT(any)))
		report(lint, rule,
		    "any includes private networks, the host and metadata; servers "
		    "elsewhere are internet");
	if (!is_allow && is_internet_open && is_ipv4_alone(lint->policy, rule))
		report(lint, rule,
		    "only IPv4 addresses: the same servers may have IPv6 addresses");
	if (is_allow && (has_port(row, DNS_PORT) || has_port(row, DNS_TLS_PORT)))
		report(lint, rule,
		    "port 53 or 853: queries pass by the name server of slirpd");
	lint_names(lint, rule);
	lint_reach(lint, rule);
}

void
policy_lint(const struct policy *policy, policy_lint_fn *report_fn, void *ctx)
{
	const struct lint lint = { policy, report_fn, ctx };
	bool is_internet_open = opens_internet(policy);

	for (uint32_t rule = 0; rule < policy->n_rules; rule++)
		lint_rule(&lint, rule, is_internet_open);
}

void
policy_lint_slips(const struct policy *policy, policy_lint_fn *report_fn, void *ctx)
{
	const struct lint lint = { policy, report_fn, ctx };

	for (uint32_t rule = 0; rule < policy->n_rules; rule++)
		lint_labels(&lint, rule, true);
}
