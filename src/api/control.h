/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's messages to the api. */
#pragma once

#include <stdbool.h>

#include "api/api.h"

/* Waits for the parent's orders and descriptors, enters the jail, and reports that
 * clients are served. Returns false if the parent ends before that. Fatal on failure. */
bool api_control_begin(struct api *api);

/* Handles the parent's messages that have come. Sets api->ended at their end. */
void api_control_receive(struct api *api);
