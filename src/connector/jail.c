/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the jail of the connector from the stages of confine/. */
#include "connector/jail.h"

#include <linux/capability.h>

#include "base/auto.h"
#include "confine/caps.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "seccomp/connector_policy.h"

/* All namespaces except network: the sockets are to be of the host's. */
#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

void
jail_enter(struct jail *jail)
{
	autofd int fallback_userns_fd = take_fd(&jail->fallback_userns_fd);

	/* Stage 1: the parent has closed all descriptors but those of the table. */
	jail->reached.stages |= IPC_STAGE_BIT(descriptors);
	confine_stage_namespaces(&jail->orders, &jail->reached, OWN_NAMESPACES,
	    fallback_userns_fd);
	if (jail->orders.sandbox_mode == IPC_JAIL_OFF)
		return;
	confine_stage_root(&jail->orders, &jail->reached);
	confine_stage_capabilities(&jail->orders, &jail->reached,
	    CONFINE_CAP_BIT(CAP_NET_BIND_SERVICE));
	confine_stage_all_limits(&jail->orders, &jail->reached);
	/* Not TCP: to connect is the work of this process. */
	confine_stage_landlock(&jail->orders, &jail->reached, -1,
	    CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX | CONFINE_LANDLOCK_DENY_SIGNALS);
}

void
jail_lock(struct jail *jail)
{
	confine_stage_seccomp(&jail->orders, &jail->reached, seccomp_connector_filter,
	    SECCOMP_CONNECTOR_FILTER_LEN, seccomp_connector_self_at,
	    SECCOMP_CONNECTOR_N_CALLS);
}
