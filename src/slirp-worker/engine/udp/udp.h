/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP engine's table: flows, and when they end. A flow is a guest's address and port with
 * a peer's; it has a socket of its own, connected to the peer.
 *
 * The table makes no system call: it asks a world (struct udp_world) for sockets, and gets
 * them by udp_opened(), in the call or later. Datagrams wait for their flow's socket. Times are of CLOCK_MONOTONIC in
 * milliseconds. Runs in the worker, behind the gate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/deadline.h"
#include "base/inaddr.h"
#include "model/budget.h"
#include "model/flow_table.h"
#include "slirp-worker/engine/discovery.h"
#include "slirp-worker/engine/hold.h"
#include "slirp-worker/engine/udp/udp_run.h"
#include "slirp-worker/wire/wire.h"

/* A flow that nobody has answered. Slow answers take seconds; a flood of datagrams leaves
 * its places free again after this time. */
#define UDP_UNANSWERED_MS 30000

/* RFC 4787 4.3 asks for 2 minutes at least; Linux has 3 for a stream of datagrams
 * (net/netfilter/nf_conntrack_proto_udp.c). */
#define UDP_ANSWERED_MS 180000

/* Each lookup of a name at a server elsewhere has a new port: once it is answered, nothing more comes but the
 * answer to the second of two queries that a resolver sends at once. */
#define UDP_DNS_ANSWERED_MS 5000

/* A flow of a guest with all its flows ends for a new one after this silence at the earliest: its
 * answer may still come, and a flood of new ports begins no more flows in a second than the guest
 * may have. */
#define UDP_GIVES_WAY_MS 1000

/* Flows that ended keep their places until udp_expire(), or another call, reaps the table. A
 * batch of frames ends no more than it has. */
#define UDP_PLACES_SPARE 64

/* Flows by the time that each lasts after its last datagram. */
enum udp_age {
	UDP_AGE_UNANSWERED,
	UDP_AGE_ANSWERED,
	UDP_AGE_DNS,
	/* Peers of forwards, whom the guest answers or not. */
	UDP_AGE_PEER,
	UDP_AGE_PEER_ANSWERED,
	UDP_N_AGES,
};

struct udp_flow {
	struct flow_link link; /* the first member: flow_table.h */
	TAILQ_ENTRY(udp_flow) aged;
	uint64_t last_ms; /* of the last datagram */
	uint64_t
	    heard_ms; /* of the peer's last datagram; 0: none, or the peer has gone */
	uint64_t bytes_out;     /* of data, to the host's side */
	uint64_t bytes_in;      /* of data, to the guest */
	struct hold_queue held; /* datagrams that wait for the socket */
	int fd;                 /* owned; -1: asked for */
	/* Owned: the socket for answers, if the flow is to a group, or -1. */
	int answers_fd;
	uint16_t own_port; /* source port of the socket, host byte order; 0: not known */
	uint8_t guest_mac[WIRE_MAC_LEN];
	uint8_t our_mac[WIRE_MAC_LEN]; /* destination of the guest's frames */
	uint16_t last_len;             /* data of the guest's last datagram, bytes */
	uint8_t age;                   /* enum udp_age */
	uint8_t budget;                /* enum budget_kind */
	bool is_group;                 /* to a group: anybody may answer */
	bool is_again;  /* the socket is asked for once more; it has not sent since */
	bool is_joined; /* the kernel joins datagrams for the socket */
	/* Of a forward's peer: the place of its port plus 1, when the guest's MAC was last
	 * confirmed, and the address that the peer has asked; else zeros. */
	uint32_t port;
	uint64_t mac_ms;
	union inaddr_sock own;
	/* The world's: where the socket leads, what it has, the longest datagram that the
	 * kernel cuts off a run, and the length that it is told to cut. */
	union inaddr_sock to;
	struct hold_fate set;
	uint16_t cut_max, cut_len;
	struct discovery discovery;
};

TAILQ_HEAD(udp_flows, udp_flow);

