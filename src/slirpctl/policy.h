/* SPDX-License-Identifier: BSD-2-Clause */
/* The command `policy`: shows and changes the policy of a daemon. */
#pragma once

#include <stdio.h>

#include "slirpctl/cmdline.h"

/* The first argument names the action. */
enum outcome policy_run(const struct cmdline *cmdline);

/* Prints a line for each action. */
void policy_help_write(FILE *out);
