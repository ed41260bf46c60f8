/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of questions: their places, and how they begin and end. */
#include "resolver/question.h"

#include <unistd.h>

#include "base/auto.h"
#include "resolver/resolver.h"
#include "resolver/worker.h"

void
question_init(struct resolver *resolver)
{
	struct questions *questions = &resolver->questions;

	TAILQ_INIT(&questions->aged);
	TAILQ_INIT(&questions->wanting);
	TAILQ_INIT(&questions->pinning);
	TAILQ_INIT(&questions->free);
}

uint64_t
question_number(const struct resolver *resolver, const struct question *question)
{
	return (uint64_t)question->generation << 32 |
	    (uint64_t)(question - resolver->questions.places);
}

struct question *
question_find(struct resolver *resolver, uint64_t number, enum question_state state)
{
	struct question *question =
	    &resolver->questions.places[(uint32_t)number % QUESTION_PLACES];

	return question->state == state && question_number(resolver, question) == number
	    ? question
	    : NULL;
}

void
question_stop(struct resolver *resolver, struct question *question)
{
	struct questions *questions = &resolver->questions;

	if (question->state == QUESTION_WANTS)
		TAILQ_REMOVE(&questions->wanting, question, wanting);
	if (question->state == QUESTION_PINS)
		TAILQ_REMOVE(&questions->pinning, question, wanting);
	if (question->fd != -1)
		close(take_fd(&question->fd));
	/* A socket that is on the way comes too late. */
	question->generation++;
	question->state = QUESTION_RESTS;
}

void
question_forget(struct resolver *resolver, struct question *question)
{
	struct questions *questions = &resolver->questions;

	question_stop(resolver, question);
	question->state = QUESTION_FREE;
	if (!question->asker.client)
		questions->n_by_udp--;
	TAILQ_REMOVE(&questions->aged, question, aged);
	TAILQ_INSERT_HEAD(&questions->free, question, aged);
}

void
question_reply(struct resolver *resolver, const struct asker *asker, const uint8_t *bytes,
    size_t len)
{
	if (asker->client)
		client_answer(resolver, asker->client, bytes, len);
	else
		worker_answer(resolver, asker->number, bytes, len);
}

void
question_answer(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len)
{
	const struct asker asker = question->asker;

	question_forget(resolver, question);
	question_reply(resolver, &asker, bytes, len);
}

/* A place for a question, in the list of those that are asked. */
static struct question *
take_place(struct resolver *resolver, struct client *client)
{
	struct questions *questions = &resolver->questions;
	struct question *question;

	if (!client && questions->n_by_udp == QUESTIONS_MAX) {
		question = TAILQ_FIRST(&questions->aged);
		while (question->asker.client)
			question = TAILQ_NEXT(question, aged);
		question_forget(resolver, question);
	}
	if (!client)
		questions->n_by_udp++;
	question = TAILQ_FIRST(&questions->free);
	if (question) {
		TAILQ_REMOVE(&questions->free, question, aged);
	} else {
		question = &questions->places[questions->n];
		question->fd = -1;
		question->judged = &questions->judged[questions->n++];
	}
	TAILQ_INSERT_TAIL(&questions->aged, question, aged);
	question->state = QUESTION_RESTS;
	return question;
}

struct question *
question_begin(struct resolver *resolver, const struct asker *asker)
{
	struct question *question = take_place(resolver, asker->client);

	question->asker = *asker;
	if (asker->client)
		asker->client->question = question;
	question->is_judged = question->is_observed = false;
	question->course = servers_begin(&resolver->servers);
	question->ends_ms = resolver->now_ms + resolver->servers.patience_ms;
	return question;
}
