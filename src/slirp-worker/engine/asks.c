/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the worker's questions to the connector, and asks them in their order. */
#include "slirp-worker/engine/asks.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mapping.h"

static_assert((IPC_FLOWS_ASKED_MAX & (IPC_FLOWS_ASKED_MAX - 1)) == 0 &&
	(ASKS_RING & (ASKS_RING - 1)) == 0,
    "an index is wrapped by a mask");
static_assert(ASKS_WAITING_TCP + ASKS_WAITING_UDP + ASKS_WAITING_PING +
	    ASKS_WAITING_PEER + IPC_FLOWS_ASKED_MAX <=
	ASKS_RING,
    "all find room");

/* A flow's number: the engine, the place, the generation. */
#define ENGINE_SHIFT 56
#define INDEX_SHIFT FLOW_GENERATION_BITS

static_assert(ENGINE_SHIFT - INDEX_SHIFT >= 32, "a place fits");

struct flow_name {
	enum asks_engine engine;
	uint32_t index, generation;
};

static uint64_t
number_of(enum asks_engine engine, uint32_t index, uint32_t generation)
{
	return (uint64_t)engine << ENGINE_SHIFT | (uint64_t)index << INDEX_SHIFT |
	    generation;
}

/* number is one that number_of() has made. */
static struct flow_name
name_of(uint64_t number)
{
	return (struct flow_name){
		.engine = (enum asks_engine)(number >> ENGINE_SHIFT),
		.index = (uint32_t)(number >> INDEX_SHIFT),
		.generation = (uint32_t)number & ((1U << FLOW_GENERATION_BITS) - 1),
	};
}

/* A flow that is open may be closed, also between an answer and the report of the last end. */
static size_t
n_closed_max(const struct asks *asks)
{
	return asks->n_descriptors + IPC_FLOWS_ASKED_MAX;
}

int
asks_init(struct asks *asks, struct ipc_channel *channel, size_t n_descriptors)
{
	/* The rings are large and mostly never used: their pages stay untouched. */
	memset(asks->engines, 0, sizeof(asks->engines));
	asks->channel = channel;
	asks->n_descriptors = n_descriptors;
	asks->first_asked = asks->n_asked = 0;
	asks->first_waiting = asks->n_waiting = 0;
	memset(asks->n_waiting_of, 0, sizeof(asks->n_waiting_of));
	asks->first_closed = asks->n_closed = 0;
	asks->has_answers = false;
	asks->fault = NULL;
	asks->closed_due_ms = DEADLINE_NONE;
	asks->numbers = mapping_new(n_descriptors * sizeof(asks->numbers[0]));
	asks->closed = mapping_new(n_closed_max(asks) * sizeof(asks->closed[0]));
	return asks->numbers && asks->closed ? 0 : -1;
}

void
asks_free(struct asks *asks)
{
	if (asks->numbers)
		munmap(asks->numbers, asks->n_descriptors * sizeof(asks->numbers[0]));
	if (asks->closed)
		munmap(asks->closed, n_closed_max(asks) * sizeof(asks->closed[0]));
	asks->numbers = asks->closed = NULL;
}

void
asks_serve(struct asks *asks, enum asks_engine engine, const struct asks_ops *ops,
    void *ctx)
{
	asks->engines[engine].ops = ops;
	asks->engines[engine].ctx = ctx;
}

/* --- closed flows --------------------------------------------------------------------- */

/* Returns whether the connector knows of all. */
static bool
report_closed(struct asks *asks)
{
	while (asks->n_closed > 0) {
		struct ipc_flow_closed report = { 0 };

		report.n = asks->n_closed < IPC_FLOWS_CLOSED_MAX
		    ? (uint32_t)asks->n_closed
		    : IPC_FLOWS_CLOSED_MAX;
		memcpy(report.flows, asks->closed + asks->first_closed,
		    report.n * sizeof(report.flows[0]));
		if (asks->channel->fd == -1 ||
		    ipc_send_flow_closed(asks->channel, &report) == -1)
			return false;
		asks->first_closed += report.n;
		asks->n_closed -= report.n;
	}
	asks->first_closed = 0;
	asks->closed_due_ms = DEADLINE_NONE;
	asks->tells_now = false;
	return true;
}

/* Notes the end of an open flow. */
static void
note_closed(struct asks *asks, uint64_t number)
{
	/* Without a connector, nobody is told. */
	if (asks->channel->fd == -1)
		return;
	if (asks->first_closed + asks->n_closed == n_closed_max(asks)) {
		memmove(asks->closed, asks->closed + asks->first_closed,
		    asks->n_closed * sizeof(asks->closed[0]));
		asks->first_closed = 0;
	}
	asks->closed[asks->first_closed + asks->n_closed++] = number;
	if (asks->n_closed >= IPC_FLOWS_CLOSED_MAX)
		report_closed(asks);
}

