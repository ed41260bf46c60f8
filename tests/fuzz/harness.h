/* SPDX-License-Identifier: BSD-2-Clause */
/* What fuzzers of a whole process have in common. */
#pragma once

/* Drops all log lines. */
void harness_silence(void);

/* Drops all log lines, and limits open files. */
void harness_begin(unsigned int n_files_max);

/* Ends the fuzzer if the lowest free descriptor is not the one of the last call: one was left open,
 * or closed twice. */
void harness_check_descriptors(void);
