/* SPDX-License-Identifier: BSD-2-Clause */
/* The jail of the netns-helper: limits and a filter. */
#include "netns-helper/jail.h"

#include "confine/stages.h"
#include "seccomp/netns-helper_policy.h"

void
jail_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	confine_stages_limited(orders, reached, seccomp_netns_helper_filter,
	    SECCOMP_NETNS_HELPER_FILTER_LEN, seccomp_netns_helper_self_at,
	    SECCOMP_NETNS_HELPER_N_CALLS);
}