void
asks_close_ended(struct asks *asks, int fd)
{
	uint64_t number = asks->numbers[fd];

	close(fd);
	asks->numbers[fd] = 0;
	if (number != 0)
		note_closed(asks, number);
}

void
asks_close(struct asks *asks, int fd)
{
	asks_close_ended(asks, fd);
	asks->tells_now = asks->has_duplicates && asks->n_closed > 0;
}

/* --- questions ------------------------------------------------------------------------ */

static bool
may_ask(const struct asks *asks)
{
	return asks->n_asked < IPC_FLOWS_ASKED_MAX && asks->channel->fd != -1;
}

static uint64_t
flow_of(const struct asks_question *question)
{
	return question->is_reply ? question->reply.flow : question->open.flow;
}

/* Whether the connector takes the number for an open flow's. The generations of a place begin
 * again some time, so a new flow may have the number of a closed one. */
static bool
is_unreported(const struct asks *asks, uint64_t number)
{
	/* A full report waits only for the queue. */
	if (asks->n_closed >= IPC_FLOWS_CLOSED_MAX)
		return true;
	for (size_t i = 0; i < asks->n_closed; i++)
		if (asks->closed[asks->first_closed + i] == number)
			return true;
	return false;
}

/* Returns whether the queue has taken the question. */
static bool
ask(struct asks *asks, const struct asks_question *question)
{
	if (is_unreported(asks, flow_of(question)) && !report_closed(asks))
		return false;
	if (question->is_reply
		? ipc_send_reply_open(asks->channel, &question->reply) == -1
		: ipc_send_flow_open(asks->channel, &question->open) == -1)
		return false;
	asks->asked[(asks->first_asked + asks->n_asked++) & (IPC_FLOWS_ASKED_MAX - 1)] =
	    *question;
	return true;
}

static int
add(struct asks *asks, const struct asks_question *question)
{
	static const size_t waiting_max[ASKS_N_ENGINES] = {
		[ASKS_TCP] = ASKS_WAITING_TCP,
		[ASKS_UDP] = ASKS_WAITING_UDP,
		[ASKS_PING] = ASKS_WAITING_PING,
		[ASKS_PEER] = ASKS_WAITING_PEER,
	};
	enum asks_engine engine = name_of(flow_of(question)).engine;

	if (asks->n_waiting == 0 && may_ask(asks) && ask(asks, question))
		return 0;
	/* There are more if a connector has left questions without an answer. */
	if (asks->n_waiting_of[engine] >= waiting_max[engine])
		return -1;
	asks->waiting[(asks->first_waiting + asks->n_waiting++) & (ASKS_RING - 1)] =
	    *question;
	asks->n_waiting_of[engine]++;
	return 0;
}

int
asks_add(struct asks *asks, enum asks_engine engine, uint32_t index,
    const struct flow_link *flow)
{
	static const uint8_t protos[ASKS_N_ENGINES] = {
		[ASKS_TCP] = IPPROTO_TCP,
		[ASKS_UDP] = IPPROTO_UDP,
		[ASKS_PING] = IPPROTO_ICMP,
	};
	const struct asks_question question = {
		.open = {
			.flow = number_of(engine, index, flow->generation),
			.guest = flow_key_guest(&flow->key),
			.peer = flow_key_peer(&flow->key),
			.proto = protos[engine],
			.guest_port = flow->key.guest_port,
			.peer_port = flow->key.peer_port,
		},
	};

	return add(asks, &question);
}

int
asks_add_reply(struct asks *asks, enum asks_engine engine, uint32_t index,
    uint32_t generation, struct ipc_reply_open *question)
{
	question->flow = number_of(engine, index, generation);
	return add(asks, &(struct asks_question){ .is_reply = true, .reply = *question });
}

static void
ask_waiting(struct asks *asks)
{
	while (asks->n_waiting > 0) {
		const struct asks_question *next = &asks->waiting[asks->first_waiting];
		const struct flow_name name = name_of(flow_of(next));
		const struct asks_client *engine = &asks->engines[name.engine];

		if (engine->ops->is_wanted(engine->ctx, name.index, name.generation)) {
			if (!may_ask(asks) || !ask(asks, next))
				return;
		} else if (engine->ops->on_dropped != NULL) {
			engine->ops->on_dropped(engine->ctx, name.index, name.generation);
		}
		asks->first_waiting = (asks->first_waiting + 1) & (ASKS_RING - 1);
		asks->n_waiting--;
		asks->n_waiting_of[name.engine]--;
	}
}

