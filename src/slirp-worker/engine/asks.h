/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's questions to the connector for sockets, and the end of these sockets. The
 * connector answers in the order of the questions. At most IPC_FLOWS_ASKED_MAX are without an
 * answer; the others wait here. Closed flows are reported some at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "ipc/channel.h"
#include "model/flow_table.h"

/* Questions of each kind that wait at most: a flood of one kind takes no place of another.
 * TCP: twice as many as half-open connections (TCP_OPENING_MAX), because questions of flows that
 * have ended meanwhile wait among the others. Ping and peers: as many as flows (BUDGET_PING_MAX,
 * BUDGET_PEER_MAX). UDP: what the ring has left. */
#define ASKS_WAITING_TCP 2048
#define ASKS_WAITING_UDP 1280
#define ASKS_WAITING_PING 256
#define ASKS_WAITING_PEER 256

/* A ring: those that wait, and before them those that a connector has left without an answer. */
#define ASKS_RING 4096

/* The connector is told of a closed flow after this time at the latest. Nothing waits for it: it
 * frees a place in a table. If the connector keeps duplicates, a peer that does not know of the
 * end waits for it, and the connector is told in the same turn. */
#define ASKS_CLOSED_MS 1000

/* The engines that ask. A part of a flow's number, which must not be 0. The UDP engine asks for
 * the guest's flows and, as another one, for peers of forwards. */
enum asks_engine {
	ASKS_TCP = 1,
	ASKS_UDP,
	ASKS_PING,
	ASKS_PEER,
	ASKS_N_ENGINES,
};

/* The functions of an engine. A flow has a place and a generation, as in its table. */
struct asks_ops {
	/* Whether the flow still wants its socket. */
	bool (*is_wanted)(void *ctx, uint32_t index, uint32_t generation);
	/* A flow that did not want it any more was not asked for. NULL: nothing to do. */
	void (*on_dropped)(void *ctx, uint32_t index, uint32_t generation);
	/* The socket for answers of a group, which is adopted, before on_opened. NULL: the engine
	 * asks for no groups. The flow may be gone. */
	void (*on_answers)(void *ctx, uint32_t index, uint32_t generation, int adopt_fd);
	/* The socket, which is adopted; asks_close() closes it. The flow may be gone. */
	void (*on_opened)(void *ctx, uint32_t index, uint32_t generation, int adopt_fd,
	    const struct ipc_flow_opened *opened);
	/* There is none, because of this errno. The flow may be gone. */
	void (*on_refused)(void *ctx, uint32_t index, uint32_t generation, int error);
};

/* A question: a flow of the guest's, or one of a peer of a forward. */
struct asks_question {
	bool is_reply;
	union {
		struct ipc_flow_open open;
		struct ipc_reply_open reply;
	};
};

/* An engine; borrowed. */
struct asks_client {
	const struct asks_ops *ops;
	void *ctx;
};

struct asks {
	struct ipc_channel *channel; /* borrowed; to the connector */
	struct asks_client engines[ASKS_N_ENGINES];
	/* Rings: the questions without an answer, and those that wait. */
	struct asks_question asked[IPC_FLOWS_ASKED_MAX];
	size_t first_asked, n_asked;
	bool has_answers; /* the first one without an answer; flow_answers has come */
	struct asks_question waiting[ASKS_RING];
	size_t first_waiting, n_waiting;
	size_t n_waiting_of[ASKS_N_ENGINES];
	const char *fault; /* the connector broke the protocol; NULL: not so */
	/* Owned: the number of the flow of each descriptor, or 0; and closed flows that the
	 * connector has not been told of. */
	uint64_t *numbers, *closed;
	size_t n_descriptors;
	size_t first_closed, n_closed;
	uint64_t closed_due_ms; /* DEADLINE_NONE: no flow was closed */
	bool has_duplicates;    /* the connector keeps duplicates of sockets */
	bool tells_now;         /* a peer waits for the end of a closed flow */
};

/* channel is borrowed. n_descriptors is the limit on open files. Maps the memory; call it before
 * the jail. Returns 0, or -1 with errno set; asks_free() may be called in both cases. */
int asks_init(struct asks *asks, struct ipc_channel *channel, size_t n_descriptors);
void asks_free(struct asks *asks);

/* Makes an engine's functions known, before it asks. ops and ctx are borrowed. */
void asks_serve(struct asks *asks, enum asks_engine engine, const struct asks_ops *ops,
    void *ctx);

/* Asks for the socket of the engine's flow at this place, now or, after others, later. The key
 * of an echo's flow has the identifier as the guest's port. Returns 0, or -1 if too many of the
 * engine wait. */
int asks_add(struct asks *asks, enum asks_engine engine, uint32_t index,
    const struct flow_link *flow);

/* The same for the socket of a forward's peer. Sets the number of the question. */
int asks_add_reply(struct asks *asks, enum asks_engine engine, uint32_t index,
    uint32_t generation, struct ipc_reply_open *question);

/* Closes a socket, and reports it to the connector if it has made it. */
void asks_close(struct asks *asks, int fd);

/* The same for a connection that both sides have ended: no peer waits for the report. */
void asks_close_ended(struct asks *asks, int fd);

/* The end of a turn: asks for those that wait, as far as the limit and the queue allow, and
 * reports closed flows that are due. */
void asks_turn(struct asks *asks, uint64_t now_ms);

/* When asks_turn() has something to report. */
uint64_t asks_due(struct asks *asks, uint64_t now_ms);

/* The answer to the question that is due: the socket, or an errno. An answer to another
 * question sets `fault`. */
void asks_take_opened(struct asks *asks, const struct ipc_flow_opened *opened,
    int adopt_fd);

/* Whether on_refused came because the connector, the worker or the kernel has too little. */
bool asks_is_shortage(int error);

void asks_take_refused(struct asks *asks, uint64_t flow, int error);

/* The part of an answer that comes before the socket: a socket for answers of a group. */
void asks_take_answers(struct asks *asks, uint64_t flow, int adopt_fd);

/* The same if a socket was sent that found no descriptor in this process. */
void asks_miss(struct asks *asks, uint64_t flow);
void asks_miss_answers(struct asks *asks, uint64_t flow);

/* The connector has ended. The questions that it left without an answer wait for the next one.
 * Sockets that it has made stay as they are, and the next one does not know them. */
void asks_lose_connector(struct asks *asks);
