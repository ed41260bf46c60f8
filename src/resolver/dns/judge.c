/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides on the guest's queries by a policy. */
#include "resolver/dns/judge.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "resolver/dns/rdata.h"

/* RFC 6761 6.3: seconds. The address never changes. */
#define LOCALHOST_TTL_S 3600

void
judge_init(struct judge *judge, bool has_ipv6, const uint64_t secret[4])
{
	judge->has_ipv6 = has_ipv6;
	dns_cache_init(&judge->cache, secret);
	dns_limits_init(&judge->limits, secret + 2);
}

void
judge_set_policy(struct judge *judge, const struct policy_matcher *matcher)
{
	judge->matcher = matcher;
	dns_cache_flush(&judge->cache);
}

void
judge_copy(struct judged *to, const struct judged *from)
{
	*to = *from;
	if (from->reply.answer == &from->answer)
		to->reply.answer = &to->answer;
	if (from->reply.ede_text == from->reply_text)
		to->reply.ede_text = to->reply_text;
}

/* --- replies -------------------------------------------------------------------------- */

static enum judge_step
reply_error(struct judged *judged, enum dns_rcode rcode, enum dns_ede ede,
    const char *text)
{
	judged->reply = (struct dns_reply){
		.rcode = rcode,
		.ede = ede,
		.ede_text = text,
	};
	return JUDGE_REPLY;
}

static enum judge_step
reply_answer(struct judged *judged, enum dns_ede ede)
{
	judged->reply = (struct dns_reply){ .answer = &judged->answer, .ede = ede };
	return JUDGE_REPLY;
}

/* A refusal by the policy, with the reason for the guest. */
static enum judge_step
refuse(struct judged *judged, enum judge_refusal refusal, enum dns_rcode rcode,
    const char *text)
{
	judged->refusal = refusal;
	judged->denied_by = IPC_DNS_NO_RULE;
	return reply_error(judged, rcode, DNS_EDE_BLOCKED, text);
}

/* The policy's own refusal: NXDOMAIN ends a search at once in every resolver, and programs say
 * that the name is not known. REFUSED is the protocol's own word; glibc tries again after it. */
static enum judge_step
deny(struct judge *judge, struct judged *judged, const char *text)
{
	const struct ipc_policy_settings *settings = &judge->matcher->policy->settings;

	judge->n_denied++;
	return refuse(judged, JUDGE_DENIED,
	    settings->dns_refusal == IPC_POLICY_DNS_REFUSAL_refused ? DNS_REFUSED
								    : DNS_NXDOMAIN,
	    text);
}

static enum judge_step
deny_by(struct judge *judge, struct judged *judged, const struct policy_verdict *verdict)
{
	char where[POLICY_WHERE_SIZE];

	if (verdict->reason != POLICY_BY_RULE)
		return deny(judge, judged, "no rule lists the name");
	snprintf(judged->reply_text, sizeof(judged->reply_text), "denied by %s",
	    policy_where(judge->matcher->policy, verdict->rule, where));
	deny(judge, judged, judged->reply_text);
	judged->denied_by = (uint16_t)verdict->rule;
	return JUDGE_REPLY;
}

/* Filters the answer, and replies with the rest. */
static enum judge_step
reply_filtered(struct judge *judge, struct judged *judged)
{
	const struct dns_filter filter = {
		.place = &judge->place,
		.may_be_private = judged->may_be_private,
	};
	bool had_records = judged->answer.n_records > 0;
	uint32_t n_cut;

	if (!judged->is_listed)
		return reply_answer(judged, DNS_EDE_NONE);
	n_cut = dns_filter_answer(&filter, &judged->answer);
	judge->n_cut += n_cut;
	if (had_records && judged->answer.n_records == 0)
		return deny(judge, judged, "the name leads to no public address");
	return reply_answer(judged, n_cut > 0 ? DNS_EDE_FORGED_ANSWER : DNS_EDE_NONE);
}

/* --- names that no name server is asked for ------------------------------------------- */

static bool
is_below(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	return len >= domain_len && strcmp(name + len - domain_len, domain) == 0 &&
	    (len == domain_len || name[len - domain_len - 1] == '.');
}

