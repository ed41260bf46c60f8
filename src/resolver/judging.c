/* SPDX-License-Identifier: BSD-2-Clause */
/* Judges the guest's questions by a policy. */
#include "resolver/judging.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "resolver/policy.h"
#include "resolver/resolver.h"

static_assert(IPC_DNS_ADDRS_MAX == DNS_RECORDS_MAX &&
	IPC_DNS_PATTERNS_MAX == JUDGE_PATTERNS_MAX,
    "a message has the addresses and patterns of an answer");

/* The longest reply over either transport. */
#define REPLY_MAX \
	(DNS_REPLY_MAX > IPC_DNS_ANSWER_MAX ? DNS_REPLY_MAX : IPC_DNS_ANSWER_MAX)

static size_t
write_reply(const struct judged *judged, uint8_t bytes[REPLY_MAX])
{
	return judge_write(judged, bytes,
	    judged->is_tcp ? REPLY_MAX : IPC_DNS_ANSWER_MAX);
}

/* Says what the policy has refused, or would refuse in mode audit: the connector has the counters. */
static void
tell_refusal(struct resolver *resolver, const struct judged *judged)
{
	const char *name = judged->query.name;
	uint64_t n_held_back = resolver->refusal_log_limit.n_held_back;

	if (judged->refusal == JUDGE_PASSES)
		return;
	lender_tell_refusal(resolver, judged->refusal == JUDGE_DENIED ? name : "",
	    judged->denied_by);
	if (!ratelimit_allow(&resolver->refusal_log_limit, resolver->now_ms))
		return;
	if (n_held_back > 0)
		log_info("policy: %" PRIu64 " lines on names were held back",
		    n_held_back);
	log_info("policy: %s %s refused: %s", name[0] != '\0' ? name : "a name",
	    resolver_policy_observes(resolver) ? "would be" : "is",
	    judged->reply.ede_text);
}

/* Gives the guest the reply that is ready. */
static void
reply(struct resolver *resolver, struct question *question)
{
	uint8_t bytes[REPLY_MAX];
	size_t len = write_reply(question->judged, bytes);

	question_answer(resolver, question, bytes, len);
}

/* Tells the connector the addresses before the guest, whose first packet to them then finds them
 * known. */
static void
pin(struct resolver *resolver, struct question *question)
{
	question_stop(resolver, question);
	question->state = QUESTION_PINS;
	question->try_ends_ms = question->ends_ms;
	TAILQ_INSERT_TAIL(&resolver->questions.pinning, question, wanting);
}

/* The reply is ready. */
static void
finish(struct resolver *resolver, struct question *question)
{
	struct inaddr addrs[DNS_RECORDS_MAX];

	if (judge_pins(question->judged, addrs) == 0)
		reply(resolver, question);
	else
		pin(resolver, question);
}

void
judging_ask(struct question *question, uint16_t id,
    const uint8_t case_bits[DNS_CASE_BITS_LEN])
{
	const struct dns_ask *ask = &question->judged->ask;

	judge_ask(question->judged, id, case_bits);
	question->len = ask->len;
	store_be16(question->framed, (uint16_t)ask->len);
	memcpy(question_bytes(question), ask->bytes, ask->len);
}

bool
judging_take(struct resolver *resolver, struct question *question, const uint8_t *bytes,
    size_t len)
{
	enum judge_step step =
	    judge_answer(resolver->judge, question->judged, bytes, len, resolver->now_ms);

	tell_refusal(resolver, question->judged);
	if (step == JUDGE_WAIT)
		return false;
	if (question->server != -1)
		servers_note_answer(&resolver->servers, question->server);
	switch (step) {
	case JUDGE_REPLY:
		finish(resolver, question);
		break;
	case JUDGE_ASK:
		question->course = servers_begin(&resolver->servers);
		question_go_on(resolver, question);
		break;
	case JUDGE_AGAIN:
		question_ask_again(resolver, question);
		break;
	default:
		if (!question_leave_server(resolver, question))
			judging_fail(resolver, question);
	}
	return true;
}

void
judging_fail(struct resolver *resolver, struct question *question)
{
	judge_fail(resolver->judge, question->judged, DNS_EDE_NO_REACHABLE_AUTHORITY,
	    resolver->now_ms);
	reply(resolver, question);
}

/* The query has been judged: gives it a place, if it has to wait for others. */
static struct question *
begin(struct resolver *resolver, const struct asker *asker, const struct judged *judged)
{
	struct question *question = question_begin(resolver, asker);

	question->is_judged = true;
	judge_copy(question->judged, judged);
	return question;
}

/* Whether the reply can leave at once. A flood of such queries takes no place of others. */
static bool
is_ready(const struct judged *judged, enum judge_step step)
{
	struct inaddr addrs[DNS_RECORDS_MAX];

	return step == JUDGE_REPLY && judge_pins(judged, addrs) == 0;
}

static void
go_on(struct resolver *resolver, struct question *question, enum judge_step step)
{
	if (step == JUDGE_REPLY)
		finish(resolver, question);
	else
		question_go_on(resolver, question);
}

