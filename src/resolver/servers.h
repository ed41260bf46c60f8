/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's name servers: which one is asked next, and which ones do not answer. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"

/* resolv.conf(5) waits for 5 s; programs in the guest do too, and a question must have gone
 * through several servers by then. A server that is reached answers from its cache within
 * a tenth of this. */
#define SERVERS_TIMEOUT_MS 1500

/* resolv.conf(5): the default of `attempts`. */
#define SERVERS_ATTEMPTS 2

/* A question ends before the 5 s of the guest's own resolver are over: a program then gets
 * SERVFAIL as the reason, and does not wait in vain. */
#define SERVERS_PATIENCE_MS 4500

/* The most that options of resolv.conf make of it. Twice the guest's 5 s: a guest that has
 * the same options waits as long. */
#define SERVERS_PATIENCE_MAX_MS 10000

/* A server that does not answer is asked after all others for this time. */
#define SERVERS_DEAD_MS 30000

/* One lost datagram, or one name that takes long, does not make a server a dead one. */
#define SERVERS_LOSSES_MAX 2

struct server {
	struct ipc_nameserver at;
	uint32_t n_losses; /* questions in a row that it has not answered */
	uint64_t dead_until_ms;
};

struct servers {
	struct server list[IPC_NAMESERVERS_MAX];
	uint8_t n;
	uint8_t attempts;
	bool rotate;
	uint8_t first; /* for the next question; not 0 only with rotate */
	uint32_t timeout_ms;
	uint32_t patience_ms;
};

/* The way of a question through the servers. Sets of 1 << index. */
struct course {
	uint8_t first;
	uint8_t tried;  /* in this round */
	uint8_t failed; /* have answered with an error: they are not asked again */
	uint8_t round;
};

/* Takes a list. Servers that were in the list before are as dead as they were. */
void servers_set(struct servers *servers, const struct ipc_nameservers *list);

/* The course of a new question. */
struct course servers_begin(struct servers *servers);

/* The server to ask next: an index, or -1 if all attempts are over. */
int servers_next(const struct servers *servers, struct course *course, uint64_t now_ms);

/* Whether servers_next() will return -1 unless another server fails. */
bool servers_is_last(const struct servers *servers, const struct course *course);

void servers_note_answer(struct servers *servers, int index);

/* The server has not answered in time. Returns whether it is dead from now on. */
bool servers_note_loss(struct servers *servers, int index, uint64_t now_ms);

/* The server's host says that nobody has its port. Returns the same. */
bool servers_note_refusal(struct servers *servers, int index, uint64_t now_ms);
