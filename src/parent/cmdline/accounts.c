/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks up the user and group of --runas. */
#include "parent/cmdline/accounts.h"

#include <bsd/stdlib.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* passwd(5), group(5) */
#define USERS_PATH "/etc/passwd"
#define GROUPS_PATH "/etc/group"

/* Parses a user or group id. The kernel uses the highest id for "none". */
static bool
id_parse(const char *text, unsigned int *id)
{
	const char *problem = NULL;
	long long parsed;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return false;
	parsed = strtonum(text, 0, UINT32_MAX - 1, &problem);
	if (problem != NULL)
		return false;
	*id = (unsigned int)parsed;
	return true;
}

/* Finds the account by name or, if name is NULL, by uid, in the file alone; NULL for
 * none. getpwnam(3) would load the modules of nsswitch.conf. A static program cannot do
 * that, and the parent, which holds everything, should not. */
static const struct passwd *
account_find(const char *name, uid_t uid)
{
	FILE *file = fopen(USERS_PATH, "re");
	const struct passwd *user = NULL;

	if (!file)
		return NULL;
	/* cppcheck-suppress fgetpwentCalled */
	while ((user = fgetpwent(file)) != NULL)
		if (name ? strcmp(user->pw_name, name) == 0 : user->pw_uid == uid)
			break;
	fclose(file);
	return user;
}

bool
parent_user_find(const char *text, uid_t *uid, gid_t *gid)
{
	const struct passwd *user;

	if (id_parse(text, uid)) {
		user = account_find(NULL, *uid);
		/* An id without an account is valid; its gid is the same id. */
		*gid = user ? user->pw_gid : *uid;
		return true;
	}
	user = account_find(text, 0);
	if (user == NULL)
		return false;
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return true;
}

bool
parent_group_find(const char *text, gid_t *gid)
{
	const struct group *group;
	FILE *file;

	if (id_parse(text, gid))
		return true;
	file = fopen(GROUPS_PATH, "re");
	if (!file)
		return false;
	/* cppcheck-suppress fgetgrentCalled */
	while ((group = fgetgrent(file)) != NULL)
		if (strcmp(group->gr_name, text) == 0)
			break;
	if (group)
		*gid = group->gr_gid;
	fclose(file);
	return group != NULL;
}
