/* SPDX-License-Identifier: BSD-2-Clause */
/* The jail of the netns-helper: limits and a filter. */
#include "netns-helper/jail.h"

#include "confine/limits.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "seccomp/netns-helper_policy.h"

void
jail_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	reached->stages = 1U << IPC_STAGE_descriptors;
	(void)confine_ns_query(&reached->namespaces);
	if (orders->sandbox_mode != IPC_JAIL_OFF)
		confine_stage_limits(orders, reached,
		    CONFINE_LIMIT_NO_NEW_PRIVS | CONFINE_LIMIT_NOT_DUMPABLE |
			CONFINE_LIMIT_NO_CORE | CONFINE_LIMIT_NO_LOCKED_MEMORY);
	confine_stage_seccomp(orders, reached, seccomp_netns_helper_filter,
	    SECCOMP_NETNS_HELPER_FILTER_LEN, seccomp_netns_helper_self_at,
	    SECCOMP_NETNS_HELPER_N_CALLS);
}