/* RFC 6761 6.3. The guest's own loopback: no pin is needed. */
static enum judge_step
reply_localhost(struct judged *judged)
{
	const struct inaddr addr = inaddr_loopback(judged->query.type == DNS_AAAA);

	dns_answer_init(&judged->answer, judged->query.name, judged->query.type);
	if (judged->query.type == DNS_A || judged->query.type == DNS_AAAA)
		dns_answer_add_addr(&judged->answer, &addr, LOCALHOST_TTL_S);
	judged->is_listed = false;
	return reply_answer(judged, DNS_EDE_NONE);
}

/* Names that mean something else than DNS: mDNS (RFC 6762 3), Tor (RFC 7686 2), and the question
 * of browsers whether they may go around the resolver. A rule can list them. */
static bool
is_special(const char *name)
{
	return is_below(name, "local") || is_below(name, "onion") ||
	    strcmp(name, "use-application-dns.net") == 0;
}

/* --- queries -------------------------------------------------------------------------- */

/* The number of the type in a policy, or -1. */
static int
policy_type(uint16_t type)
{
	static const uint16_t types[] = {
		[IPC_POLICY_DNS_TYPE_a] = DNS_A,
		[IPC_POLICY_DNS_TYPE_aaaa] = DNS_AAAA,
		[IPC_POLICY_DNS_TYPE_cname] = DNS_CNAME,
		[IPC_POLICY_DNS_TYPE_https] = DNS_HTTPS,
		[IPC_POLICY_DNS_TYPE_svcb] = DNS_SVCB,
		[IPC_POLICY_DNS_TYPE_srv] = DNS_SRV,
		[IPC_POLICY_DNS_TYPE_mx] = DNS_MX,
		[IPC_POLICY_DNS_TYPE_txt] = DNS_TXT,
		[IPC_POLICY_DNS_TYPE_ptr] = DNS_PTR,
		[IPC_POLICY_DNS_TYPE_ns] = DNS_NS,
		[IPC_POLICY_DNS_TYPE_soa] = DNS_SOA,
		[IPC_POLICY_DNS_TYPE_caa] = DNS_CAA,
	};

	static_assert(sizeof(types) / sizeof(*types) == IPC_POLICY_N_DNS_TYPES,
	    "every type of a policy is decoded");
	for (int i = 0; i < IPC_POLICY_N_DNS_TYPES; i++) {
		if (types[i] == type)
			return i;
	}
	return -1;
}

static bool
is_type_allowed(const struct judge *judge, uint16_t type)
{
	int number = policy_type(type);

	return number != -1 && judge->matcher->policy->settings.dns_types >> number & 1;
}

/* Finds the patterns of a name that a rule lists. */
static void
note_patterns(const struct judge *judge, struct judged *judged)
{
	uint16_t patterns[POLICY_PATTERNS_MAX];
	size_t n = policy_patterns_find(judge->matcher, judged->query.name,
	    strlen(judged->query.name), patterns);

	if (n > JUDGE_PATTERNS_MAX)
		n = JUDGE_PATTERNS_MAX;
	judged->n_patterns = (uint8_t)n;
	memcpy(judged->patterns, patterns, n * sizeof(*patterns));
	judged->may_be_private =
	    policy_patterns_may_be_private(judge->matcher, patterns, n);
}

/* Whether the name may be asked for now. A name that only a wildcard allows may carry data. */
static bool
is_within_limits(struct judge *judge, const struct judged *judged, uint64_t now_ms)
{
	const struct policy_matcher *matcher = judge->matcher;
	const char *name = judged->query.name;
	uint16_t pattern = judged->patterns[0];
	const struct policy_pattern *first = &matcher->patterns[pattern];

	/* Data can leave by any name then. */
	if (matcher->dns_is_any)
		return true;
	if (matcher->policy->names[first->name].is_wildcard &&
	    !dns_limits_allow_name(&judge->limits, pattern, name, strlen(name), now_ms))
		return false;
	return dns_limits_allow_query(&judge->limits, now_ms);
}

/* The policy allows the name and the type. */
static enum judge_step
look_up(struct judge *judge, struct judged *judged, uint64_t now_ms)
{
	const struct dns_query *query = &judged->query;

	dns_answer_init(&judged->answer, query->name, query->type);
	if (query->type == DNS_AAAA && !judge->has_ipv6)
		return reply_answer(judged, DNS_EDE_NONE);
	switch (dns_cache_get(&judge->cache, query->name, query->type, now_ms,
	    &judged->answer)) {
	case DNS_CACHE_HIT:
		return reply_filtered(judge, judged);
	case DNS_CACHE_FAILED:
		return reply_error(judged, DNS_SERVFAIL, DNS_EDE_NO_REACHABLE_AUTHORITY,
		    NULL);
	case DNS_CACHE_MISSED:
		break;
	}
	if (is_within_limits(judge, judged, now_ms))
		return JUDGE_ASK;
	judge->n_limited++;
	return refuse(judged, JUDGE_REFUSED, DNS_REFUSED, "too many names or queries");
}

