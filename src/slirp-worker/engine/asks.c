/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the worker's questions to the connector, and asks them in their order. */
#include "slirp-worker/engine/asks.h"

#include <assert.h>
#include <errno.h>

#include "base/log.h"
#include "ipc/dispatch.h"
#include "process/serve.h"

#define DECLARE(...) IPC_DECLARE_HANDLER(asks, struct asks, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(asks, asks, msg, __VA_ARGS__)
IPC_ROWS_CONNECTOR_TO_SLIRP_WORKER(DECLARE)

static_assert((IPC_FLOWS_ASKED_MAX & (IPC_FLOWS_ASKED_MAX - 1)) == 0 &&
	(ASKS_WAITING_MAX & (ASKS_WAITING_MAX - 1)) == 0,
    "an index is wrapped by a mask");

static bool
may_ask(const struct asks *asks)
{
	return asks->n_asked < IPC_FLOWS_ASKED_MAX && asks->channel->fd != -1;
}

/* Returns whether the queue has taken the question. */
static bool
ask(struct asks *asks, const struct ipc_flow_open *question)
{
	if (ipc_send_flow_open(asks->channel, question) == -1)
		return false;
	asks->asked[(asks->first_asked + asks->n_asked++) & (IPC_FLOWS_ASKED_MAX - 1)] =
	    question->flow;
	return true;
}

int
asks_add(struct asks *asks, const struct ipc_flow_open *question)
{
	if (asks->n_waiting == 0 && may_ask(asks) && ask(asks, question))
		return 0;
	if (asks->n_waiting == ASKS_WAITING_MAX)
		return -1;
	asks->waiting[(asks->first_waiting + asks->n_waiting++) &
	    (ASKS_WAITING_MAX - 1)] = *question;
	return 0;
}

void
asks_send(struct asks *asks)
{
	while (asks->n_waiting > 0) {
		const struct ipc_flow_open *next = &asks->waiting[asks->first_waiting];

		if (!asks->ops->is_wanted(asks->ctx, next->flow))
			asks->ops->on_dropped(asks->ctx, next->flow);
		else if (!may_ask(asks) || !ask(asks, next))
			return;
		asks->first_waiting = (asks->first_waiting + 1) & (ASKS_WAITING_MAX - 1);
		asks->n_waiting--;
	}
}

/* Takes the question off that is due. */
static void
take_question(struct asks *asks, uint64_t flow, const char *row)
{
	if (asks->n_asked == 0 || asks->asked[asks->first_asked] != flow)
		fatalx("message from connector: %s: an answer to no question", row);
	asks->first_asked = (asks->first_asked + 1) & (IPC_FLOWS_ASKED_MAX - 1);
	asks->n_asked--;
}

void
asks_on_flow_opened(struct asks *asks, const struct ipc_flow_opened *msg, int adopt_fd)
{
	take_question(asks, msg->flow, "flow_opened");
	asks->ops->on_opened(asks->ctx, msg->flow, adopt_fd);
}

void
asks_on_flow_refused(struct asks *asks, const struct ipc_flow_refused *msg)
{
	take_question(asks, msg->flow, "flow_refused");
	asks->ops->on_refused(asks->ctx, msg->flow, (int)msg->error);
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct asks *asks = ctx;

	switch (msg->id) {
		IPC_ROWS_CONNECTOR_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
	return true;
}

/* The kernel found no free descriptor for the socket, and closed it. */
static void
miss_socket(void *ctx, const struct ipc_message *msg, const char *why)
{
	struct asks *asks = ctx;
	uint64_t flow = msg->payload.flow_opened.flow;

	(void)why;
	take_question(asks, flow, "flow_opened");
	asks->ops->on_refused(asks->ctx, flow, EMFILE);
}

bool
asks_receive(struct asks *asks)
{
	static const struct serve from_connector = { .take = take, .miss = miss_socket };
	struct serve_violation violation;

	/* There are no more answers than questions, beside the greeting. */
	switch (serve_receive(asks->channel, IPC_FLOWS_ASKED_MAX, &from_connector, asks,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		return false;
	case SERVE_VIOLATED:
		fatalx("message from connector: %s: %s", violation.row, violation.why);
	}
	asks_send(asks);
	return true;
}
