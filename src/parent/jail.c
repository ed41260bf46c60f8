/* SPDX-License-Identifier: BSD-2-Clause */
/* The jail of the parent, and the orders for the jails of the others. */
#include "parent/jail.h"

#include <linux/capability.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/caps.h"
#include "confine/limits.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "seccomp/parent_policy.h"

#define PORT_SYSCTL "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* "65536" with its newline and its NUL. */
#define PORT_LINE_SIZE 8

uint32_t
parent_jail_first_free_port(void)
{
	char line[PORT_LINE_SIZE] = "";
	FILE *file = fopen(PORT_SYSCTL, "re");
	uint32_t first = IPPORT_RESERVED;

	if (!file)
		return first;
	if (fgets(line, sizeof(line), file))
		first = (uint32_t)strtoul(line, NULL, 10);
	fclose(file);
	return first;
}

static bool
is_real_root(void)
{
	return geteuid() == 0 && confine_ns_maps_all();
}

void
parent_jail_check(const struct options *options)
{
	if (options->has_runas && !is_real_root())
		log_warning("--runas is without effect: slirpd was not started by the "
			    "machine's root, so the worker keeps its user");
}

/* Whether the caller has passed on a capability for low ports of the host, and forwards may
 * come that need it. The connector has the weaker jail for it, so only then. */
static bool
keeps_bind(const struct options *options)
{
	return (options->api_socket_path || options->n_publish > 0) &&
	    parent_jail_first_free_port() > 1 &&
	    confine_caps_over_network(CAP_NET_BIND_SERVICE);
}

void
parent_jail_orders(struct ipc_confine *confine, const struct options *options)
{
	*confine = (struct ipc_confine){
		.sandbox_mode = (uint8_t)options->sandbox_mode,
		.seccomp_mode = (uint8_t)options->seccomp_mode,
	};
	if (is_real_root()) {
		confine->has_runas = 1;
		confine->runas_uid = options->runas_uid;
		confine->runas_gid = options->runas_gid;
	} else {
		confine->keeps_bind = keeps_bind(options);
	}
}

/* Returns the capabilities that the supervision needs, if the caller passed any on. */
static uint64_t
needed_caps(const struct options *options)
{
	uint64_t needed = 0;

	/* To see which namespace others live in (ptrace(2), access mode checking): not
	 * all have our uid, and those that have may have capabilities. */
	if (options->exit_fd == -1 && !options->command &&
	    options->target != OPTIONS_TARGET_TAPFD &&
	    options->target != OPTIONS_TARGET_BESS)
		needed |= CONFINE_CAP_BIT(CAP_SYS_PTRACE);
	/* Needed to kill a worker with another uid. The kernel also requires it for the
	 * worker's PR_SET_PDEATHSIG. */
	if (is_real_root())
		needed |= CONFINE_CAP_BIT(CAP_KILL);
	/* Needed to remove the parent's files from a directory of another user. */
	if (options->api_socket_path || options->bess_path || options->pidfile_path ||
	    options->create_netns)
		needed |= CONFINE_CAP_BIT(CAP_DAC_OVERRIDE);
	/* Needed to unmount the namespace. The filter allows no other call that takes
	 * it. */
	if (options->create_netns)
		needed |= CONFINE_CAP_BIT(CAP_SYS_ADMIN);
	return needed;
}

void
parent_jail_lock(const struct ipc_confine *orders, const struct options *options,
    struct ipc_confined *reached)
{
	*reached = (struct ipc_confined){ 0 };
	(void)confine_ns_query(&reached->namespaces);
	/* Not Landlock: a process under it may not look at the namespaces of others in
	 * /proc (landlock(7), ptrace), which is how the end of the guest is noticed. Not
	 * "not dumpable": its /proc is where an operator looks first. */
	if (orders->sandbox_mode != IPC_JAIL_OFF) {
		confine_stage_kept_capabilities(orders, reached, needed_caps(options));
		confine_stage_limits(orders, reached,
		    CONFINE_LIMIT_NO_NEW_PRIVS | CONFINE_LIMIT_NO_CORE |
			CONFINE_LIMIT_NO_LOCKED_MEMORY);
	}
	confine_stage_seccomp(orders, reached, seccomp_parent_filter,
	    SECCOMP_PARENT_FILTER_LEN, seccomp_parent_self_at, SECCOMP_PARENT_N_CALLS);
}
