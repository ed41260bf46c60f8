/* SPDX-License-Identifier: BSD-2-Clause */
/* The command of `slirpd run`, in the process that becomes it: the two parts of its struct
 * guest_work, whose context is a struct options. */
#pragma once

/* In its namespaces: gives back the caller's signals, makes the mounts private, and covers
 * /etc/resolv.conf unless there is no built-in name server. */
int command_prepare(const void *context, const char **step);

/* Becomes the command. If it can't, says why and ends with the status for that. */
void command_begin(const void *context);
