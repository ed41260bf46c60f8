/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwards, as far as they are the parent's matter: those of the command line, and the copy of all
 * that the worker has. */
#pragma once

#include <stdbool.h>

#include "parent/supervise/supervisor.h"

/* Has the worker make the next forward of --publish, once it serves. */
void forwards_publish(struct supervisor *sv);

/* Takes the worker's answer to that. Returns false if slirpd ends because of it. */
bool forwards_note_published(struct supervisor *sv,
    const struct ipc_hostfwd_result *result);

/* Whether all of --publish are there. */
bool forwards_are_published(const struct supervisor *sv);
