#include "slirp-worker/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "confine/caps.h"
#include "confine/landlock.h"
#include "confine/limits.h"
#include "confine/mountns.h"
#include "confine/namespaces.h"
#include "confine/seccomp.h"
#include "ipc/stage.h"
#include "seccomp/slirp-worker_policy.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* As much as the parent copies later (parent/resolv.h). */
#define RESOLV_CONF_MAX 65536

/* All but the user namespace and the network: the host's sockets are the worker's trade. */
#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

#ifdef SLIRPD_ROLES_KEEP_STDERR
/* A sanitizer writes its report to a file, and starts a process to look for leaks. */
#define LIMITS \
	(CONFINE_LIMITS_ALL & \
	    ~(CONFINE_LIMIT_NO_FILE_GROWTH | CONFINE_LIMIT_NOT_DUMPABLE | \
		CONFINE_LIMIT_NO_PROCESSES))
#else
#define LIMITS CONFINE_LIMITS_ALL
#endif

static void
reach(struct jail *jail, enum ipc_stage stage)
{
	jail->reached.stages |= 1U << stage;
}

/* Whether own namespaces can be made at all, found out in a child. Costs as much as making
 * them. Returns 0, or -1 with errno set. */
static int
try_own_userns(void)
{
	int wait_status;
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid == 0) {
		int failed = confine_ns_own(CLONE_NEWUSER | OWN_NAMESPACES, NULL, NULL);

		_exit(failed ? errno : 0);
	}
	if (waitpid(pid, &wait_status, 0) == -1)
		return -1;
	errno = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : ECHILD;
	return errno == 0 ? 0 : -1;
}

/* Returns 0, or -1 with errno set and nothing changed. */
static int
make_own_userns(const struct jail *jail, const char **step)
{
	/* A failure half way leaves a process without ids, which can only end. Where that
	 * must not be, it is tried first. */
	if (jail->orders.sandbox_mode == IPC_JAIL_BEST_EFFORT && try_own_userns() == -1)
		return -1;
	if (confine_ns_own(CLONE_NEWUSER | OWN_NAMESPACES, NULL, step) == 0)
		return 0;
	if (strcmp(*step, "unshare") != 0)
		fatal("jail stage namespaces: %s", *step);
	return -1;
}

/* Stage 2. Must not yet give up the capabilities that the new namespaces give: the next
 * stage mounts. */
static void
enter_namespaces(struct jail *jail, int fallback_userns_fd)
{
	const char *step = "unshare";

	if (jail->orders.has_runas) {
		/* Real root needs no user namespace, and would lose CAP_NET_BIND_SERVICE
		 * over the host's ports in one. */
		if (confine_ns_own(OWN_NAMESPACES, NULL, &step) == -1) {
			ipc_stage_fail(jail->orders.sandbox_mode, "namespaces", step);
			return;
		}
	} else if (make_own_userns(jail, &step) == 0) {
		jail->reached.has_own_userns = 1;
		/* Nobody in here shall make another, which would come with capabilities.
		 * The filter forbids it too, and /proc/sys may be read-only. */
		(void)confine_ns_bar_nested();
	} else {
		int error = errno;

		log_warning("jail stage namespaces: no user namespace of my own: %s",
		    confine_ns_bar_str(confine_ns_bar(error)));
		errno = error;
		if (fallback_userns_fd == -1) {
			ipc_stage_fail(jail->orders.sandbox_mode, "namespaces",
			    "unshare");
			return;
		}
		if (confine_ns_join_user(fallback_userns_fd) == -1 ||
		    confine_ns_own(OWN_NAMESPACES, NULL, &step) == -1) {
			ipc_stage_fail(jail->orders.sandbox_mode, "namespaces",
			    "join the guest's user namespace instead");
			return;
		}
		log_info(
		    "jail stage namespaces: joined the guest's user namespace instead");
	}
	reach(jail, IPC_STAGE_namespaces);
}

static size_t
read_resolv_conf(char *buf, size_t buf_size)
{
	autofd int fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 1;

	/* None, or none that can be read, is an empty one: the parent keeps looking. */
	while (fd != -1 && n > 0 && len < buf_size) {
		n = read(fd, buf + len, buf_size - len);
		if (n > 0)
			len += (size_t)n;
	}
	return len;
}

