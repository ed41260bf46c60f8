/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy on the guest's destinations. */
#pragma once

#include "connector/connector.h"

/* has_policy: nothing is allowed before the first policy has come. */
void connector_policy_init(struct connector *connector,
    const struct ipc_connector_start *start);

/* Forgets all of it. */
void connector_policy_free(void);

/* Whether the resolver needs name servers: some names may be asked for. */
bool connector_policy_allows_queries(void);

/* Returns 0 if the flow may be opened, or the errno that the worker answers the guest with. Counts.
 * Notes in the flow whether there is a policy, and the pin. */
int connector_policy_check(struct flow *flow);

/* A flow ends that connector_policy_check() has seen, or all do. */
void connector_policy_note_end(const struct flow *flow);
void connector_policy_note_all_ends(void);

/* Whether the policy in force lets an open flow go on, which connector_policy_check() has seen. An
 * address of a name whose pin has given way is judged as if it were pinned. */
bool connector_policy_lets_go_on(const struct flow *flow);

/* The same for a peer of a forward's port of UDP, whom only a rule with `forbid` stops: that the
 * peer has sent there is the worker's word. */
int connector_policy_check_peer(struct flow *flow);

/* Takes the addresses of a name from the resolver, also of one without a pattern. The patterns may
 * be those of the policy before the one in force; then the pins are of those that both have.
 * Returns 0; EACCES if no address was pinned; EINVAL if the policy has no such pattern: a resolver
 * in order never says that. */
int connector_policy_pin(const struct ipc_dns_pin *msg);

/* Counts the names that the resolver has refused. Returns -1 if the policy has no such rule. */
int connector_policy_note_refusal(const struct ipc_dns_refusal *msg);
