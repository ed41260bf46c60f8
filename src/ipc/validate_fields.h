/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of fields that several rows share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inaddr.h"

/* Sets *why to the static text, which names the field. Returns -1. */
int ipc_refuse(const char **why, const char *text);

bool ipc_is_zero(const void *bytes, size_t n);

bool ipc_is_flag(uint8_t value);

/* errno(3): at most 4095 (MAX_ERRNO, include/linux/err.h). */
bool ipc_is_errno(uint32_t value);

bool ipc_is_inaddr(const struct inaddr *addr);

/* Whether text has at most size - 1 bytes, a NUL, and zeros up to the end. The zeros keep
 * bytes of the sender's memory from travelling along. */
bool ipc_is_text(const char *text, size_t size);
