/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the connector: waits for messages of other processes. */
#include "connector/loop.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "connector/forward/api_requests.h"
#include "connector/control.h"
#include "connector/judge.h"
#include "connector/lend.h"
#include "connector/requests.h"

/* The channels in the poll set. */
enum { PARENT, WORKER, API, RESOLVER, N_CHANNELS };

static bool
may_tell(const struct connector *connector, uint64_t now_ms)
{
	return !connector->has_answer && listeners_have_news(&connector->listeners) &&
	    now_ms >= connector->listeners.tell_at_ms;
}

/* The answers come before news of listeners, and the worker is not heard before its last
 * question is answered. */
static short
events_of_worker(const struct connector *connector, uint64_t now_ms)
{
	if (connector->has_answer)
		return POLLOUT;
	return may_tell(connector, now_ms) ? POLLIN | POLLOUT : POLLIN;
}

/* Returns when the loop is due without an event (base/deadline.h). */
static uint64_t
due_ms(const struct connector *connector, uint64_t now_ms)
{
	const struct listeners *listeners = &connector->listeners;

	if (changes_want_a_turn(&connector->changes) || judge_wants_a_turn(connector))
		return 0;
	if (listeners_have_news(listeners) && now_ms < listeners->tell_at_ms)
		return listeners->tell_at_ms;
	return DEADLINE_NONE;
}

static void
handle_worker(struct connector *connector, short events)
{
	if (events && connector->has_answer)
		connector_requests_answer(connector);
	else if (events & ~POLLOUT)
		connector_requests_receive(connector);
	if (events & POLLOUT && !connector->has_answer)
		listeners_tell(&connector->listeners, &connector->to_worker,
		    clock_now_ms());
}

static void
turn(struct connector *connector)
{
	const struct changes *changes = &connector->changes;
	uint64_t now_ms = clock_now_ms();
	struct pollfd set[N_CHANNELS] = {
		[PARENT] = {
		    .fd = connector->to_parent.fd,
		    .events = changes->waits_for_parent ? POLLIN | POLLOUT : POLLIN,
		},
		[WORKER] = {
		    .fd = connector->to_worker.fd,
		    .events = events_of_worker(connector, now_ms),
		},
		/* During a change an api that has exited must not end each wait. */
		[API] = {
		    .fd = changes_are_busy(changes) ? -1 : connector->api.channel.fd,
		    .events = POLLIN,
		},
		[RESOLVER] = {
		    .fd = connector->to_resolver.fd,
		    .events = connector->has_lent ? POLLOUT : POLLIN,
		},
	};

	if (poll(set, N_CHANNELS, deadline_timeout(due_ms(connector, now_ms), now_ms)) ==
	    -1) {
		if (errno != EINTR)
			fdio_pause();
		return;
	}
	if (set[PARENT].revents & ~POLLOUT)
		connector_control_receive(connector);
	handle_worker(connector, set[WORKER].revents);
	if (set[RESOLVER].revents && connector->has_lent)
		connector_lend_answer(connector);
	else if (set[RESOLVER].revents)
		connector_lend_receive(connector);
	changes_proceed(connector);
	judge_proceed(connector);
	if (set[API].revents)
		connector_api_receive(connector);
}

void
connector_loop_run(struct connector *connector)
{
	while (!connector->ended)
		turn(connector);
}
