/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the host's name servers, one after the other, until one of them answers. */
#include "resolver/question.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/log.h"
#include "resolver/resolver.h"
#include "resolver/worker.h"

/* Datagrams read from a socket in a turn. All but one belong to no question. poll(2) reports
 * the rest. */
#define READS_MAX 16

/* --- the table ------------------------------------------------------------------------ */

void
question_init(struct resolver *resolver)
{
	struct questions *questions = &resolver->questions;

	TAILQ_INIT(&questions->aged);
	TAILQ_INIT(&questions->wanting);
	TAILQ_INIT(&questions->free);
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		questions->places[i].fd = -1;
		TAILQ_INSERT_TAIL(&questions->free, &questions->places[i], aged);
	}
}

static uint64_t
number_of(const struct questions *questions, const struct question *question)
{
	return (uint64_t)question->generation << 32 |
	    (uint64_t)(question - questions->places);
}

/* The question that has asked for the socket of this number, if it still waits for it. */
static struct question *
find(struct questions *questions, uint64_t number)
{
	struct question *question = &questions->places[(uint32_t)number % QUESTIONS_MAX];

	return question->state == QUESTION_ASKED &&
		number_of(questions, question) == number
	    ? question
	    : NULL;
}

/* Ends all that the question does at present. */
static void
stop(struct questions *questions, struct question *question)
{
	if (question->state == QUESTION_WANTS)
		TAILQ_REMOVE(&questions->wanting, question, wanting);
	if (question->fd != -1)
		close(take_fd(&question->fd));
	/* A socket that is on the way comes too late. */
	question->generation++;
	question->state = QUESTION_RESTS;
}

static void
end(struct questions *questions, struct question *question)
{
	stop(questions, question);
	question->state = QUESTION_FREE;
	TAILQ_REMOVE(&questions->aged, question, aged);
	TAILQ_INSERT_HEAD(&questions->free, question, aged);
}

/* --- the way through the servers ------------------------------------------------------- */

static void
fail(struct resolver *resolver, struct question *question)
{
	size_t len;

	message_set_id(question->bytes, question->guest_id);
	len = message_make_error(question->bytes, question->end, DNS_SERVFAIL,
	    question->bytes);
	worker_answer(resolver, question->asker, question->bytes, len);
	end(&resolver->questions, question);
}

/* Wants a socket to the present server. */
static void
want(struct resolver *resolver, struct question *question)
{
	question->state = QUESTION_WANTS;
	question->try_ends_ms = servers_is_last(&resolver->servers, &question->course)
	    ? question->ends_ms
	    : resolver->now_ms + resolver->servers.timeout_ms;
	TAILQ_INSERT_TAIL(&resolver->questions.wanting, question, wanting);
}

/* Goes on to the next server, or fails if there is none. */
static void
go_on(struct resolver *resolver, struct question *question)
{
	stop(&resolver->questions, question);
	question->server =
	    servers_next(&resolver->servers, &question->course, resolver->now_ms);
	if (question->server == -1)
		fail(resolver, question);
	else
		want(resolver, question);
}

static void
say_dead(struct resolver *resolver, int index)
{
	char text[INET6_ADDRSTRLEN];

	if (ratelimit_allow(&resolver->log_limit, resolver->now_ms))
		log_warning("name server %s does not answer; asking it last for %d s",
		    inaddr_format(&resolver->servers.list[index].at.addr, text),
		    SERVERS_DEAD_MS / 1000);
}

static void
note_loss(struct resolver *resolver, const struct question *question)
{
	/* Before it had a socket, the server was not asked. */
	if (question->state == QUESTION_TALKS && question->server != -1 &&
	    servers_note_loss(&resolver->servers, question->server, resolver->now_ms))
		say_dead(resolver, question->server);
}

/* The question's socket has failed. */
static void
note_error(struct resolver *resolver, struct question *question, int error)
{
	if (error == ECONNREFUSED && question->server != -1 &&
	    servers_note_refusal(&resolver->servers, question->server, resolver->now_ms))
		say_dead(resolver, question->server);
	go_on(resolver, question);
}

void
question_restart_all(struct resolver *resolver)
{
	struct question *question, *next;

	for (question = TAILQ_FIRST(&resolver->questions.aged); question;
	     question = next) {
		next = TAILQ_NEXT(question, aged);
		question->course = servers_begin(&resolver->servers);
		question->server = -1;
		if (question->state != QUESTION_TALKS)
			go_on(resolver, question);
	}
}

/* --- sockets -------------------------------------------------------------------------- */

bool
question_wants_socket(struct resolver *resolver, struct ipc_dns_open *wanted)
{
	const struct question *question = TAILQ_FIRST(&resolver->questions.wanting);

	if (!question)
		return false;
	*wanted = (struct ipc_dns_open){
		.number = number_of(&resolver->questions, question),
		.server = resolver->servers.list[question->server].at,
	};
	return true;
}

void
question_has_asked(struct resolver *resolver)
{
	struct question *question = TAILQ_FIRST(&resolver->questions.wanting);

	TAILQ_REMOVE(&resolver->questions.wanting, question, wanting);
	question->state = QUESTION_ASKED;
}

