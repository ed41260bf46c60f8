/* SPDX-License-Identifier: BSD-2-Clause */
/* The forwards of the command line, and the parent's copy of all forwards of the
 * connector. */
#pragma once

#include <stdbool.h>

#include "parent/supervise/supervisor.h"

/* Asks the connector for the next forward of --publish, when the worker is ready. */
void forwards_publish(struct supervisor *sv);

/* Handles the answer to that. Returns false if slirpd ends because of it. */
bool forwards_note_published(struct supervisor *sv,
    const struct ipc_forward_result *result);

/* Gives a connector that was started again the forwards and their sockets. */
void forwards_begin_handover(struct supervisor *sv);

/* Whether something for the connector waits for room in its queue, and the next attempt. */
bool forwards_have_more(const struct supervisor *sv);
void forwards_send(struct supervisor *sv);

/* Whether all forwards of --publish are made. */
bool forwards_are_published(const struct supervisor *sv);
