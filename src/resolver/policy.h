/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy by which names are judged, and the queries that it judges. */
#pragma once

#include "resolver/resolver.h"

/* Before the jail: takes random bytes. */
void resolver_policy_init(struct resolver *resolver,
    const struct ipc_resolver_start *start);

/* Whether queries are judged. Without a policy, in mode audit, and with a policy that has no
 * names and lets all of them pass, messages are passed on as they are. */
bool resolver_policy_judges(const struct resolver *resolver);

/* Whether the mode is audit: messages pass, and are observed. */
bool resolver_policy_observes(const struct resolver *resolver);

/* Whether there is a policy, but it has not come yet: no query is answered. */
bool resolver_policy_is_missing(const struct resolver *resolver);

/* The generation of the policy in force. */
uint64_t resolver_policy_generation(const struct resolver *resolver);