static enum judge_step
judge_name(struct judge *judge, struct judged *judged, uint64_t now_ms)
{
	const char *name = judged->query.name;
	struct policy_verdict verdict;

	if (is_below(name, "localhost"))
		return reply_localhost(judged);
	verdict = policy_match_query(judge->matcher, name, strlen(name));
	if (!verdict.is_allowed)
		return deny_by(judge, judged, &verdict);
	if (verdict.reason != POLICY_BY_RULE && is_special(name))
		return deny(judge, judged, "a name of other systems than DNS");
	judged->is_listed = verdict.reason == POLICY_BY_RULE;
	if (judged->is_listed)
		note_patterns(judge, judged);
	if (is_type_allowed(judge, judged->query.type))
		return look_up(judge, judged, now_ms);
	judge->n_denied++;
	return refuse(judged, JUDGE_REFUSED, DNS_REFUSED, "not a type of dns-types");
}

static void
forget_verdict(struct judged *judged)
{
	judged->has_chain = judged->is_listed = judged->may_be_private = false;
	judged->is_observed = judged->may_ask = false;
	judged->n_patterns = 0;
	judged->refusal = JUDGE_PASSES;
}

enum judge_step
judge_anew(struct judge *judge, struct judged *judged, uint64_t now_ms)
{
	forget_verdict(judged);
	return judge_name(judge, judged, now_ms);
}

enum judge_step
judge_query(struct judge *judge, struct judged *judged, const uint8_t *bytes, size_t len,
    bool is_tcp, uint64_t now_ms)
{
	judged->is_tcp = is_tcp;
	judged->has_plain_case = judged->has_plain_dns = false;
	forget_verdict(judged);
	switch (dns_query_read(&judged->query, bytes, len)) {
	case DNS_QUERY_IGNORED:
		break;
	case DNS_QUERY_FORMERR:
		return reply_error(judged, DNS_FORMERR, DNS_EDE_NONE, NULL);
	case DNS_QUERY_NOTIMP:
		return reply_error(judged, DNS_NOTIMP, DNS_EDE_NONE, NULL);
	case DNS_QUERY_BADVERS:
		return reply_error(judged, DNS_BADVERS, DNS_EDE_NONE, NULL);
	case DNS_QUERY_BAD_NAME:
		return deny(judge, judged, "not a name of a host");
	case DNS_QUERY_OK:
		return judge_name(judge, judged, now_ms);
	}
	return JUDGE_IGNORE;
}

void
judge_observe(struct judge *judge, struct judged *judged, const uint8_t *bytes,
    size_t len, bool is_tcp, uint64_t now_ms)
{
	judged->may_ask =
	    judge_query(judge, judged, bytes, len, is_tcp, now_ms) == JUDGE_ASK;
	judged->is_observed = true;
	/* The answer of the server is not the one that would be filtered. */
	if (!judged->may_ask)
		judged->is_listed = false;
	judged->reply.answer = NULL;
}

/* --- answers -------------------------------------------------------------------------- */

void
judge_ask(struct judged *judged, uint16_t id, const uint8_t case_bits[DNS_CASE_BITS_LEN])
{
	dns_ask_build(&judged->ask,
	    judged->has_chain ? dns_answer_end(&judged->answer) : judged->query.name,
	    judged->query.type, id, judged->has_plain_case ? NULL : case_bits,
	    !judged->has_plain_dns);
}

/* Appends what the server says to the chain. Returns false if it gets too long. */
static bool
join(struct judged *judged, const struct dns_answer *answer)
{
	if (judged->has_chain)
		return dns_answer_join(&judged->answer, answer);
	judged->answer = *answer;
	judged->has_chain = true;
	return true;
}

