/* SPDX-License-Identifier: BSD-2-Clause */
/* What an attempt in a jail tells the test. */
#pragma once

/* Writes "ok" to the standard output, or errno if the result is -1. */
void say_outcome(long result);
