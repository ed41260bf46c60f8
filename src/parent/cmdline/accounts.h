/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks up a user or a group of the machine by name or id. Used for --runas alone. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Finds the user and its group in /etc/passwd. The gid of an id without an account is the
 * same id. Returns false if the user does not exist. */
bool parent_user_find(const char *text, uid_t *uid, gid_t *gid);

/* Returns false if the group does not exist. */
bool parent_group_find(const char *text, gid_t *gid);
