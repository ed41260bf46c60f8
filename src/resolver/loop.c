/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the resolver: waits for messages of other processes and of name servers. */
#include "resolver/loop.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "resolver/control.h"
#include "resolver/worker.h"

/* Order of the descriptors: the channels, then the sockets of questions. */
enum { PARENT, WORKER, CONNECTOR, FIRST_QUESTION };

/* The descriptors to poll, and the question of each. */
struct polled {
	struct pollfd fds[FIRST_QUESTION + QUESTIONS_MAX];
	struct question *questions[FIRST_QUESTION + QUESTIONS_MAX];
	nfds_t n;
};

static void
collect(struct resolver *resolver, struct polled *polled)
{
	struct question *question;

	polled->fds[PARENT] =
	    (struct pollfd){ .fd = resolver->to_parent.fd, .events = POLLIN };
	polled->fds[WORKER] = (struct pollfd){
		.fd = resolver->to_worker.fd,
		.events = resolver->has_answer ? POLLIN | POLLOUT : POLLIN,
	};
	polled->fds[CONNECTOR] = (struct pollfd){
		.fd = resolver->to_connector.fd,
		.events = resolver->lender.is_full ? POLLIN | POLLOUT : POLLIN,
	};
	polled->n = FIRST_QUESTION;
	/* The kernel keeps the servers' answers as long as the worker takes none. */
	if (resolver->has_answer)
		return;
	TAILQ_FOREACH(question, &resolver->questions.aged, aged)
	{
		if (question->state != QUESTION_TALKS)
			continue;
		polled->questions[polled->n] = question;
		polled->fds[polled->n++] =
		    (struct pollfd){ .fd = question->fd, .events = POLLIN };
	}
}

/* Reads the sockets that are ready. */
static void
read_questions(struct resolver *resolver, const struct polled *polled)
{
	for (nfds_t i = FIRST_QUESTION; i < polled->n && !resolver->has_answer; i++) {
		struct question *question = polled->questions[i];

		/* It may have ended since the wait, and others have taken its place. */
		if (polled->fds[i].revents && question->state == QUESTION_TALKS &&
		    question->fd == polled->fds[i].fd)
			question_read(resolver, question);
	}
}

static void
turn(struct resolver *resolver)
{
	struct polled polled;
	uint64_t due_ms = question_tick(resolver);

	lender_send(resolver);
	collect(resolver, &polled);
	if (poll(polled.fds, polled.n, deadline_timeout(due_ms, resolver->now_ms)) ==
	    -1) {
		if (errno != EINTR)
			fdio_pause();
		resolver->now_ms = clock_now_ms();
		return;
	}
	resolver->now_ms = clock_now_ms();
	if (polled.fds[PARENT].revents)
		resolver_control_receive(resolver);
	if (polled.fds[WORKER].revents & POLLOUT)
		worker_answer_again(resolver);
	if (polled.fds[WORKER].revents & ~POLLOUT)
		worker_receive(resolver);
	read_questions(resolver, &polled);
	/* Last: a socket that is new has a number which another one had at the wait. */
	if (polled.fds[CONNECTOR].revents & ~POLLOUT)
		lender_receive(resolver);
}

void
resolver_loop_run(struct resolver *resolver)
{
	resolver->now_ms = clock_now_ms();
	while (!resolver->ended)
		turn(resolver);
}