bool
judging_add(struct resolver *resolver, const struct asker *asker, const uint8_t *bytes,
    size_t len)
{
	static struct judged judged;
	uint8_t answer[REPLY_MAX];
	enum judge_step step = judge_query(resolver->judge, &judged, bytes, len,
	    asker->client != NULL, resolver->now_ms);

	tell_refusal(resolver, &judged);
	if (is_ready(&judged, step))
		question_reply(resolver, asker, answer, write_reply(&judged, answer));
	else if (step != JUDGE_IGNORE)
		go_on(resolver, begin(resolver, asker, &judged), step);
	return step != JUDGE_IGNORE;
}

/* --- mode audit ----------------------------------------------------------------------- */

void
judging_observe(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len)
{
	question->is_observed = true;
	judge_observe(resolver->judge, question->judged, bytes, len,
	    question->asker.client != NULL, resolver->now_ms);
	tell_refusal(resolver, question->judged);
}

bool
judging_observe_answer(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len)
{
	struct inaddr addrs[DNS_RECORDS_MAX];

	judge_observe_answer(resolver->judge, question->judged, question_bytes(question),
	    bytes, len, resolver->now_ms);
	tell_refusal(resolver, question->judged);
	return judge_pins(question->judged, addrs) > 0;
}

void
judging_keep_answer(struct resolver *resolver, struct question *question, uint8_t *bytes,
    size_t len)
{
	struct questions *questions = &resolver->questions;

	question->kept_len = len;
	question->kept = bytes;
	if (!question->asker.client) {
		question->kept = questions->kept[question - questions->places];
		memcpy(question->kept, bytes, len);
	}
	pin(resolver, question);
}

/* --- another policy ------------------------------------------------------------------- */

/* A query that has been judged, as the guest would have sent it. Returns its length. */
static size_t
write_query(const struct judged *judged, uint8_t bytes[IPC_DNS_QUERY_MAX])
{
	const struct dns_query *query = &judged->query;
	struct dns_ask ask;

	dns_ask_build(&ask, query->name, query->type, query->id, NULL, query->has_edns);
	/* The guest's case of letters. */
	memcpy(ask.bytes + DNS_HEADER_LEN, query->question, query->question_len);
	memcpy(bytes, ask.bytes, ask.len);
	return ask.len;
}

/* Takes the guest's message again. It was a question before, and so it is one now. */
static void
take_again(struct resolver *resolver, struct question *question)
{
	const struct asker asker = question->asker;
	uint8_t bytes[IPC_DNS_QUERY_MAX];
	size_t len = question->len;

	if (question->is_judged) {
		len = write_query(question->judged, bytes);
	} else {
		memcpy(bytes, question_bytes(question), len);
		message_set_id(bytes, question->guest_id);
	}
	question_forget(resolver, question);
	(void)question_add(resolver, &asker, bytes, len);
}

static void
begin_anew(struct resolver *resolver, struct question *question)
{
	enum judge_step step;

	/* The connector knows both policies, and may refuse the addresses. */
	if (question->is_judged && question->state == QUESTION_PINNED)
		return;
	if (!question->is_judged || resolver_policy_observes(resolver)) {
		take_again(resolver, question);
		return;
	}
	question->course = servers_begin(&resolver->servers);
	step = judge_anew(resolver->judge, question->judged, resolver->now_ms);
	tell_refusal(resolver, question->judged);
	go_on(resolver, question, step);
}

void
judging_begin_anew(struct resolver *resolver)
{
	struct question *question, *next;
	size_t n = 0;

	TAILQ_FOREACH(question, &resolver->questions.aged, aged)
	{
		n++;
	}
	/* A question that is taken again goes to the end of the list, and is not seen twice. */
	for (question = TAILQ_FIRST(&resolver->questions.aged); n-- > 0;
	     question = next) {
		next = TAILQ_NEXT(question, aged);
		begin_anew(resolver, question);
	}
}

/* --- addresses for the connector ------------------------------------------------------- */

bool
judging_wants_pin(struct resolver *resolver, struct ipc_dns_pin *pin)
{
	const struct question *question = TAILQ_FIRST(&resolver->questions.pinning);
	const struct judged *judged;

	if (!question)
		return false;
	judged = question->judged;
	*pin = (struct ipc_dns_pin){
		.number = question_number(resolver, question),
		.generation = resolver_policy_generation(resolver),
		.ttl_s = judged->answer.ttl_s,
		.n_patterns = judged->n_patterns,
	};
	pin->n_addrs = (uint8_t)judge_pins(judged, pin->addrs);
	memcpy(pin->patterns, judged->patterns,
	    judged->n_patterns * sizeof(judged->patterns[0]));
	memcpy(pin->name, judged->query.name, strlen(judged->query.name));
	return true;
}

void
judging_has_pinned(struct resolver *resolver)
{
	struct question *question = TAILQ_FIRST(&resolver->questions.pinning);

	TAILQ_REMOVE(&resolver->questions.pinning, question, wanting);
	question->state = QUESTION_PINNED;
}

void
judging_take_pinned(struct resolver *resolver, uint64_t number, bool is_pinned)
{
	struct question *question = question_find(resolver, number, QUESTION_PINNED);

	if (!question)
		return;
	if (question->is_observed)
		question_answer(resolver, question, question->kept, question->kept_len);
	else if (is_pinned)
		reply(resolver, question);
	else
		judging_fail(resolver, question);
}
