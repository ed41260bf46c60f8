/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service manager is told: datagrams to the socket that NOTIFY_SOCKET names
 * (sd_notify(3)).
 */
#pragma once

#include "parent/cmdline/options.h"

/*
 * Connects to the socket, before the filter bars it. Does nothing without NOTIFY_SOCKET,
 * and also where it is somebody else's: a caller with --ready-fd, and one of slirp4netns,
 * hands down what its own manager gave it, and that would take our words for its own. A
 * failure is a warning.
 */
void parent_notify_open(const struct options *options);

/* Sends a text of lines "NAME=value", if anybody is to be told. A failure is a
 * warning. */
void parent_notify(const char *text);
