/* SPDX-License-Identifier: BSD-2-Clause */
#include "netns-helper/jail.h"

#include <linux/filter.h>
#include <stddef.h>

#include "confine/caps.h"
#include "confine/limits.h"
#include "confine/namespaces.h"
#include "confine/seccomp.h"
#include "confine/stage.h"
#include "seccomp/netns-helper_policy.h"

void
jail_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	struct confine_caps caps;

	reached->stages = 1U << IPC_STAGE_descriptors;
	/* For the report. */
	(void)confine_ns_query(&reached->namespaces);
	if (orders->sandbox_mode != IPC_JAIL_OFF) {
		if (confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS |
			CONFINE_LIMIT_NOT_DUMPABLE | CONFINE_LIMIT_NO_CORE |
			CONFINE_LIMIT_NO_LOCKED_MEMORY) == -1)
			ipc_stage_fail(orders->sandbox_mode, "limits", NULL);
		else
			reached->stages |= 1U << IPC_STAGE_limits;
	}
	/* No policy allows the question. */
	if (confine_caps_query(&caps) == 0) {
		reached->cap_effective = caps.effective;
		reached->cap_bounding = caps.bounding;
	}
	if (orders->seccomp_mode != IPC_JAIL_OFF) {
		if (confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == -1 ||
		    confine_seccomp_install(seccomp_netns_helper_filter,
			SECCOMP_NETNS_HELPER_FILTER_LEN,
			seccomp_netns_helper_self_at) == -1) {
			ipc_stage_fail(orders->seccomp_mode, "seccomp", NULL);
		} else {
			reached->stages |= 1U << IPC_STAGE_seccomp;
			reached->n_calls = SECCOMP_NETNS_HELPER_N_CALLS;
		}
	}
}
