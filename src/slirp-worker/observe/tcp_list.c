/* SPDX-License-Identifier: BSD-2-Clause */
/* Describes the connections and listening sockets of the TCP engine for lists. */
#include "slirp-worker/observe/tcp_list.h"

#include <netinet/in.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

/* A flow whose handshake is complete. */
static enum ipc_tcp_state
open_state(const struct tcp_flow *flow)
{
	if (!flow->fin_sent)
		return flow->guest_fin ? IPC_TCP_CLOSE_WAIT : IPC_TCP_ESTABLISHED;
	if (!flow->guest_fin)
		return flow->fin_acked ? IPC_TCP_FIN_WAIT_2 : IPC_TCP_FIN_WAIT_1;
	if (!flow->fin_first)
		return IPC_TCP_LAST_ACK;
	/* Acknowledged, but the host's socket has not taken all data yet. */
	return flow->fin_acked ? IPC_TCP_TIME_WAIT : IPC_TCP_CLOSING;
}

/* The state of the engine's own end, which is the guest's peer, in the words of RFC 9293
 * 3.3.2. The connection between the host and the real peer can be in another state. */
static enum ipc_tcp_state
state_of(const struct tcp_flow *flow)
{
	switch ((enum tcp_state)flow->state) {
	case TCP_STATE_CONNECT:
	case TCP_STATE_SYN_RCVD:
		return IPC_TCP_SYN_RCVD;
	case TCP_STATE_SYN_SENT:
		return IPC_TCP_SYN_SENT;
	case TCP_STATE_OPEN:
		return open_state(flow);
	case TCP_STATE_TIME_WAIT:
		return IPC_TCP_TIME_WAIT;
	case TCP_STATE_DEAD:
		break;
	}
	return IPC_TCP_CLOSED;
}

void
tcp_list_describe(const struct tcp *tcp, const struct tcp_flow *flow,
    struct ipc_connection *entry)
{
	const struct flow_key *key = &flow->link.key;
	const struct inaddr guest = flow_key_guest(key);
	const struct inaddr peer = flow_key_peer(key);
	bool is_forward = flow->is_forward;

	*entry = (struct ipc_connection){
		.source_addr = is_forward ? peer : guest,
		.dest_addr = is_forward ? guest : peer,
		.source_port = is_forward ? key->peer_port : key->guest_port,
		.dest_port = is_forward ? key->guest_port : key->peer_port,
		.proto = IPPROTO_TCP,
		.is_forward = is_forward,
		.state = (uint8_t)state_of(flow),
		.round_trip_us = flow->srtt_us,
		.recv_queue_bytes = flow->tail.n_bytes,
		.send_queue_bytes = flow->kept.n_bytes,
		/* The engine counts the peer's bytes when the guest acknowledges them. */
		.bytes_in = flow->bytes_to_guest + flow->kept.n_bytes,
		.bytes_out = flow->bytes_from_guest,
		.retransmitted_bytes = flow->n_retransmitted,
		.age_ms = tcp->now_us / TCP_US_PER_MS - flow->opened_at_ms,
	};
}

void
tcp_list_describe_port(const struct port *port, struct ipc_connection *entry)
{
	*entry = (struct ipc_connection){
		.source_port = inaddr_sock_port(&port->host),
		.dest_addr = port->guest,
		.dest_port = port->guest_port,
		.proto = IPPROTO_TCP,
		.is_forward = true,
		.state = IPC_TCP_LISTEN,
		.bytes_in = IPC_BYTES_UNKNOWN,
		.bytes_out = IPC_BYTES_UNKNOWN,
		.retransmitted_bytes = IPC_BYTES_UNKNOWN,
		.age_ms = IPC_AGE_UNKNOWN,
	};
	inaddr_from_sockaddr(&entry->source_addr, &port->host.any);
}
