/* SPDX-License-Identifier: BSD-2-Clause */
/* Enters the worker's jail. */
#include "slirp-worker/jail.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/auto.h"
#include "confine/caps.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "seccomp/slirp-worker_policy.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* Size limit of the copy, which is used until the parent replaces it
 * (parent/watch/resolv.h). */
#define RESOLV_CONF_MAX 65536

/* All namespaces except user and network: the worker needs the host's network. */
#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static size_t
read_resolv_conf(char *buf, size_t buf_size)
{
	autofd int fd = open(RESOLV_CONF, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	/* Without a readable file the copy is empty; the parent keeps it up to date. */
	while (fd != -1 && n > 0 && len < buf_size) {
		n = read(fd, buf + len, buf_size - len);
		if (n > 0)
			len += (size_t)n;
	}
	return len;
}

/* Stage 3. */
static void
enter_root(struct jail *jail, const char *resolv_conf, size_t resolv_conf_len)
{
	const struct confine_file files[] = { {
	    .path = RESOLV_CONF,
	    .content = resolv_conf,
	    .content_len = resolv_conf_len,
	    .mode = 0644,
	    .writable_fd = &jail->resolv_copy_fd,
	} };

	confine_stage_root(&jail->orders, &jail->reached, files, 1);
}

/* Stage 6. */
static void
enter_landlock(struct jail *jail)
{
	bool has_own_root = jail->reached.stages & (1U << IPC_STAGE_root);
	/* In the host's root the file may be replaced, or be a link to any file. There
	 * the rule denies everything except reading. */
	const struct confine_landlock_rule rule = {
		.path = has_own_root ? RESOLV_CONF : "/",
		.path_fd = -1,
		.access = CONFINE_LANDLOCK_READ_FILE,
	};

	confine_stage_landlock(&jail->orders, &jail->reached, &rule, 1,
	    CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX | CONFINE_LANDLOCK_DENY_SIGNALS);
}

void
jail_enter(struct jail *jail)
{
	static char resolv_conf[RESOLV_CONF_MAX];
	autofd int fallback_userns_fd = -1;
	size_t resolv_conf_len = 0;

	/* Stage 1: the parent has closed all descriptors except the table. Descriptors
	 * that arrived by message are in use. */
	jail->reached.stages |= 1U << IPC_STAGE_descriptors;
	fallback_userns_fd = take_fd(&jail->fallback_userns_fd);
	if (jail->orders.sandbox_mode != IPC_JAIL_OFF)
		resolv_conf_len = read_resolv_conf(resolv_conf, sizeof(resolv_conf));
	confine_stage_namespaces(&jail->orders, &jail->reached, OWN_NAMESPACES,
	    fallback_userns_fd);
	if (jail->orders.sandbox_mode == IPC_JAIL_OFF)
		return;
	enter_root(jail, resolv_conf, resolv_conf_len);
	confine_stage_capabilities(&jail->orders, &jail->reached,
	    CONFINE_CAP_BIT(CAP_NET_BIND_SERVICE));
	confine_stage_all_limits(&jail->orders, &jail->reached);
	enter_landlock(jail);
}

void
jail_lock(struct jail *jail)
{
	confine_stage_seccomp(&jail->orders, &jail->reached, seccomp_slirp_worker_filter,
	    SECCOMP_SLIRP_WORKER_FILTER_LEN, seccomp_slirp_worker_self_at,
	    SECCOMP_SLIRP_WORKER_N_CALLS);
}
