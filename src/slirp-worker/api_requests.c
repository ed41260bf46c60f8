/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives and answers the api's requests. */
#include "slirp-worker/api_requests.h"

#include "base/clock.h"
#include "ipc/dispatch.h"

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
	return worker->now_ms >= worker->api_pause_ends_ms;
}

void
worker_on_query_worker(struct worker *worker, const struct ipc_query_worker *msg)
{
	const struct tcp *tcp = &worker->tcp.tcp;
	struct ipc_worker_state state = {
		.request = msg->request,
		.stats = *worker_stats(worker),
		/* The budget includes connections that wait for a flow. */
		.n_tcp_sockets = worker->budget.used[BUDGET_TCP] + worker->ports.n_tcp,
		.n_udp_sockets = worker->udp.udp.flows.n_live + worker->ports.n_udp,
		.n_icmp_sockets = worker->ping.flows.n_live,
		.n_tcp_flows = tcp->flows.n_live,
		.n_tcp_half_open = tcp->n_opening + tcp->n_accepted,
		.n_tcp_time_wait = tcp->n_time_wait,
		.tcp_buffer_bytes = (uint32_t)(tcp_pool_size(&tcp->pool) -
		    tcp_pool_free_bytes(&tcp->pool)),
	};

	chan_api_check_sent(&worker->api,
	    ipc_send_worker_state(&worker->api.channel, &state));
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
	chan_api_check_sent(&worker->api,
	    ipc_send_connections_page(&worker->api.channel, &page));
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

	if (api_requests_are_heard(worker))
		chan_api_receive(&worker->api, RECEIVE_MAX, &from_api, worker);
}

int
api_requests_watch(void *ctx, int fd)
{
	struct worker *worker = ctx;

	if (fd == -1)
		connections_free(&worker->connections);
	return poller_put(&worker->poller, POLLER_API, fd);
}
