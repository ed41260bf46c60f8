/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's messages to the api. */
#pragma once

#include <stdbool.h>

#include "api/api.h"

/* Waits for the parent's orders, takes what it sends, enters the jail, and says that
 * clients are served. Returns false when the parent is gone before that. Fatal on
 * failure. */
bool api_control_begin(struct api *api);

/* Takes the parent's messages that have come; sets api->ended at their end. */
void api_control_receive(struct api *api);
