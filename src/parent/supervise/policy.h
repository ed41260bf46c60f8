/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy from the policy-reader to the connector, the resolver and the api. The parent keeps a
 * copy of the rows. */
#pragma once

#include "parent/supervise/supervisor.h"

/* Opens the files of the policy, if there is one. Before the first child. Fatal on failure. */
void policy_open(struct supervisor *sv);

/* Starts the policy-reader, if there is a policy. A failure ends slirpd. */
void policy_begin_reading(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* Whether there is none, or all of its rows are here. */
bool policy_is_read(const struct supervisor *sv);

/* Whether the connector follows the policy, and the resolver if there is one. */
bool policy_is_followed(const struct supervisor *sv);

/* The connector, the resolver or the api is ready: sends it the policy from now on. */
void policy_begin_feed(struct supervisor *sv, enum ipc_role role);

/* Sends the addresses of the host. If a queue is full, hostlist.is_told stays false, and they
 * are sent again later. */
void policy_tell_host(struct supervisor *sv);

/* Whether rows wait for room in the role's queue. */
bool policy_is_feeding(const struct supervisor *sv, enum ipc_role role);

/* Sends what the queue takes. */
void policy_feed(struct supervisor *sv, enum ipc_role role);

/* Ends a connector or resolver that does not follow the policy in time. */
void policy_end_hanging(struct supervisor *sv, uint64_t now_ms);

/* Answers the api's request for a change, if the change is made. */
void policy_proceed(struct supervisor *sv);

/* The api has ended, and with it who asked for a change. */
void policy_forget_request(struct supervisor *sv);