/* All that the table can do; tests fill it with a model. */
struct udp_world {
	void *ctx;
	/* Asks for the flow's socket. The answer is udp_opened() or udp_refused(), in the call
	 * or later. */
	void (*open)(void *ctx, struct udp_flow *flow);
	/* Sends on the flow's socket: takes from the run what it has sent, or lost as on a
	 * full link, and adds what it has sent to flow->bytes_out. Returns 0, or -errno with
	 * a run that is not empty: the socket is of no use any more. */
	int (*send)(void *ctx, struct udp_flow *flow, struct udp_run *run);
	/* Tells the guest that its datagram cannot go; error is an errno. */
	void (*unreachable)(void *ctx, const struct udp_flow *flow, int error);
	/* A datagram that waited for a socket is lost: too many wait. */
	void (*lost)(void *ctx);
	/* The guest has all flows that it may have: one has ended for a new one, or a datagram
	 * of a new one is lost. */
	void (*gave_way)(void *ctx);
	void (*no_room)(void *ctx);
	/* Closes the flow's sockets. */
	void (*close)(void *ctx, struct udp_flow *flow);
};

struct udp {
	struct flow_table flows;
	struct udp_flows ages[UDP_N_AGES]; /* the one silent longest is first */
	uint32_t n_aged[UDP_N_AGES];       /* flows in each */
	const struct udp_world *world;     /* borrowed */
	struct budget *budget;             /* borrowed */
	struct hold *hold;                 /* borrowed */
};

/* Maps the memory; call it before the jail. world, budget and hold stay borrowed, and udp must
 * not move. Returns 0, or -1 with errno set; udp_free() may be called in both cases. */
int udp_init(struct udp *udp, const struct udp_world *world, struct budget *budget,
    struct hold *hold);

/* Ends all flows. */
void udp_free(struct udp *udp);

/* Takes a run of the guest, and opens a flow if it has none; another one may end for it. If the guest
 * has all flows that it may have and none may end, the run is lost. It is of no use after that. */
void udp_from_guest(struct udp *udp, const struct flow_key *key, struct udp_run *run,
    uint64_t now_ms);

/* A new flow for a peer of the forward's port `port` (a place plus 1): it has asked at own,
 * an address of the host. If peers have no more room, the peer that has been silent for
 * longest makes room, at first one that the guest has not answered. NULL if there is no
 * room, or no socket. */
struct udp_flow *udp_add_peer(struct udp *udp, const struct flow_key *key,
    const union inaddr_sock *peer, const union inaddr_sock *own, uint32_t port,
    uint64_t now_ms);

/* Ends the flows of all peers of a port. */
void udp_end_peers(struct udp *udp, uint32_t port);

/* Ends the flows that the guest's address and port in end have begun, if they have this source
 * port of the host. */
void udp_end_flows_from(struct udp *udp, const struct flow_key *end, uint16_t own_port);

/* Whether the guest may send to a peer because this has sent to it. That ends
 * UDP_ANSWERED_MS after the peer's last datagram, however often the guest sends, and when
 * nobody has the peer's port any more: whoever gets it next has sent nothing. */
bool udp_may_answer(const struct udp *udp, const struct flow_key *key, uint64_t now_ms);

/* The peer's host says that nobody has its port. */
void udp_peer_has_gone(struct udp_flow *flow);

/* A flow that waits for a socket, or NULL. */
struct udp_flow *udp_waits(const struct udp *udp, uint32_t index, uint32_t generation);

/* The socket of a flow that waits for it, which owns fd from now on. Sends what has waited, and
 * may end the flow. */
void udp_opened(struct udp *udp, struct udp_flow *flow, int fd);

/* The flow gets no socket; error is an errno. Ends the flow, and tells the guest. */
void udp_refused(struct udp *udp, uint32_t index, uint32_t generation, int error);

/* Notes a datagram of data_len bytes of data that has come for the flow. */
void udp_to_guest(struct udp *udp, struct udp_flow *flow, size_t data_len,
    uint64_t now_ms);

/* The flow of a handle, or NULL. */
struct udp_flow *udp_at(const struct udp *udp, uint32_t index, uint32_t generation);

/* Ends flows that have been silent for long enough. */
void udp_expire(struct udp *udp, uint64_t now_ms);

/* When udp_expire() has something to do; DEADLINE_NONE if there is no flow. */
uint64_t udp_due(const struct udp *udp);

/* The next live flow, as flow_table_next() has it. */
const struct udp_flow *udp_next(const struct udp *udp, const struct udp_flow *flow);

static inline bool
udp_is_ip6(const struct udp_flow *flow)
{
	return flow_key_is_ip6(&flow->link.key);
}
