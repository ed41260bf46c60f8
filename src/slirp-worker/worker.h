/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's state; there is one, in main.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mac.h"
#include "base/ratelimit.h"
#include "ipc/channel.h"
#include "model/budget.h"
#include "process/chan_api.h"
#include "slirp-worker/answers.h"
#include "slirp-worker/engine/asks.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/hold.h"
#include "slirp-worker/engine/port_table.h"
#include "slirp-worker/engine/ping/ping.h"
#include "slirp-worker/engine/link/stack.h"
#include "slirp-worker/engine/forward/tcp_forward.h"
#include "slirp-worker/engine/tcp/tcp_host.h"
#include "slirp-worker/engine/udp/udp_host.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/gate/neigh.h"
#include "slirp-worker/gate/reass.h"
#include "slirp-worker/jail.h"
#include "slirp-worker/observe/connections.h"
#include "slirp-worker/poller.h"
#include "slirp-worker/tap/tapio.h"
#include "slirp-worker/tap/vnet.h"

struct worker {
	struct ipc_channel to_parent;
	struct chan_api api;                 /* descriptor 4 */
	struct ipc_channel to_connector;     /* its fd is IPC_CHILD_FD_CONNECTOR, or -1 */
	struct ipc_channel to_resolver;      /* its fd is IPC_CHILD_FD_RESOLVER, or -1 */
	struct ipc_peer connector, resolver; /* the last ones, as the parent names them */
	struct ipc_network network;          /* from the start message */
	struct jail jail;
	struct tapio tap;
	struct gate gate;
	struct reass reass;
	bool has_offloads; /* of the TAP: the kernels cut and sum segments of TCP */
	bool has_uso;      /* and cut UDP datagrams off a frame */
	struct asks asks;  /* for sockets */
	struct hold hold;  /* what waits for sockets */
	struct engines engines;
	struct stack *stack; /* NULL before the start message */
	struct ping ping;
	struct mac guest_mac; /* of the TAP's interface, from the start message */
	bool has_guest_mac;
	struct tcp_host tcp;
	struct udp_host udp;
	struct tcp_forward tcp_forward;
	struct neigh neigh;         /* the guest's MACs */
	struct vnet_frame from_tap; /* of the frame that is being handled */
	struct poller poller;
	struct answers answers;
	size_t n_descriptors;           /* the limit on open files */
	struct port_table ports;        /* of forwards */
	struct connections connections; /* the last list that the api asked for */
	uint64_t api_pause_ends_ms;     /* CLOCK_MONOTONIC; the api is not heard before */
	struct ipc_stats stats;
	struct ratelimit complaints;    /* log lines that a guest can cause */
	struct ratelimit tcp_refusals;  /* log lines about refused connections */
	struct ratelimit udp_limits;    /* log lines about too many UDP flows */
	struct ratelimit udp_refusals;  /* log lines about UDP flows without a socket */
	struct ratelimit port_refusals; /* log lines about ports that wait */
	struct budget budget;
	uint32_t next_fragment_id; /* for IPv6 datagrams that the worker fragments */
	uint64_t now_ms;           /* CLOCK_MONOTONIC at the last wake-up */
	bool ended;                /* the parent has closed the channel */
};

static inline void
worker_count(struct worker *worker, enum ipc_counter counter, uint64_t n)
{
	worker->stats.counters[counter] += n;
}

static inline void
worker_count_drop(struct worker *worker, enum ipc_drop_reason reason)
{
	worker->stats.drops[reason]++;
}

/* All counters, up to date; borrowed until the next frame. */
static inline const struct ipc_stats *
worker_stats(struct worker *worker)
{
	worker->stats.counters[IPC_COUNTER_datagrams_evicted] = worker->reass.n_evicted;
	worker->stats.counters[IPC_COUNTER_datagrams_expired] = worker->reass.n_expired;
	memcpy(worker->stats.tcp, worker->tcp.tcp.counters, sizeof(worker->stats.tcp));
	memcpy(worker->stats.tcp_ends, worker->tcp.tcp.ends,
	    sizeof(worker->stats.tcp_ends));
	return &worker->stats;
}
