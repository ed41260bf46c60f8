/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides on the guest's queries by a policy, from the query to the reply.
 *
 *   judge_query()   -> reply, ask a name server, or ignore
 *   judge_ask()     builds what the name server is asked
 *   judge_answer()  -> reply, ask for the next name of the chain, ask another server, or wait
 *   judge_fail()    no server has answered
 *   judge_pins()    the addresses that the connector must know before the reply leaves
 *   judge_write()   the reply
 *
 * Only names that the policy lists go to a name server, unless its `dns` is `any`. Names of a
 * chain need no rule: the owner of a name that a rule lists leads it where he likes, within the
 * ports of the rule.
 *
 * In mode audit, queries and answers pass as they are: judge_observe() and judge_observe_answer()
 * only count, and find the addresses of judge_pins().
 */
#pragma once

#include "ipc/msg_dns.h"
#include "model/policy/match.h"
#include "resolver/dns/cache.h"
#include "resolver/dns/filter.h"
#include "resolver/dns/limits.h"
#include "resolver/dns/reply.h"

/* Patterns of a name that count: the most specific ones. The connector keeps as many for an
 * address. */
#define JUDGE_PATTERNS_MAX 4

/* Large: 5 MiB, most of which are pages that are used when answers come. */
struct judge {
	const struct policy_matcher *matcher; /* borrowed */
	struct policy_place place;
	bool has_ipv6; /* the guest has it */
	struct dns_cache cache;
	struct dns_limits limits;
	uint64_t n_denied;  /* queries for names that the policy does not allow */
	uint64_t n_limited; /* queries over a limit */
	uint64_t n_cut;     /* addresses that were cut out of answers */
};

enum judge_refusal {
	JUDGE_PASSES,
	JUDGE_DENIED,  /* the name, or all addresses that it leads to */
	JUDGE_REFUSED, /* a limit, or the type */
};

/* A query on its way. */
struct judged {
	struct dns_query query;
	bool is_tcp; /* the guest asks over TCP, and so is the name server asked */
	struct dns_answer answer; /* the chain so far, then the whole */
	bool has_chain;
	bool is_listed; /* a rule lists the name: its addresses are pinned and filtered */
	bool may_be_private;
	bool
	    is_observed; /* mode audit: all addresses are told, with the patterns or without */
	bool may_ask; /* mode audit: if it were enforced, a name server would be asked */
	bool has_plain_case; /* the server does not repeat the case of letters */
	bool has_plain_dns;  /* the server does not take EDNS */
	uint8_t n_patterns;
	uint16_t patterns[JUDGE_PATTERNS_MAX];
	struct dns_ask ask;
	struct dns_reply reply;
	char reply_text[DNS_EDE_TEXT_MAX];
	enum judge_refusal refusal; /* by the last step; reply.ede_text has the reason */
	uint16_t denied_by;         /* the rule, or IPC_DNS_NO_RULE */
};

enum judge_step {
	JUDGE_IGNORE, /* no reply: it was not a query */
	JUDGE_REPLY,
	JUDGE_ASK,   /* call judge_ask(), and begin with the first server */
	JUDGE_AGAIN, /* call judge_ask(), and ask the same server */
	JUDGE_WAIT,  /* the message is not the answer */
	JUDGE_OTHER_SERVER,
};

/* The rest of *judge is zeros, but `place`, which its owner sets. secret is random. */
void judge_init(struct judge *judge, bool has_ipv6, const uint64_t secret[4]);

/* Another policy is in force. The matcher is borrowed until the next call. */
void judge_set_policy(struct judge *judge, const struct policy_matcher *matcher);

/* A query must not be copied by assignment: its reply refers to it. */
void judge_copy(struct judged *to, const struct judged *from);

/* A message of the guest. Sets all of *judged. */
enum judge_step judge_query(struct judge *judge, struct judged *judged,
    const uint8_t *bytes, size_t len, bool is_tcp, uint64_t now_ms);

/* The same for a query that has been judged by the policy before, and is on its way. */
enum judge_step judge_anew(struct judge *judge, struct judged *judged, uint64_t now_ms);

/* Builds judged->ask. id and case_bits are random. */
void judge_ask(struct judged *judged, uint16_t id,
    const uint8_t case_bits[DNS_CASE_BITS_LEN]);

/* A message of the name server that was asked. */
enum judge_step judge_answer(struct judge *judge, struct judged *judged,
    const uint8_t *bytes, size_t len, uint64_t now_ms);

/* Mode audit: counts the query as enforcing the policy would. Sets all of *judged. */
void judge_observe(struct judge *judge, struct judged *judged, const uint8_t *bytes,
    size_t len, bool is_tcp, uint64_t now_ms);

/* The same for the answer. asked is what the name server was asked: the guest's message with an id
 * of ours. judge_pins() has addresses if it is an answer with some. */
void judge_observe_answer(struct judge *judge, struct judged *judged,
    const uint8_t *asked, const uint8_t *bytes, size_t len, uint64_t now_ms);

/* No name server has answered. A reply is ready after that. */
void judge_fail(struct judge *judge, struct judged *judged, enum dns_ede reason,
    uint64_t now_ms);

/* The addresses of the reply that have to be pinned to judged->patterns for the TTL of
 * judged->answer. Returns their number. */
size_t judge_pins(const struct judged *judged, struct inaddr addrs[DNS_RECORDS_MAX]);

/* Writes the reply. size is that of the transport; over UDP the guest's own limit counts as well.
 * Returns the length. */
size_t judge_write(const struct judged *judged, uint8_t *bytes, size_t size);