/* Gives the message a number that nobody can guess. Returns 0, or -1 with errno set. */
static int
choose_id(struct question *question)
{
	uint16_t id;

	/* Cannot fail once the kernel has been seeded, which is long before a guest. */
	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id))
		return -1;
	message_set_id(question->bytes, id);
	return 0;
}

void
question_take_socket(struct resolver *resolver, uint64_t number, int adopt_fd)
{
	struct question *question = find(&resolver->questions, number);
	autofd int fd = adopt_fd;

	if (!question)
		return;
	question->state = QUESTION_TALKS;
	question->fd = take_fd(&fd);
	if (choose_id(question) == -1 ||
	    send(question->fd, question->bytes, question->len,
		MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		note_error(resolver, question, errno);
}

void
question_take_refusal(struct resolver *resolver, uint64_t number, int error)
{
	struct question *question = find(&resolver->questions, number);

	if (!question)
		return;
	if (!fdio_is_shortage(error) && error != ETOOMANYREFS) {
		go_on(resolver, question);
		return;
	}
	/* No fault of the server. */
	stop(&resolver->questions, question);
	question->try_ends_ms = resolver->now_ms + FDIO_RETRY_MS;
}

/* Takes an answer of the question's server. */
static void
take_answer(struct resolver *resolver, struct question *question, uint8_t *bytes,
    size_t len)
{
	if (question->server != -1)
		servers_note_answer(&resolver->servers, question->server);
	if (message_is_failure(bytes)) {
		struct course ahead = question->course;

		if (question->server != -1)
			question->course.failed |= (uint8_t)(1U << question->server);
		ahead.failed = question->course.failed;
		if (servers_next(&resolver->servers, &ahead, resolver->now_ms) != -1) {
			go_on(resolver, question);
			return;
		}
	}
	message_set_id(bytes, question->guest_id);
	if (len > IPC_DNS_ANSWER_MAX)
		len = message_cut(bytes, question->end);
	worker_answer(resolver, question->asker, bytes, len);
	end(&resolver->questions, question);
}

void
question_read(struct resolver *resolver, struct question *question)
{
	static uint8_t bytes[MESSAGE_MAX];

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(question->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1) {
			note_error(resolver, question, errno);
			return;
		}
		if (message_is_answer(bytes, (size_t)n, question->bytes, question->end)) {
			take_answer(resolver, question, bytes, (size_t)n);
			return;
		}
	}
}

/* --- questions of the guest ----------------------------------------------------------- */

static void
refuse(struct resolver *resolver, uint64_t asker, const uint8_t *bytes,
    const struct message_question *read)
{
	uint8_t answer[IPC_DNS_QUERY_MAX];

	worker_answer(resolver, asker, answer,
	    message_make_error(bytes, read->end, read->rcode, answer));
}

void
question_add(struct resolver *resolver, uint64_t asker, const uint8_t *bytes, size_t len)
{
	struct questions *questions = &resolver->questions;
	struct message_question read;
	struct question *question;

	switch (message_read_question(bytes, len, &read)) {
	case MESSAGE_QUESTION:
		break;
	case MESSAGE_BAD:
		refuse(resolver, asker, bytes, &read);
		return;
	case MESSAGE_IGNORED:
		return;
	}
	if (TAILQ_EMPTY(&questions->free))
		end(questions, TAILQ_FIRST(&questions->aged));
	question = TAILQ_FIRST(&questions->free);
	TAILQ_REMOVE(&questions->free, question, aged);
	TAILQ_INSERT_TAIL(&questions->aged, question, aged);
	question->state = QUESTION_RESTS;
	question->asker = asker;
	question->guest_id = message_id(bytes);
	question->course = servers_begin(&resolver->servers);
	question->ends_ms = resolver->now_ms + resolver->servers.patience_ms;
	question->end = read.end;
	question->len = len;
	memcpy(question->bytes, bytes, len);
	go_on(resolver, question);
}

/* --- time ----------------------------------------------------------------------------- */

static void
take_step(struct resolver *resolver, struct question *question)
{
	if (resolver->now_ms >= question->ends_ms) {
		note_loss(resolver, question);
		fail(resolver, question);
	} else if (question->state == QUESTION_RESTS) {
		want(resolver, question);
	} else {
		note_loss(resolver, question);
		go_on(resolver, question);
	}
}

uint64_t
question_tick(struct resolver *resolver)
{
	struct question *question, *next;
	uint64_t due_ms = DEADLINE_NONE;

	for (question = TAILQ_FIRST(&resolver->questions.aged); question;
	     question = next) {
		next = TAILQ_NEXT(question, aged);
		if (resolver->now_ms >=
		    deadline_earlier(question->try_ends_ms, question->ends_ms))
			take_step(resolver, question);
		if (question->state != QUESTION_FREE)
			due_ms = deadline_earlier(due_ms,
			    deadline_earlier(question->try_ends_ms, question->ends_ms));
	}
	return due_ms;
}
