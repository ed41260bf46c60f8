/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the rows of a policy, each by itself. Return 0, or -1 with *why set to a static text,
 * the bad field. How rows fit together is for the reader (model/policy). */
#pragma once

#include "ipc/msg_policy.h"

int ipc_check_policy_settings(const struct ipc_policy_settings *settings,
    const char **why);
int ipc_check_policy_rule(const struct ipc_policy_rule *rule, const char **why);
int ipc_check_policy_prefix(const struct ipc_policy_prefix *prefix, const char **why);
int ipc_check_policy_name(const struct ipc_policy_name *name, const char **why);
