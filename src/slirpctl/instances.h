/* SPDX-License-Identifier: BSD-2-Clause */
/* The running slirpds of this user, by the names in base/rundir.h. */
#pragma once

#include <stdbool.h>
#include <sys/un.h>

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"

#define INSTANCES_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* If no socket was named, sets that of the only slirpd that runs. If there is none, or more than
 * one, logs a line and returns false, or leaves the path NULL if it is optional. */
bool instances_find_socket(struct cmdline *cmdline, bool is_optional);

/* `slirpctl ps`: shows all that run; with --all also the names that were left behind. */
enum outcome instances_show(const struct cmdline *cmdline);
