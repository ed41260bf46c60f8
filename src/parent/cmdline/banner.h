/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts on standard output that clients read: what the daemon says at its start,
 * and --version. The parent builds them from its options and prints them itself; this
 * holds nothing.
 */
#pragma once

#include <stddef.h>

#include "parent/cmdline/options.h"

/* Twelve lines of at most 80 bytes, a PATH_MAX path for the API, and the warning. */
#define BANNER_SIZE 8192

/*
 * Both write lines, each with its newline, and a NUL to buf (buf_size bytes, at least
 * 1) and return the length without the NUL, or -1 with an empty buf if they don't fit.
 */

/* options come from an OPTIONS_RUN of options_parse(). */
int banner_start_format(char *buf, size_t buf_size, const struct options *options,
    const struct ipc_outbound *outbound);

/* Docker splits on "version" and "commit:", others read the "libslirp:" line.
 * libslirp_version is that of the library at run time and config_version_max the
 * highest SlirpConfig version that we were built for; the parent links no libslirp and
 * gets both from the worker. */
int banner_version_format(char *buf, size_t buf_size, const char *program_name,
    const char *libslirp_version, unsigned int config_version_max);