/* Stage 3. Must come while the capabilities of stage 2 are there. */
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
	const char *step;

	if (!(jail->reached.stages & (1U << IPC_STAGE_namespaces)))
		return;
	if (confine_root_replace(files, 1, &step) == -1)
		ipc_stage_fail(jail->orders.sandbox_mode, "root", step);
	else
		reach(jail, IPC_STAGE_root);
}

/* Stages 4 and 5. Must come after all that mounts, and before Landlock and the filter, which
 * need no_new_privs. */
static void
enter_capabilities(struct jail *jail)
{
	const struct ipc_confine *orders = &jail->orders;
	struct confine_caps caps;
	int failed;

	if (orders->has_runas)
		failed = confine_caps_keep(CONFINE_CAP_BIT(CAP_NET_BIND_SERVICE),
		    orders->runas_uid, orders->runas_gid);
	else
		failed = confine_caps_drop();
	if (failed)
		ipc_stage_fail(orders->sandbox_mode, "capabilities",
		    "give up capabilities");
	else
		reach(jail, IPC_STAGE_capabilities);
	if (confine_limits_set(LIMITS) == -1)
		ipc_stage_fail(orders->sandbox_mode, "limits", "set limits");
	else
		reach(jail, IPC_STAGE_limits);
	if (confine_caps_query(&caps) == 0) {
		jail->reached.cap_effective = caps.effective;
		jail->reached.cap_bounding = caps.bounding;
	}
}

/* Stage 6. Must come after all mounts: under Landlock there are none. */
static void
enter_landlock(struct jail *jail)
{
	bool has_own_root = jail->reached.stages & (1U << IPC_STAGE_root);
	/* In the host's root the file may be replaced, or be a link to anywhere: there all
	 * that is left to deny is everything but reading. */
	const struct confine_landlock_rule rule = {
		.path = has_own_root ? RESOLV_CONF : "/",
		.path_fd = -1,
		.access = CONFINE_LANDLOCK_READ_FILE,
	};
	int abi = confine_landlock_restrict(&rule, 1,
	    CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX | CONFINE_LANDLOCK_DENY_SIGNALS);

	/* A kernel without it is no failure: best effort within the stage. */
	if (abi == -1)
		ipc_stage_fail(jail->orders.sandbox_mode, "landlock", "restrict files");
	else if (abi > 0)
		reach(jail, IPC_STAGE_landlock);
	jail->reached.landlock_abi = abi > 0 ? (uint32_t)abi : 0;
}

void
jail_enter(struct jail *jail)
{
	static char resolv_conf[RESOLV_CONF_MAX];
	autofd int fallback_userns_fd = -1;
	size_t resolv_conf_len;

	/* Stage 1: the parent has closed everything but the table, and what came since
	 * came by message and is in use. */
	reach(jail, IPC_STAGE_descriptors);
	fallback_userns_fd = take_fd(&jail->fallback_userns_fd);
	if (jail->orders.sandbox_mode == IPC_JAIL_OFF)
		return;
	resolv_conf_len = read_resolv_conf(resolv_conf, sizeof(resolv_conf));
	enter_namespaces(jail, fallback_userns_fd);
	enter_root(jail, resolv_conf, resolv_conf_len);
	enter_capabilities(jail);
	enter_landlock(jail);
}

void
jail_lock(struct jail *jail)
{
	if (jail->orders.seccomp_mode == IPC_JAIL_OFF)
		return;
	/* Without the sandbox this is not set yet, and the filter needs it. */
	if (confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == -1 ||
	    confine_seccomp_install(seccomp_slirp_worker_filter,
		SECCOMP_SLIRP_WORKER_FILTER_LEN, seccomp_slirp_worker_self_at) == -1) {
		ipc_stage_fail(jail->orders.seccomp_mode, "seccomp",
		    "install the filter");
		return;
	}
	reach(jail, IPC_STAGE_seccomp);
	jail->reached.n_calls = SECCOMP_SLIRP_WORKER_N_CALLS;
}
