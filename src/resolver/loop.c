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

/* Order of the descriptors: the channels, the guest's connections, the sockets of questions. */
enum { PARENT, WORKER, CONNECTOR, N_CHANNELS };
#define POLLED_MAX (N_CHANNELS + CLIENTS_MAX + QUESTION_PLACES)

/* The descriptors to poll, and the connection or question of each. No entry is unused: poll(2)
 * fails if there are more entries than the limit on open files. */
struct polled {
	struct pollfd fds[POLLED_MAX];
	struct client *clients[POLLED_MAX];
	struct question *questions[POLLED_MAX];
	nfds_t n_clients_end, n;
};

static void
collect_channels(const struct resolver *resolver, struct pollfd *fds)
{
	fds[PARENT] = (struct pollfd){ .fd = resolver->to_parent.fd, .events = POLLIN };
	fds[WORKER] = (struct pollfd){
		.fd = resolver->to_worker.fd,
		.events = resolver->has_answer ? POLLIN | POLLOUT : POLLIN,
	};
	fds[CONNECTOR] = (struct pollfd){
		.fd = resolver->to_connector.fd,
		.events = resolver->lender.is_full ? POLLIN | POLLOUT : POLLIN,
	};
}

/* The kernel keeps the servers' answers as long as the worker takes none. */
static bool
is_held_up(const struct resolver *resolver, const struct question *question)
{
	return resolver->has_answer && !question->asker.client;
}

static void
collect(struct resolver *resolver, struct polled *polled)
{
	struct question *question;

	collect_channels(resolver, polled->fds);
	polled->n = N_CHANNELS;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &resolver->clients[i];

		if (client->state == CLIENT_NONE)
			continue;
		polled->clients[polled->n] = client;
		polled->fds[polled->n++] = (struct pollfd){
			.fd = client->fd,
			.events = client_events(client),
		};
	}
	polled->n_clients_end = polled->n;
	TAILQ_FOREACH(question, &resolver->questions.aged, aged)
	{
		if (question->state != QUESTION_TALKS || is_held_up(resolver, question))
			continue;
		polled->questions[polled->n] = question;
		polled->fds[polled->n++] = (struct pollfd){
			.fd = question->fd,
			.events = question_events(question),
		};
	}
}

/* Serves the sockets that are ready. One may have ended since the wait; none has the number of
 * another one. */
static void
serve_sockets(struct resolver *resolver, const struct polled *polled)
{
	for (nfds_t i = polled->n_clients_end; i < polled->n; i++) {
		struct question *question = polled->questions[i];

		if (polled->fds[i].revents && question->state == QUESTION_TALKS &&
		    question->fd == polled->fds[i].fd && !is_held_up(resolver, question))
			question_serve(resolver, question);
	}
	for (nfds_t i = N_CHANNELS; i < polled->n_clients_end; i++) {
		const struct pollfd *ready = &polled->fds[i];
		struct client *client = polled->clients[i];

		if (ready->revents && client->state != CLIENT_NONE &&
		    client->fd == ready->fd)
			client_serve(resolver, client, ready->revents);
	}
}

static void
turn(struct resolver *resolver)
{
	struct polled polled;
	uint64_t due_ms =
	    deadline_earlier(question_tick(resolver), client_tick(resolver));

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
	serve_sockets(resolver, &polled);
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
