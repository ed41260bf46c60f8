/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers the worker's questions. */
#include "connector/requests.h"

#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "connector/destination.h"
#include "connector/open.h"
#include "ipc/dispatch.h"
#include "process/serve.h"

/* Questions for each wait. The parent's messages come between. */
#define RECEIVE_MAX 64

#define DECLARE(...) IPC_DECLARE_HANDLER(connector, struct connector, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(connector, connector, msg, __VA_ARGS__)
IPC_ROWS_SLIRP_WORKER_TO_CONNECTOR(DECLARE)

static int
send_answer(struct connector *connector)
{
	const struct connector_answer *answer = &connector->answer;
	const struct ipc_flow_opened opened = { .flow = answer->flow };
	const struct ipc_flow_refused refused = {
		.flow = answer->flow,
		.error = answer->error,
	};

	return answer->fd != -1
	    ? ipc_send_flow_opened(&connector->to_worker, &opened, answer->fd)
	    : ipc_send_flow_refused(&connector->to_worker, &refused);
}

/* The flow of the answer gets no socket. */
static void
refuse(struct connector *connector, uint32_t error)
{
	struct connector_answer *answer = &connector->answer;
	struct flow *flow = flows_find(&connector->flows, answer->flow);

	answer->error = error;
	if (flow != NULL)
		flows_close(&connector->flows, flow);
}

void
connector_requests_answer(struct connector *connector)
{
	struct connector_answer *answer = &connector->answer;
	int result = send_answer(connector);

	/* unix(7): too many descriptors of the user are in queues. */
	if (result == -1 && errno == ETOOMANYREFS) {
		close(take_fd(&answer->fd));
		refuse(connector, ETOOMANYREFS);
		result = send_answer(connector);
	}
	/* If the worker has ended, so will this process. */
	connector->has_answer = result == -1 && ipc_channel_can_retry(errno);
	/* Without memory the queue may have room all the same. */
	if (connector->has_answer && fdio_is_shortage(errno))
		fdio_pause();
	if (!connector->has_answer && answer->fd != -1)
		close(take_fd(&answer->fd));
}

/* Makes the socket of a flow, or refuses it. */
static void
open_flow(struct connector *connector, const struct ipc_flow_open *msg)
{
	const struct connector_rules *rules = &connector->rules;
	struct connector_answer *answer = &connector->answer;
	char text[INET6_ADDRSTRLEN];
	union inaddr_sock to;

	switch (destination_find(rules, &msg->peer, msg->peer_port, &to)) {
	case DESTINATION_FOUND:
		answer->fd = open_tcp(&to, &rules->outbound);
		if (answer->fd == -1)
			refuse(connector, (uint32_t)errno);
		break;
	case DESTINATION_REFUSED:
		refuse(connector, ENETUNREACH);
		break;
	case DESTINATION_NEVER:
		fatalx("message from slirp-worker: flow_open: %s is never a destination",
		    inaddr_format(&msg->peer, text));
	}
}

void
connector_on_flow_open(struct connector *connector, const struct ipc_flow_open *msg)
{
	struct connector_answer *answer = &connector->answer;

	if (flows_find(&connector->flows, msg->flow) != NULL)
		fatalx("message from slirp-worker: flow_open: the flow is open");
	*answer = (struct connector_answer){ .flow = msg->flow, .fd = -1 };
	if (flows_open(&connector->flows, msg,
		(uint64_t)(clock_now_ns() / CLOCK_NS_PER_MS), &answer->error) != NULL)
		open_flow(connector, msg);
	connector_requests_answer(connector);
}

void
connector_on_flow_closed(struct connector *connector, const struct ipc_flow_closed *msg)
{
	for (uint32_t i = 0; i < msg->n; i++) {
		struct flow *flow = flows_find(&connector->flows, msg->flows[i]);

		if (flow == NULL)
			fatalx(
			    "message from slirp-worker: flow_closed: a flow is not open");
		flows_close(&connector->flows, flow);
	}
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct connector *connector = ctx;

	switch (msg->id) {
		IPC_ROWS_SLIRP_WORKER_TO_CONNECTOR(CALL)
	default:
		break;
	}
	return !connector->has_answer;
}

void
connector_requests_receive(struct connector *connector)
{
	static const struct serve from_worker = { .take = take };
	struct serve_violation violation;

	switch (serve_receive(&connector->to_worker, RECEIVE_MAX, &from_worker, connector,
	    &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		/* Not close(2): another descriptor would get the number. The parent sees
		 * the worker's end, and ends this process. */
		connector->to_worker.fd = -1;
		break;
	case SERVE_VIOLATED:
		fatalx("message from slirp-worker: %s: %s", violation.row, violation.why);
	}
}
