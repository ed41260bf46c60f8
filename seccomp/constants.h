/* SPDX-License-Identifier: BSD-2-Clause */
/* The names that a policy may use for numbers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "targets.h"

/* The value that the kernel of that architecture gives the name; false if unknown. */
bool constant_find(const char *name, enum target target, uint32_t *value);

/* The same for what errno can be; 0 if unknown. */
uint32_t constant_find_errno(const char *name);
