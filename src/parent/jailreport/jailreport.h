/* SPDX-License-Identifier: BSD-2-Clause */
/* The task of --print-confinement. */
#pragma once

#include "parent/supervise/supervisor.h"

/* Makes a guest, starts all processes, and prints the jail of each. Sets the guest in
 * *options. Returns the exit status. */
int jailreport_make(struct supervisor *sv, struct options *options);
