/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives and answers the api's requests. */
#include "slirp-worker/api_requests.h"

#include "base/clock.h"
#include "ipc/dispatch.h"
#include "process/serve.h"
#include "slirp-worker/chan_api.h"

/* Messages per turn: a client that sends without end shares the turns with the packets,
 * which get as many frames (loop.c). */
#define RECEIVE_MAX 16

/* A look at UDP flows takes milliseconds if there are thousands, and is not cut: all are copied
 * at once. A page of the TCP engine's can take as long if thousands have ended. For so many times as long the api is not heard, so that one which asks without
 * end leaves three quarters of the time to the packets. */
#define LOOK_PAUSE_TIMES 3

#define DECLARE(...) IPC_DECLARE_HANDLER(worker, struct worker, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(worker, worker, msg, __VA_ARGS__)
IPC_ROWS_API_TO_SLIRP_WORKER(DECLARE)

bool
api_requests_are_heard(const struct worker *worker)
{
	return !requests_are_busy(&worker->requests) &&
	    worker->now_ms >= worker->api_pause_ends_ms;
}

void
worker_on_add_forward(struct worker *worker, const struct ipc_add_forward *msg)
{
	requests_add(worker, msg->request, &msg->forward);
}

void
worker_on_remove_forward(struct worker *worker, const struct ipc_remove_forward *msg)
{
	requests_remove(worker, msg->request, msg->id);
}

void
worker_on_list_forwards(struct worker *worker, const struct ipc_list_forwards *msg)
{
	struct ipc_forwards_page page = { .request = msg->request };

	forwards_fill_page(&worker->forwards, msg->after_id, &page);
	chan_api_check_sent(worker, ipc_send_forwards_page(&worker->to_api, &page));
}

void
worker_on_query_worker(struct worker *worker, const struct ipc_query_worker *msg)
{
	const struct tcp *tcp = &worker->tcp.tcp;
	struct ipc_worker_state state = {
		.request = msg->request,
		.stats = *worker_stats(worker),
		/* The budget includes connections that wait for a flow. */
		.n_tcp_sockets =
		    worker->budget.used[BUDGET_TCP] + worker->forwards.n_tcp_ports,
		.n_udp_sockets =
		    worker->udp.udp.flows.n_live + worker->forwards.n_udp_ports,
		.n_icmp_sockets = worker->ping.flows.n_live,
		.n_forwards = worker->forwards.table->n,
		.n_tcp_flows = tcp->flows.n_live,
		.n_tcp_half_open = tcp->n_opening + tcp->n_accepted,
		.n_tcp_time_wait = tcp->n_time_wait,
		.tcp_buffer_bytes = (uint32_t)(tcp_pool_size(&tcp->pool) -
		    tcp_pool_free_bytes(&tcp->pool)),
	};

	chan_api_check_sent(worker, ipc_send_worker_state(&worker->to_api, &state));
}

void
worker_on_list_connections(struct worker *worker, const struct ipc_list_connections *msg)
{
	struct ipc_connections_page page = { .request = msg->request };
	uint64_t begin_ms = clock_now_ms(), end_ms;

	if (msg->from == 0)
		connections_collect(&worker->connections, &worker->ping, &worker->udp);
	connections_fill_page(&worker->connections, &worker->tcp_forward, msg->from,
	    &page);
	if (page.next == 0)
		connections_free(&worker->connections);
	end_ms = clock_now_ms();
	if (end_ms > begin_ms)
		worker->api_pause_ends_ms =
		    end_ms + (end_ms - begin_ms) * LOOK_PAUSE_TIMES;
	chan_api_check_sent(worker, ipc_send_connections_page(&worker->to_api, &page));
}

static bool
take(void *ctx, struct ipc_message *msg)
{
	struct worker *worker = ctx;

	switch (msg->id) {
		IPC_ROWS_API_TO_SLIRP_WORKER(CALL)
	default:
		break;
	}
	/* After a new list, however short it was, the next request waits for the next turn. */
	if (msg->id == IPC_MSG_list_connections &&
	    msg->payload.list_connections.from == 0)
		return false;
	return api_requests_are_heard(worker);
}

void
api_requests_receive(struct worker *worker)
{
	static const struct serve from_api = { .take = take };
	struct serve_violation violation;

	if (worker->to_api.fd == -1 || !api_requests_are_heard(worker))
		return;
	switch (
	    serve_receive(&worker->to_api, RECEIVE_MAX, &from_api, worker, &violation)) {
	case SERVE_OPEN:
		break;
	case SERVE_CLOSED:
		chan_api_close(worker);
		break;
	case SERVE_VIOLATED:
		chan_api_drop(worker, violation.row, violation.why);
		break;
	}
}
