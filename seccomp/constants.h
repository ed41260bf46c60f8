/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of constants in policies. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "targets.h"

/* Sets *value to the kernel's value on that architecture. Returns false if the name is
 * unknown. */
bool constant_find(const char *name, enum target target, uint32_t *value);

/* Returns the value of an errno; 0: the name is unknown. */
uint32_t constant_find_errno(const char *name);
