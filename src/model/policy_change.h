/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a policy of another one. */
#pragma once

#include "model/policy/policy.h"

/* Adds the rules of `tail` behind those of `policy`, which has the tail's settings then. Returns
 * false with *why set to a static text if there is no room. */
bool policy_append(struct policy *policy, const struct policy *tail, const char **why);

/* Makes `policy` one with the settings of `from`, and with its rules but those with this key. Returns
 * the number of rules left out. */
uint32_t policy_copy_without(struct policy *policy, const struct policy *from,
    uint64_t key);

/* Whether `changed` has the settings and rules of `old`, and before these only rules of the api that
 * deny or forbid. */
bool policy_denies_more(const struct policy *old, const struct policy *changed);
