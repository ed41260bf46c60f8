/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the host's name servers, one after the other, until one of them answers. */
#include "resolver/question.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/log.h"
#include "resolver/resolver.h"
#include "resolver/stream.h"
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
	for (size_t i = 0; i < QUESTION_PLACES; i++) {
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
	struct question *question =
	    &questions->places[(uint32_t)number % QUESTION_PLACES];

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
	if (!question->client)
		questions->n_by_udp--;
	TAILQ_REMOVE(&questions->aged, question, aged);
	TAILQ_INSERT_HEAD(&questions->free, question, aged);
}

/* --- the way through the servers ------------------------------------------------------- */

/* Gives the guest an answer that has our number. */
static void
answer(struct resolver *resolver, struct question *question, uint8_t *bytes, size_t len)
{
	struct client *client = question->client;

	message_set_id(bytes, question->guest_id);
	end(&resolver->questions, question);
	if (client) {
		client_answer(resolver, client, bytes, len);
		return;
	}
	if (len > IPC_DNS_ANSWER_MAX)
		len = message_cut(bytes, question->end);
	worker_answer(resolver, question->asker, bytes, len);
}

static void
fail(struct resolver *resolver, struct question *question)
{
	uint8_t *bytes = question_bytes(question);

	answer(resolver, question, bytes,
	    message_make_error(bytes, question->end, DNS_SERVFAIL, bytes));
}

void
question_forget(struct resolver *resolver, struct question *question)
{
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
		.is_tcp = question->client != NULL,
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
	message_set_id(question_bytes(question), id);
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
	question->n_sent = question->n_read = 0;
	/* A connection is not made yet. */
	if (choose_id(question) == -1 ||
	    (!question->client &&
		send(question->fd, question_bytes(question), question->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) == -1))
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
	answer(resolver, question, bytes, len);
}

/* Reads a socket of UDP. */
static void
read_datagrams(struct resolver *resolver, struct question *question)
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
		if (message_is_answer(bytes, (size_t)n, question_bytes(question),
			question->end)) {
			take_answer(resolver, question, bytes, (size_t)n);
			return;
		}
	}
}

static void
serve_stream(struct resolver *resolver, struct question *question)
{
	uint8_t *bytes = question->client->bytes + MESSAGE_PREFIX_LEN;
	size_t len;

	switch (stream_serve(question)) {
	case STREAM_GOES_ON:
		return;
	case STREAM_ANSWERED:
		len = question->n_read - MESSAGE_PREFIX_LEN;
		if (message_is_answer(bytes, len, question_bytes(question),
			question->end))
			take_answer(resolver, question, bytes, len);
		else
			go_on(resolver, question);
		return;
	case STREAM_FAILED:
		note_error(resolver, question, errno);
		return;
	}
}

short
question_events(const struct question *question)
{
	return question->client && stream_sends(question) ? POLLOUT : POLLIN;
}

void
question_serve(struct resolver *resolver, struct question *question)
{
	if (question->client)
		serve_stream(resolver, question);
	else
		read_datagrams(resolver, question);
}

/* --- questions of the guest ----------------------------------------------------------- */

/* A place for a question, in the list of those that are asked. */
static struct question *
take_place(struct questions *questions, struct client *client)
{
	struct question *question;

	if (!client && questions->n_by_udp == QUESTIONS_MAX) {
		question = TAILQ_FIRST(&questions->aged);
		while (question->client)
			question = TAILQ_NEXT(question, aged);
		end(questions, question);
	}
	if (!client)
		questions->n_by_udp++;
	question = TAILQ_FIRST(&questions->free);
	TAILQ_REMOVE(&questions->free, question, aged);
	TAILQ_INSERT_TAIL(&questions->aged, question, aged);
	question->state = QUESTION_RESTS;
	question->client = client;
	return question;
}

/* Begins to ask. */
static void
begin(struct resolver *resolver, struct question *question, const uint8_t *bytes,
    size_t len, size_t end)
{
	question->guest_id = message_id(bytes);
	question->course = servers_begin(&resolver->servers);
	question->ends_ms = resolver->now_ms + resolver->servers.patience_ms;
	question->end = end;
	question->len = len;
	store_be16(question->framed, (uint16_t)len);
	memcpy(question_bytes(question), bytes, len);
	go_on(resolver, question);
}

void
question_add(struct resolver *resolver, uint64_t asker, const uint8_t *bytes, size_t len)
{
	uint8_t error[IPC_DNS_QUERY_MAX];
	struct message_question read;
	struct question *question;

	switch (message_read_question(bytes, len, &read)) {
	case MESSAGE_QUESTION:
		question = take_place(&resolver->questions, NULL);
		question->asker = asker;
		begin(resolver, question, bytes, len, read.end);
		break;
	case MESSAGE_BAD:
		worker_answer(resolver, asker, error,
		    message_make_error(bytes, read.end, read.rcode, error));
		break;
	case MESSAGE_IGNORED:
		break;
	}
}

bool
question_add_stream(struct resolver *resolver, struct client *client,
    const uint8_t *bytes, size_t len)
{
	uint8_t error[IPC_DNS_QUERY_MAX];
	struct message_question read;

	switch (message_read_question(bytes, len, &read)) {
	case MESSAGE_QUESTION:
		client->question = take_place(&resolver->questions, client);
		begin(resolver, client->question, bytes, len, read.end);
		return true;
	case MESSAGE_BAD:
		client_answer(resolver, client, error,
		    message_make_error(bytes, read.end, read.rcode, error));
		return true;
	default:
		return false;
	}
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
