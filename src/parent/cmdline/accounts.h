/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks up a user or a group of the machine by name or number. Used for --runas alone. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Finds the user and its group in /etc/passwd. The group of a number without an account
 * is the same number. Returns false if there is no such user. */
bool parent_user_find(const char *text, uid_t *uid, gid_t *gid);

/* Returns false if there is no such group. */
bool parent_group_find(const char *text, gid_t *gid);
