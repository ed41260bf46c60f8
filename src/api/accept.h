/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepting clients, and the limits that keep places free for new ones. */
#pragma once

#include <stdbool.h>

/* Connections accepted in one round. The limit leaves time for requests during a flood
 * of connections. */
#define API_ACCEPT_BATCH 16
/* If clients come one after the other, a second accept4(2) in a round returns EAGAIN and
 * costs a tenth of a request. After such a round, this many rounds accept one client
 * only. */
#define API_ACCEPT_ROUNDS_OF_ONE 8
/* If the table is full, a client that has sent nothing for so long gives way to a new
 * one. An honest client sends its request at once. */
#define API_PATIENCE_MS 100
/* If all clients wait for answers, a client that has waited so long gives way: the worker
 * does not answer, and new clients may ask for things that do not need it. */
#define API_CALL_PATIENCE_MS 5000

/* The log names such a shortage once in ten minutes. */
#define API_ACCEPT_WARNING_INTERVAL_MS 600000

struct api;

/* Whether a waiting connection could be accepted now. If not, ask again after
 * API_PATIENCE_MS or when a client has gone. */
bool api_accept_may(const struct api *api);

/* Accepts waiting connections, API_ACCEPT_BATCH at most. */
void api_accept(struct api *api);
