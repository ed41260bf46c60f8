#include "netns-helper/jail.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/log.h"
#include "confine/caps.h"
#include "confine/limits.h"
#include "confine/seccomp.h"
#include "seccomp/netns-helper_policy.h"

static void
fail_stage(uint8_t mode, const char *stage)
{
	if (mode == IPC_JAIL_REQUIRED)
		fatal("jail stage %s", stage);
	log_warning("jail stage %s: %s; going on without it", stage, strerror(errno));
}

void
jail_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	struct confine_caps caps;

	reached->stages = 1U << IPC_STAGE_descriptors;
	if (orders->sandbox_mode != IPC_JAIL_OFF) {
		if (confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS |
			CONFINE_LIMIT_NOT_DUMPABLE | CONFINE_LIMIT_NO_CORE |
			CONFINE_LIMIT_NO_LOCKED_MEMORY) == -1)
			fail_stage(orders->sandbox_mode, "limits");
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
			fail_stage(orders->seccomp_mode, "seccomp");
		} else {
			reached->stages |= 1U << IPC_STAGE_seccomp;
			reached->n_calls = SECCOMP_NETNS_HELPER_N_CALLS;
		}
	}
}
