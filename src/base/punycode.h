/* SPDX-License-Identifier: BSD-2-Clause */
/* The ASCII form of names with letters of other scripts (RFC 3492), for a hint in an error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Writes the name, UTF-8 with labels of other scripts, with "xn--" labels in their place. Returns
 * false if it is not such a name, or does not fit. Folds upper case of Latin-1 and Greek and
 * Cyrillic only: IDNA (RFC 5891) needs tables. */
bool punycode_of_name(char *ascii, size_t ascii_size, const char *name, size_t len);
