/* SPDX-License-Identifier: BSD-2-Clause */
/* `slirpctl events`: a session that shows events, and begins again if the api was started
 * again. */
#pragma once

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"

enum outcome events_follow(const struct cmdline *cmdline);
