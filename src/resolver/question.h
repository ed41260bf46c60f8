/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's questions that have no answer yet. Those that came by UDP are asked by UDP, and those
 * of a connection by TCP: the guest knows best how long the answer is. Each one is asked of one server at a time, on
 * a socket of its own with a number of its own: who does not see it guesses 16 bits of the
 * port and 16 of the number (RFC 5452).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc/messages.h"
#include "resolver/client.h"
#include "resolver/dns/judge.h"
#include "resolver/message.h"
#include "resolver/servers.h"

struct resolver;

/* Questions by UDP at a time, each with a socket. A machine with 1,000 names a second and 100 ms for
 * each has 100. The oldest one gives way: it is the least likely to be answered. */
#define QUESTIONS_MAX 256

/* A connection has one question. */
#define QUESTION_PLACES (QUESTIONS_MAX + CLIENTS_MAX)

enum question_state {
	QUESTION_FREE,
	QUESTION_WANTS, /* a socket; in the list of those that want one */
	QUESTION_ASKED, /* the connector has been asked for it */
	QUESTION_RESTS, /* descriptors or memory are short: wants one again later */
	QUESTION_TALKS, /* to its server */
	QUESTION_PINS, /* has an answer whose addresses the connector must know; in pinning */
	QUESTION_PINNED, /* the connector has been told, and has not answered yet */
};

/* The sender of a question, who gets the answer. */
struct asker {
	struct client *client; /* its connection; NULL: the worker, by UDP */
	uint64_t number;       /* the worker's, by UDP */
};

struct question {
	enum question_state state;
	uint32_t generation; /* another one for each socket that is asked for */
	TAILQ_ENTRY(question) aged;
	TAILQ_ENTRY(question) wanting;
	struct asker asker;
	uint16_t guest_id; /* the number of the guest's message */
	struct course course;
	int server;           /* index; -1: of an earlier list */
	int fd;               /* owned, if it talks */
	uint64_t try_ends_ms; /* when the next server is due; or the end of the rest */
	uint64_t ends_ms;
	bool is_judged;   /* by a policy: `judged` has what guest_id and `end` are for */
	bool is_observed; /* by a policy in mode audit, and relayed */
	struct judged *judged; /* of this place */
	size_t end;            /* of the question in bytes */
	size_t len;
	/* By TCP: bytes of framed that are sent, and of the answer that have come. */
	size_t n_sent, n_read;
	/* The answer that waits for the connector, if the question is observed. */
	size_t kept_len;
	uint8_t *kept; /* by UDP: a buffer of this place; by TCP that of the client */
	/* The length, and the message with our number. */
	uint8_t framed[MESSAGE_PREFIX_LEN + IPC_DNS_QUERY_MAX];
};

static inline uint8_t *
question_bytes(struct question *question)
{
	return question->framed + MESSAGE_PREFIX_LEN;
}

TAILQ_HEAD(question_list, question);

struct questions {
	struct question places[QUESTION_PLACES];
	struct judged
	    judged[QUESTION_PLACES]; /* of each place; not touched without a policy */
	uint8_t kept[QUESTION_PLACES][IPC_DNS_ANSWER_MAX]; /* only in mode audit */
	size_t n; /* places that have been in use; they are the first */
	size_t n_by_udp;
	struct question_list aged; /* all but the free ones; the oldest is first */
	struct question_list wanting;
	struct question_list pinning; /* by wanting */
	struct question_list free;    /* by aged */
};

void question_init(struct resolver *resolver);

/* Takes a message of the guest, which may be answered in the call. Sets asker->client->question.
 * Returns false if the message is not a question. */
bool question_add(struct resolver *resolver, const struct asker *asker,
    const uint8_t *bytes, size_t len);

/* Ends a question whose client has gone. */
void question_forget(struct resolver *resolver, struct question *question);

/* Ends all questions of the worker without an answer; those of connections stay. */
void question_end_all(struct resolver *resolver);

/* The name servers are others: begins anew with each question that does not talk. */
void question_restart_all(struct resolver *resolver);

/* The first question that wants a socket; false if there is none. Sets all of *wanted. After
 * question_has_asked() it is the next one's turn. */
bool question_wants_socket(struct resolver *resolver, struct ipc_dns_open *wanted);
void question_has_asked(struct resolver *resolver);

/* The connector's answer. The question may be gone. */
void question_take_socket(struct resolver *resolver, uint64_t number, int adopt_fd);
void question_take_refusal(struct resolver *resolver, uint64_t number, int error);

/* The events to poll the question's socket for. */
short question_events(const struct question *question);

/* The question's socket is ready. */
void question_serve(struct resolver *resolver, struct question *question);

/* Takes each question's next step that is due. Returns when the next one is. */
uint64_t question_tick(struct resolver *resolver);

/* For question.c and judging.c. */

/* Takes a place, that of the oldest question by UDP if all are in use. */
struct question *question_begin(struct resolver *resolver, const struct asker *asker);

/* Gives the guest an answer to what has no place. */
void question_reply(struct resolver *resolver, const struct asker *asker,
    const uint8_t *bytes, size_t len);

/* The number of the question's present step, for other processes. */
uint64_t question_number(const struct resolver *resolver,
    const struct question *question);

/* The question of this number, if it is still in this state; else NULL. */
struct question *question_find(struct resolver *resolver, uint64_t number,
    enum question_state state);

/* Ends all that the question does at present. */
void question_stop(struct resolver *resolver, struct question *question);

/* Gives the guest an answer, and ends the question. */
void question_answer(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len);

/* Goes on to the next server, or fails if there is none. */
void question_go_on(struct resolver *resolver, struct question *question);

/* The question's server has failed. Returns false if there is no other; else goes on to it. */
bool question_leave_server(struct resolver *resolver, struct question *question);

/* Asks the present server, on a socket of its own. */
void question_ask_again(struct resolver *resolver, struct question *question);
