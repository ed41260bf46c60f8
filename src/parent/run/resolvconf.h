/* SPDX-License-Identifier: BSD-2-Clause */
/* The /etc/resolv.conf of the command of `slirpd run`. */
#pragma once

#include "parent/cmdline/options.h"

/*
 * Covers /etc/resolv.conf with a file that names the guest's name server alone: that of IPv4, and
 * with --enable-ipv6 that of IPv6. The file that the path leads to is covered, whatever symbolic
 * links are on the way. If there is none, an overlay on /etc gives one; where the kernel refuses
 * that, a warning says so. The process is in a user and a mount namespace of its own, whose mounts
 * are private. Returns 0, or -1 with errno set and *step, a static text, what was tried.
 */
int resolvconf_cover(const struct options *options, const char **step);
