/* SPDX-License-Identifier: BSD-2-Clause */
/* `slirpctl policy check`, `test` and `diff`. */
#pragma once

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"

/* Checks each file by itself, and logs its first fault, or remarks on its rules. */
enum outcome policy_check(const struct cmdline *cmdline);

/* Logs a warning if the rule of `policy add` has a name that is probably a class. */
void policy_warn_of_slips(const char *line);

/* Prints the verdict on a flow: of the policies of --policy, or of the daemon. OUTCOME_REFUSED: it is
 * denied. */
enum outcome policy_test(const struct cmdline *cmdline);

/* Prints the settings and rules that differ between two files, or the daemon and a file.
 * OUTCOME_REFUSED: there are such. */
enum outcome policy_diff(const struct cmdline *cmdline);
