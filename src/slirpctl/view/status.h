/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a daemon in ten lines of words. */
#pragma once

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "slirpctl/view/view.h"

/* The values of query_status, query_version, and the entries of list_hostfwd. policy is the value of
 * query_policy: NULL if the daemon does not know the request, json_null() if it has no policy. now is
 * the wall clock's time, for the time of the start. */
void status_show(FILE *out, const json_t *status, const json_t *version,
    const json_t *forwards, const json_t *policy, time_t now, const struct view *view);
