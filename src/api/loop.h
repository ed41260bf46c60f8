/* SPDX-License-Identifier: BSD-2-Clause */
/* The api's service, in its jail: from ready to the end. */
#pragma once

#include "api/api.h"

/* Gets what service needs; to be called before the jail. Fatal on failure. */
void api_loop_init(struct api *api);

/* Serves until the parent has closed the channel. */
void api_loop_run(struct api *api);

/* One round: waits for events, for `wait_ms` at most (-1: as long as it takes), and
 * handles them. Returns how many descriptors there was something for. */
int api_loop_once(struct api *api, int wait_ms);
