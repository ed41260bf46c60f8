/* SPDX-License-Identifier: BSD-2-Clause */
/* The service of the api in its jail, from ready to the end. */
#pragma once

#include "api/api.h"
#include "base/deadline.h"

/* Allocates memory for service. Call it before the jail. Fatal on failure. */
void api_loop_init(struct api *api);

/* Serves until the parent has closed the channel. */
void api_loop_run(struct api *api);

/* One round: waits for events, until deadline_ms at most, and handles them. Returns the
 * number of descriptors with events. */
int api_loop_once(struct api *api, uint64_t deadline_ms);
