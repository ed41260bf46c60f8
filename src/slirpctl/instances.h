/* SPDX-License-Identifier: BSD-2-Clause */
/* The running slirpds of this user, by the names in base/rundir.h. */
#pragma once

#include <stdbool.h>
#include <sys/un.h>

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"

#define INSTANCES_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* Finds the socket of the only slirpd that runs. If there is none, or more than one, logs
 * a line (unless may_fail) and returns false. */
bool instances_find_only(char path[INSTANCES_PATH_SIZE], bool may_fail);

/* `slirpctl ps`: shows all that run; with --all also the names that were left behind. */
enum outcome instances_show(const struct cmdline *cmdline);
