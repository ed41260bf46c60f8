/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets a place in the table of clients. */
#pragma once

#include <stdbool.h>

/* Connections taken in one round, so that a flood of them leaves time for their
 * requests. */
#define API_ACCEPT_BATCH 16
/* Where one client asks after the other, to look for a second one each time is in vain,
 * and a tenth of what its request costs. After a vain look there are so many rounds
 * without. */
#define API_ACCEPT_ROUNDS_OF_ONE 8
/* When all places are taken, a client that has sent nothing for so long gives way to one
 * that waits: an honest one sends its request at once. */
#define API_PATIENCE_MS 100
/* If all wait for answers, the one that has waited so long gives way: then the worker does not
 * answer, and others may want what can be had without it. */
#define API_CALL_PATIENCE_MS 5000
/* Where the system is out of descriptors or memory, accepting waits for so long: the
 * socket stays readable, and would make the loop spin. */
#define API_ACCEPT_PAUSE_MS 100

/* The log hears of that once, and every ten minutes. */
#define API_ACCEPT_WARNING_INTERVAL_MS 600000

struct api;

/* Whether a client that waits at the listening socket could be taken now. If not, ask
 * again after API_PATIENCE_MS or when a client has gone. */
bool api_accept_may(const struct api *api);

/* Takes some of those that wait. */
void api_accept(struct api *api);
