/* SPDX-License-Identifier: BSD-2-Clause */
/* `slirpctl top`: rates and connections on a terminal, shown again and again. */
#pragma once

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"

/* Runs until the user quits. Standard output must be a terminal. */
enum outcome top_run(const struct cmdline *cmdline);