/* The server cannot or does not want to answer. */
static enum judge_step
take_failure(struct judged *judged, uint16_t rcode)
{
	/* RFC 6891 7: a server that does not know EDNS says FORMERR, or NOTIMP. */
	if ((rcode == DNS_FORMERR || rcode == DNS_NOTIMP) && !judged->has_plain_dns) {
		judged->has_plain_dns = true;
		return JUDGE_AGAIN;
	}
	judged->has_plain_dns = judged->has_plain_case = false;
	return JUDGE_OTHER_SERVER;
}

enum judge_step
judge_answer(struct judge *judge, struct judged *judged, const uint8_t *bytes, size_t len,
    uint64_t now_ms)
{
	static struct dns_answer answer;
	uint16_t rcode;

	judged->refusal = JUDGE_PASSES;
	switch (dns_answer_read(&answer, &judged->ask, bytes, len, &rcode)) {
	case DNS_ANSWER_FOREIGN:
		return JUDGE_WAIT;
	case DNS_ANSWER_OTHER_CASE:
		if (judged->has_plain_case)
			return JUDGE_WAIT;
		judged->has_plain_case = true;
		return JUDGE_AGAIN;
	case DNS_ANSWER_TRUNCATED:
		if (judged->is_tcp)
			return take_failure(judged, DNS_SERVFAIL);
		judged->reply = (struct dns_reply){
			.ede = DNS_EDE_NONE,
			.is_truncated = true,
		};
		return JUDGE_REPLY;
	case DNS_ANSWER_FAILED:
		return take_failure(judged, rcode);
	case DNS_ANSWER_BAD:
		return take_failure(judged, DNS_SERVFAIL);
	case DNS_ANSWER_UNFINISHED:
		if (!join(judged, &answer))
			return take_failure(judged, DNS_SERVFAIL);
		return JUDGE_ASK;
	case DNS_ANSWER_OK:
		break;
	}
	if (!join(judged, &answer))
		return take_failure(judged, DNS_SERVFAIL);
	dns_cache_put(&judge->cache, &judged->answer, now_ms);
	return reply_filtered(judge, judged);
}

void
judge_observe_answer(struct judge *judge, struct judged *judged, const uint8_t *asked,
    const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	static struct judged enforced;
	const struct dns_query *query = &judged->query;
	struct dns_ask *ask = &judged->ask;
	enum dns_answer_outcome outcome;
	uint16_t rcode;

	judged->refusal = JUDGE_PASSES;
	judged->reply.answer = NULL;
	if (query->question_len == 0 || query->name[0] == '\0')
		return;
	*ask = (struct dns_ask){
		.question_end = DNS_HEADER_LEN + query->question_len,
		.type = query->type,
	};
	memcpy(ask->bytes, asked, ask->question_end);
	memcpy(ask->name, query->name, sizeof(ask->name));
	outcome = dns_answer_read(&judged->answer, ask, bytes, len, &rcode);
	/* So that a repeated query does not count against the limits. */
	if (judged->may_ask && outcome == DNS_ANSWER_OK)
		dns_cache_put(&judge->cache, &judged->answer, now_ms);
	else if (judged->may_ask && outcome == DNS_ANSWER_FAILED)
		dns_cache_put_failure(&judge->cache, query->name, query->type, now_ms);
	if (outcome != DNS_ANSWER_OK)
		return;
	/* Counts what would be cut. */
	judge_copy(&enforced, judged);
	reply_filtered(judge, &enforced);
	judged->refusal = enforced.refusal;
	judged->denied_by = enforced.denied_by;
	judged->reply.ede_text = enforced.reply.ede_text;
	judged->reply.answer = &judged->answer;
}

void
judge_fail(struct judge *judge, struct judged *judged, enum dns_ede reason,
    uint64_t now_ms)
{
	dns_cache_put_failure(&judge->cache, judged->query.name, judged->query.type,
	    now_ms);
	reply_error(judged, DNS_SERVFAIL, reason, NULL);
}

/* --- the reply ------------------------------------------------------------------------ */

size_t
judge_pins(const struct judged *judged, struct inaddr addrs[DNS_RECORDS_MAX])
{
	const struct dns_answer *answer = judged->reply.answer;

	return answer != NULL && (judged->is_listed || judged->is_observed)
	    ? dns_filter_addrs(answer, addrs)
	    : 0;
}

size_t
judge_write(const struct judged *judged, uint8_t *bytes, size_t size)
{
	if (!judged->is_tcp && size > judged->query.udp_size)
		size = judged->query.udp_size;
	return dns_reply_write(&judged->query, &judged->reply, bytes, size);
}