uint64_t
asks_due(struct asks *asks, uint64_t now_ms)
{
	if (asks->n_closed > 0 && asks->closed_due_ms == DEADLINE_NONE)
		asks->closed_due_ms = now_ms + ASKS_CLOSED_MS;
	return asks->closed_due_ms;
}

void
asks_turn(struct asks *asks, uint64_t now_ms)
{
	ask_waiting(asks);
	/* If the queue is full, try it again after the same time. */
	if ((asks->closed_due_ms <= now_ms || asks->tells_now) && !report_closed(asks))
		asks->closed_due_ms = now_ms + ASKS_CLOSED_MS;
}

/* --- answers -------------------------------------------------------------------------- */

/* Whether the answer is for the oldest question. If not, the connector broke the protocol. */
static bool
is_due(struct asks *asks, uint64_t flow)
{
	if (asks->n_asked > 0 && flow_of(&asks->asked[asks->first_asked]) == flow)
		return true;
	asks->fault = "an answer to no question";
	return false;
}

/* Takes the question off that is due. Only questions of this process get through. */
static struct flow_name
take_question(struct asks *asks)
{
	uint64_t flow = flow_of(&asks->asked[asks->first_asked]);

	asks->has_answers = false;
	asks->first_asked = (asks->first_asked + 1) & (IPC_FLOWS_ASKED_MAX - 1);
	asks->n_asked--;
	return name_of(flow);
}

/* The part of an answer that comes before its end. NULL: the connector broke the protocol. */
static const struct asks_client *
take_answers(struct asks *asks, uint64_t flow)
{
	const struct asks_client *engine;

	if (!is_due(asks, flow))
		return NULL;
	engine = &asks->engines[name_of(flow).engine];
	if (asks->has_answers || engine->ops->on_answers == NULL) {
		asks->fault = "not asked for";
		return NULL;
	}
	asks->has_answers = true;
	return engine;
}

void
asks_take_answers(struct asks *asks, uint64_t flow, int adopt_fd)
{
	const struct asks_client *engine = take_answers(asks, flow);
	const struct flow_name name = name_of(flow);

	if (engine == NULL) {
		close(adopt_fd);
		return;
	}
	asks->numbers[adopt_fd] = 0;
	engine->ops->on_answers(engine->ctx, name.index, name.generation, adopt_fd);
}

void
asks_take_opened(struct asks *asks, const struct ipc_flow_opened *opened, int adopt_fd)
{
	const struct asks_client *engine;
	struct flow_name name;

	if (!is_due(asks, opened->flow)) {
		close(adopt_fd);
		return;
	}
	name = take_question(asks);
	engine = &asks->engines[name.engine];
	asks->numbers[adopt_fd] = opened->flow;
	asks->has_duplicates = opened->is_kept;
	engine->ops->on_opened(engine->ctx, name.index, name.generation, adopt_fd,
	    opened);
}

/* Takes off the question that is due: there is no socket. */
static void
refuse(struct asks *asks, int error)
{
	const struct flow_name name = take_question(asks);
	const struct asks_client *engine = &asks->engines[name.engine];

	engine->ops->on_refused(engine->ctx, name.index, name.generation, error);
}

bool
asks_is_shortage(int error)
{
	return error == EAGAIN || error == ETOOMANYREFS || fdio_is_shortage(error);
}

void
asks_take_refused(struct asks *asks, uint64_t flow, int error)
{
	if (is_due(asks, flow))
		refuse(asks, error);
}

void
asks_miss_answers(struct asks *asks, uint64_t flow)
{
	/* As if nobody had answered. */
	(void)take_answers(asks, flow);
}

void
asks_miss(struct asks *asks, uint64_t flow)
{
	if (!is_due(asks, flow))
		return;
	note_closed(asks, flow);
	refuse(asks, EMFILE);
}

void
asks_lose_connector(struct asks *asks)
{
	/* A part of this answer has come, and would come again. */
	if (asks->n_asked > 0 && asks->has_answers)
		refuse(asks, ECONNABORTED);
	for (; asks->n_asked > 0; asks->n_asked--) {
		size_t last = asks->first_asked + asks->n_asked - 1;
		const struct asks_question *question =
		    &asks->asked[last & (IPC_FLOWS_ASKED_MAX - 1)];

		asks->first_waiting = (asks->first_waiting - 1) & (ASKS_RING - 1);
		asks->n_waiting++;
		asks->waiting[asks->first_waiting] = *question;
		asks->n_waiting_of[name_of(flow_of(question)).engine]++;
	}
	asks->fault = NULL;
	asks->n_closed = 0;
	asks->closed_due_ms = DEADLINE_NONE;
	/* Zeros again, without a walk over places that were never used. */
	madvise(asks->numbers, asks->n_descriptors * sizeof(asks->numbers[0]),
	    MADV_DONTNEED);
}
