/* SPDX-License-Identifier: BSD-2-Clause */
/* What the checks of validate.h ask of a field, whatever its row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns -1, with *why set to the text, which is static and names the field. */
int ipc_refuse(const char **why, const char *text);

bool ipc_is_zero(const void *bytes, size_t n);

bool ipc_is_flag(uint8_t value);

/* Text of at most size - 1 bytes, NUL-terminated, and zeros to the end, so that no
 * bytes of the sender's memory travel behind it. */
bool ipc_is_text(const char *text, size_t size);
