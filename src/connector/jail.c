/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the jail of the connector from the stages of confine/. */
#include "connector/jail.h"

#include <linux/capability.h>
#include <stdbool.h>

#include "base/auto.h"
#include "confine/caps.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "seccomp/connector_policy.h"

/* All namespaces except network: the sockets are to be of the host's. */
#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* For forwards of ports below net.ipv4.ip_unprivileged_port_start. */
#define BIND_BIT CONFINE_CAP_BIT(CAP_NET_BIND_SERVICE)

/* Whether the parent orders it and the spawner has passed the capability on. If not, no
 * stage is given up for it. */
static bool
keeps_bind(const struct jail *jail)
{
	struct confine_caps caps;

	return jail->orders.keeps_bind && confine_caps_query(&caps) == 0 &&
	    caps.effective & BIND_BIT;
}

void
jail_enter(struct jail *jail)
{
	bool keeps = keeps_bind(jail);
	autofd int fallback_userns_fd = take_fd(&jail->fallback_userns_fd);

	/* Stage 1: the parent has closed all descriptors but those of the table. */
	jail->reached.stages |= IPC_STAGE_BIT(descriptors);
	if (keeps)
		confine_stage_namespaces_same_user(&jail->orders, &jail->reached,
		    OWN_NAMESPACES);
	else
		confine_stage_namespaces(&jail->orders, &jail->reached, OWN_NAMESPACES,
		    fallback_userns_fd);
	if (jail->orders.sandbox_mode == IPC_JAIL_OFF)
		return;
	confine_stage_root(&jail->orders, &jail->reached);
	if (keeps)
		confine_stage_kept_capabilities(&jail->orders, &jail->reached, BIND_BIT);
	else
		confine_stage_capabilities(&jail->orders, &jail->reached, BIND_BIT);
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
