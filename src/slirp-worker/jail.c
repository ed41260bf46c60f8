/* SPDX-License-Identifier: BSD-2-Clause */
/* Enters the worker's jail. */
#include "slirp-worker/jail.h"

#include "base/auto.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "seccomp/slirp-worker_policy.h"

/* A network namespace too: the sockets that the connector hands over stay in the host's. */
#define OWN_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET)

void
jail_enter(struct jail *jail)
{
	autofd int fallback_userns_fd = take_fd(&jail->fallback_userns_fd);

	/* Stage 1: the parent has closed all descriptors except the table. Descriptors
	 * that arrived by message are in use. */
	jail->reached.stages |= 1U << IPC_STAGE_descriptors;
	confine_stage_namespaces(&jail->orders, &jail->reached, OWN_NAMESPACES,
	    fallback_userns_fd);
	if (jail->orders.sandbox_mode == IPC_JAIL_OFF)
		return;
	confine_stage_root(&jail->orders, &jail->reached);
	confine_stage_capabilities(&jail->orders, &jail->reached, 0);
	confine_stage_all_limits(&jail->orders, &jail->reached);
	confine_stage_landlock(&jail->orders, &jail->reached, -1,
	    CONFINE_LANDLOCK_DENY_TCP | CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX |
		CONFINE_LANDLOCK_DENY_SIGNALS);
}

void
jail_lock(struct jail *jail)
{
	confine_stage_seccomp(&jail->orders, &jail->reached, seccomp_slirp_worker_filter,
	    SECCOMP_SLIRP_WORKER_FILTER_LEN, seccomp_slirp_worker_self_at,
	    SECCOMP_SLIRP_WORKER_N_CALLS);
}
