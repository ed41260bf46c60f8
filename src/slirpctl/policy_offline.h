/* SPDX-License-Identifier: BSD-2-Clause */
/* `slirpctl policy check`, `test` and `diff`: files of policies, without a daemon. */
#pragma once

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"

/* Checks each file by itself, and logs its first fault, or remarks on its rules. */
enum outcome policy_check(const struct cmdline *cmdline);

/* Prints the verdict of the policies of --policy on a flow. OUTCOME_REFUSED: it is denied. */
enum outcome policy_test(const struct cmdline *cmdline);

/* Prints the settings and rules that differ. OUTCOME_REFUSED: there are such. */
enum outcome policy_diff(const struct cmdline *cmdline);
