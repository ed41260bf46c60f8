/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of how options fit together. Each returns false, with the error kept, if they do not. */
#pragma once

#include <stdbool.h>

#include "parent/cmdline/optvalue.h"

/* Options that conflict, or need others. */
bool optcheck_conflicts(struct optvalue_parse *parse);

/* Options of `slirpd run`, and those that do not go with it. */
bool optcheck_run(struct optvalue_parse *parse);

/* Refuses a path that two options name. Different paths may lead to the same file; then
 * making the second file fails. */
bool optcheck_paths(struct optvalue_parse *parse);

/* Whether the option was given. option: a name, or a name with "=" and the value that counts. */
bool optcheck_is_given(const struct optvalue_parse *parse, const char *option);
