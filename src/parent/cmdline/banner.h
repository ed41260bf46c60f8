/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts on standard output that clients parse: the lines at the start, and --version.
 * And the line of the log when the network works. Pure. */
#pragma once

#include <stddef.h>

#include "parent/cmdline/options.h"

/* Twelve lines of at most 80 bytes, a PATH_MAX path for the API, and the warning. */
#define BANNER_SIZE 8192

/* The two functions that return a length write lines, each with its newline, and a NUL to buf (buf_size bytes, at
 * least 1). They return the length without the NUL, or -1 with an empty buf if the text
 * does not fit. */

/* options are the result of an OPTIONS_START of options_parse(). */
int banner_start_format(char *buf, size_t buf_size, const struct options *options,
    const struct ipc_outbound *outbound);

/* Writes the line of the log, without a newline: the TAP, its address, its namespace and
 * how the processes are confined. A longer text is cut. netns names the namespace, and is
 * borrowed; missing is the set of 1 << enum ipc_stage that a process has not reached. */
void banner_ready_format(char *buf, size_t buf_size, const struct options *options,
    const char *netns, uint32_t missing);

/* Docker splits the text on "version" and "commit:"; other clients read the "libslirp:"
 * line. libslirp_version is the version at run time. config_version_max is the highest
 * SlirpConfig version that the worker was built for. The parent links no libslirp and
 * gets both from the worker. */
int banner_version_format(char *buf, size_t buf_size, const char *program_name,
    const char *libslirp_version, unsigned int config_version_max);
