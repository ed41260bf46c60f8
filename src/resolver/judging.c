/* SPDX-License-Identifier: BSD-2-Clause */
/* Judges the guest's questions by a policy. */
#include "resolver/judging.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
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

/* Gives the guest the reply that is ready. */
static void
reply(struct resolver *resolver, struct question *question)
{
	uint8_t bytes[REPLY_MAX];
	size_t len = write_reply(question->judged, bytes);

	question_answer(resolver, question, bytes, len);
}

/* The reply is ready. Tells the connector its addresses first, so that the guest's first packet
 * to them finds them known. */
static void
finish(struct resolver *resolver, struct question *question)
{
	struct inaddr addrs[DNS_RECORDS_MAX];

	if (judge_pins(question->judged, addrs) == 0) {
		reply(resolver, question);
		return;
	}
	question_stop(resolver, question);
	question->state = QUESTION_PINS;
	question->try_ends_ms = question->ends_ms;
	TAILQ_INSERT_TAIL(&resolver->questions.pinning, question, wanting);
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

	if (is_ready(&judged, step))
		question_reply(resolver, asker, answer, write_reply(&judged, answer));
	else if (step != JUDGE_IGNORE)
		go_on(resolver, begin(resolver, asker, &judged), step);
	return step != JUDGE_IGNORE;
}

void
judging_begin_anew(struct resolver *resolver)
{
	struct question *question, *next;

	for (question = TAILQ_FIRST(&resolver->questions.aged); question;
	     question = next) {
		next = TAILQ_NEXT(question, aged);
		/* The connector knows both policies, and may refuse the addresses. */
		if (!question->is_judged || question->state == QUESTION_PINNED)
			continue;
		question->course = servers_begin(&resolver->servers);
		go_on(resolver, question,
		    judge_anew(resolver->judge, question->judged, resolver->now_ms));
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
	if (is_pinned)
		reply(resolver, question);
	else
		judging_fail(resolver, question);
}
