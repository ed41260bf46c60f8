/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the host's name servers, one after the other, until one of them answers. */
#include "resolver/question.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/log.h"
#include "resolver/judging.h"
#include "resolver/policy.h"
#include "resolver/resolver.h"
#include "resolver/stream.h"

/* Datagrams read from a socket in a turn. All but one belong to no question. poll(2) reports
 * the rest. */
#define READS_MAX 16

/* --- the way through the servers ------------------------------------------------------- */

/* Gives the guest an answer that has our number. */
static void
answer(struct resolver *resolver, struct question *question, uint8_t *bytes, size_t len)
{
	bool has_pins = question->is_observed &&
	    judging_observe_answer(resolver, question, bytes, len);

	message_set_id(bytes, question->guest_id);
	if (!question->asker.client && len > IPC_DNS_ANSWER_MAX)
		len = message_cut(bytes, question->end);
	if (has_pins)
		judging_keep_answer(resolver, question, bytes, len);
	else
		question_answer(resolver, question, bytes, len);
}

static void
fail(struct resolver *resolver, struct question *question)
{
	uint8_t *bytes = question_bytes(question);

	if (question->is_judged) {
		judging_fail(resolver, question);
		return;
	}
	/* Nothing is refused in mode audit, whether the connector answers or not. */
	if (question->state == QUESTION_PINS || question->state == QUESTION_PINNED) {
		question_answer(resolver, question, question->kept, question->kept_len);
		return;
	}
	answer(resolver, question, bytes,
	    message_make_error(bytes, question->end, DNS_SERVFAIL, bytes));
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

void
question_go_on(struct resolver *resolver, struct question *question)
{
	question_stop(resolver, question);
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
	question_go_on(resolver, question);
}

void
question_end_all(struct resolver *resolver)
{
	struct question *question = TAILQ_FIRST(&resolver->questions.aged);

	while (question) {
		bool is_of_client = question->asker.client != NULL;
		struct question *next = TAILQ_NEXT(question, aged);

		if (!is_of_client)
			question_forget(resolver, question);
		question = is_of_client ? next : TAILQ_FIRST(&resolver->questions.aged);
	}
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
		if (question->state < QUESTION_TALKS)
			question_go_on(resolver, question);
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
		.number = question_number(resolver, question),
		.server = resolver->servers.list[question->server].at,
		.is_tcp = question->asker.client != NULL,
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
	struct {
		uint16_t id;
		uint8_t case_bits[DNS_CASE_BITS_LEN];
	} secret;

	/* Cannot fail once the kernel has been seeded, which is long before a guest. */
	if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
		return -1;
	if (question->is_judged)
		judging_ask(question, secret.id, secret.case_bits);
	else
		message_set_id(question_bytes(question), secret.id);
	return 0;
}

/* The question has a socket. A connection is not made yet. */
static void
talk(struct resolver *resolver, struct question *question)
{
	question->state = QUESTION_TALKS;
	question->n_sent = question->n_read = 0;
	if (choose_id(question) == -1 ||
	    (!question->asker.client &&
		send(question->fd, question_bytes(question), question->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) == -1))
		note_error(resolver, question, errno);
}

void
question_take_socket(struct resolver *resolver, uint64_t number, int adopt_fd)
{
	struct question *question = question_find(resolver, number, QUESTION_ASKED);
	autofd int fd = adopt_fd;

	if (!question)
		return;
	question->fd = take_fd(&fd);
	talk(resolver, question);
}

void
question_ask_again(struct resolver *resolver, struct question *question)
{
	/* What a server sends behind its answer on a connection is nothing that it was asked
	 * for. */
	if (!question->asker.client) {
		talk(resolver, question);
		return;
	}
	/* Its server is gone from the list. */
	if (question->server == -1) {
		question_go_on(resolver, question);
		return;
	}
	question_stop(resolver, question);
	want(resolver, question);
}

void
question_take_refusal(struct resolver *resolver, uint64_t number, int error)
{
	struct question *question = question_find(resolver, number, QUESTION_ASKED);

	if (!question)
		return;
	if (!fdio_is_shortage(error) && error != ETOOMANYREFS) {
		question_go_on(resolver, question);
		return;
	}
	/* No fault of the server. */
	question_stop(resolver, question);
	question->try_ends_ms = resolver->now_ms + FDIO_RETRY_MS;
}

bool
question_leave_server(struct resolver *resolver, struct question *question)
{
	struct course ahead = question->course;

	if (question->server != -1)
		question->course.failed |= (uint8_t)(1U << question->server);
	ahead.failed = question->course.failed;
	if (servers_next(&resolver->servers, &ahead, resolver->now_ms) == -1)
		return false;
	question_go_on(resolver, question);
	return true;
}

/* Takes an answer of the question's server. */
static void
take_answer(struct resolver *resolver, struct question *question, uint8_t *bytes,
    size_t len)
{
	if (question->server != -1)
		servers_note_answer(&resolver->servers, question->server);
	if (message_is_failure(bytes) && question_leave_server(resolver, question))
		return;
	answer(resolver, question, bytes, len);
}

/* Takes a message of the question's server. Returns false if it is not the answer. */
static bool
take_message(struct resolver *resolver, struct question *question, uint8_t *bytes,
    size_t len)
{
	if (question->is_judged)
		return judging_take(resolver, question, bytes, len);
	if (!message_is_answer(bytes, len, question_bytes(question), question->end))
		return false;
	take_answer(resolver, question, bytes, len);
	return true;
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
		if (take_message(resolver, question, bytes, (size_t)n))
			return;
	}
}

static void
serve_stream(struct resolver *resolver, struct question *question)
{
	uint8_t *bytes = question->asker.client->bytes + MESSAGE_PREFIX_LEN;
	size_t len;

	switch (stream_serve(question)) {
	case STREAM_GOES_ON:
		return;
	case STREAM_ANSWERED:
		len = question->n_read - MESSAGE_PREFIX_LEN;
		if (!take_message(resolver, question, bytes, len))
			question_go_on(resolver, question);
		return;
	case STREAM_FAILED:
		note_error(resolver, question, errno);
		return;
	}
}

short
question_events(const struct question *question)
{
	return question->asker.client && stream_sends(question) ? POLLOUT : POLLIN;
}

void
question_serve(struct resolver *resolver, struct question *question)
{
	if (question->asker.client)
		serve_stream(resolver, question);
	else
		read_datagrams(resolver, question);
}

/* --- questions of the guest ----------------------------------------------------------- */

/* Begins to ask. */
static void
begin(struct resolver *resolver, struct question *question, const uint8_t *bytes,
    size_t len, size_t end)
{
	question->guest_id = message_id(bytes);
	question->end = end;
	question->len = len;
	store_be16(question->framed, (uint16_t)len);
	memcpy(question_bytes(question), bytes, len);
	question_go_on(resolver, question);
}

bool
question_add(struct resolver *resolver, const struct asker *asker, const uint8_t *bytes,
    size_t len)
{
	uint8_t error[IPC_DNS_QUERY_MAX];
	struct message_question read;
	struct question *question;

	if (resolver_policy_is_missing(resolver))
		return false;
	if (resolver_policy_judges(resolver))
		return judging_add(resolver, asker, bytes, len);
	switch (message_read_question(bytes, len, &read)) {
	case MESSAGE_QUESTION:
		question = question_begin(resolver, asker);
		if (resolver_policy_observes(resolver))
			judging_observe(resolver, question, bytes, len);
		begin(resolver, question, bytes, len, read.end);
		return true;
	case MESSAGE_BAD:
		question_reply(resolver, asker, error,
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
		question_go_on(resolver, question);
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
