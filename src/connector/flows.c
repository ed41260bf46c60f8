/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the open flows of the worker. */
#include "connector/flows.h"

#include <assert.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "connector/open/open.h"
#include "model/budget.h"

static_assert(IPC_FLOWS_TCP_MAX - IPC_FLOWS_ENDING_MAX == BUDGET_TCP_MAX &&
	IPC_FLOWS_UDP_MAX - IPC_FLOWS_ENDING_MAX == BUDGET_UDP_MAX + BUDGET_PEER_MAX &&
	IPC_FLOWS_ICMP_MAX - IPC_FLOWS_ENDING_MAX == BUDGET_PING_MAX,
    "a worker that was taken over gets no more sockets than an honest one");

/* A guest can be at a limit for days. */
#define LOG_INTERVAL_MS (30 * 60 * 1000)

/* The worker chooses the numbers; the table's hash is keyed. */
static struct flow_key
key_of(uint64_t number)
{
	struct flow_key key = { 0 };

	memcpy(key.guest_address, &number, sizeof(number));
	return key;
}

static struct flow_key
key_of_end(const struct ipc_flow_open *asked)
{
	return flow_key_udp(asked->guest.is_ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP,
	    asked->guest.bytes, asked->guest_port, 0);
}

int
flows_init(struct flows *flows)
{
	const struct ratelimit log_limit = { .burst = 1, .interval_ms = LOG_INTERVAL_MS };

	*flows = (struct flows){ .tokens = FLOWS_PER_S, .rate_log_limit = log_limit };
	for (int kind = 0; kind < FLOWS_N_KINDS; kind++)
		flows->limit_log_limits[kind] = log_limit;
	return flow_key_make_secret() == 0 &&
		flow_table_init(&flows->table, sizeof(struct flow),
		    IPC_FLOWS_TCP_MAX + IPC_FLOWS_UDP_MAX + IPC_FLOWS_ICMP_MAX) == 0 &&
		flow_table_init(&flows->ends, sizeof(struct flow_end),
		    IPC_FLOWS_UDP_MAX) == 0
	    ? 0
	    : -1;
}

struct flow *
flows_find(const struct flows *flows, uint64_t number)
{
	const struct flow_key key = key_of(number);

	return flow_table_find(&flows->table, &key);
}

static bool
take_token(struct flows *flows, uint64_t now_ms)
{
	uint64_t n = (now_ms - flows->filled_ms) * FLOWS_PER_S / CLOCK_MS_PER_S;

	if (n > 0) {
		flows->tokens += n;
		if (flows->tokens > FLOWS_PER_S)
			flows->tokens = FLOWS_PER_S;
		flows->filled_ms = now_ms;
	}
	if (flows->tokens == 0)
		return false;
	flows->tokens--;
	return true;
}

static enum flows_kind
kind_of(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_UDP:
		return FLOWS_UDP;
	case IPPROTO_ICMP:
		return FLOWS_ICMP;
	default:
		return FLOWS_TCP;
	}
}

/* Cannot fail: there are as many places as flows. */
static struct flow_end *
enter_end(struct flows *flows, const struct ipc_flow_open *asked)
{
	const struct flow_key key = key_of_end(asked);
	struct flow_end *end;

	flow_table_reap(&flows->ends);
	end = flow_table_find(&flows->ends, &key);
	if (end == NULL)
		end = flow_table_add(&flows->ends, &key);
	end->n_flows++;
	return end;
}

static struct flow *
refuse_for_rate(struct flows *flows, uint64_t now_ms)
{
	flows->n_limited++;
	if (ratelimit_allow(&flows->rate_log_limit, now_ms))
		log_warning("flows: slirp-worker asked for more than %d flows in a "
			    "second; flow refused (query_policy: flows_limited)",
		    FLOWS_PER_S);
	return NULL;
}

static struct flow *
refuse_for_limit(struct flows *flows, enum flows_kind kind, uint64_t now_ms)
{
	static const char *const words[] = {
		[FLOWS_TCP] = "TCP",
		[FLOWS_UDP] = "UDP",
		[FLOWS_ICMP] = "ICMP",
	};

	flows->n_limited++;
	if (ratelimit_allow(&flows->limit_log_limits[kind], now_ms))
		log_warning("flows: slirp-worker has %u %s flows, the limit; flow "
			    "refused (query_policy: flows_limited)",
		    flows->n_open[kind], words[kind]);
	return NULL;
}

struct flow *
flows_open(struct flows *flows, const struct ipc_flow_open *asked, uint64_t now_ms,
    uint32_t *error)
{
	static const uint32_t limits[FLOWS_N_KINDS] = {
		[FLOWS_TCP] = IPC_FLOWS_TCP_MAX,
		[FLOWS_UDP] = IPC_FLOWS_UDP_MAX,
		[FLOWS_ICMP] = IPC_FLOWS_ICMP_MAX,
	};
	const struct flow_key key = key_of(asked->flow);
	enum flows_kind kind = kind_of(asked->proto);
	struct flow *flow;

	*error = EAGAIN;
	if (!take_token(flows, now_ms))
		return refuse_for_rate(flows, now_ms);
	*error = EMFILE;
	if (flows->n_open[kind] == limits[kind])
		return refuse_for_limit(flows, kind, now_ms);
	flow_table_reap(&flows->table);
	flow = flow_table_add(&flows->table, &key);
	flow->asked = *asked;
	flow->fd = flow->answers_fd = -1;
	flows->n_open[kind]++;
	if (asked->proto == IPPROTO_UDP)
		flow->end = enter_end(flows, asked);
	*error = 0;
	return flow;
}

void
flows_end_sockets(struct flow *flow, bool is_reset)
{
	if (flow->fd != -1) {
		open_end(flow->fd, flow->asked.proto, is_reset);
		close(take_fd(&flow->fd));
	}
	if (flow->answers_fd != -1) {
		open_end(flow->answers_fd, flow->asked.proto, is_reset);
		close(take_fd(&flow->answers_fd));
	}
}

void
flows_close(struct flows *flows, struct flow *flow)
{
	if (flow->fd != -1)
		close(take_fd(&flow->fd));
	if (flow->answers_fd != -1)
		close(take_fd(&flow->answers_fd));
	flows->n_open[kind_of(flow->asked.proto)]--;
	if (flow->end != NULL && --flow->end->n_flows == 0)
		flow_table_remove(&flows->ends, flow->end);
	flow_table_remove(&flows->table, flow);
}

void
flows_close_all(struct flows *flows)
{
	struct flow *flow = flow_table_next(&flows->table, NULL);

	while (flow != NULL) {
		struct flow *next = flow_table_next(&flows->table, flow);

		/* The worker may live on, without a channel. And a reset has nothing left to
		 * send, for which close(2) would wait if the worker has set SO_LINGER. */
		flows_end_sockets(flow, true);
		flows_close(flows, flow);
		flow = next;
	}
	flow_table_reap(&flows->table);
	flow_table_reap(&flows->ends);
}
