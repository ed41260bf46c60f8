/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of fields that several rows share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "ipc/msg_policy.h"

/* Sets *why to the static text, which names the field. Returns -1. */
int ipc_refuse(const char **why, const char *text);

bool ipc_is_zero(const void *bytes, size_t n);

/* Return 0, or refuse and return -1: */

/* All bytes of the field are zeros. */
int ipc_check_zeros(const void *bytes, size_t n, const char *field, const char **why);

/* The entries of an array behind the n in use are zeros. n is at most n_max, the number of all
 * entries; entry_size is in bytes. */
int ipc_check_unused(const void *entries, size_t n, size_t n_max, size_t entry_size,
    const char **why);

bool ipc_is_flag(uint8_t value);

/* errno(3): at most 4095 (MAX_ERRNO, include/linux/err.h). */
bool ipc_is_errno(uint32_t value);

bool ipc_is_inaddr(const struct inaddr *addr);

/* Whether text has at most size - 1 bytes, a NUL, and zeros up to the end. The zeros keep
 * bytes of the sender's memory from travelling along. */
bool ipc_is_text(const char *text, size_t size);

/* Whether it is such a text, and a canonical name of a host (base/dnsname.h). */
bool ipc_is_dnsname(const char name[IPC_POLICY_NAME_SIZE]);
